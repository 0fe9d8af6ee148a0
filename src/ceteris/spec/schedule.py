"""Schedules of the learning rate, with the names, defaults and meanings of ``torch.optim.lr_scheduler``.

Epochs are counted from 0. A rate named here is that of the weights; those of biases and
normalisation layers, where they are set apart, follow the same rule from their own start.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ceteris.spec.base import KindOnly, Number, Spec, Switch, Whole, wrong

Gamma = Annotated[
    Number,
    Field(gt=0, title="factor of the learning rate", description="What the rate is multiplied by each time."),
]
Epochs = Annotated[Whole, Field(ge=1, title="number of epochs")]
LowestRate = Annotated[
    Number, Field(ge=0, title="lowest learning rate", description="The rate never falls below this.")
]


WarmUp = Annotated[
    Number,
    Field(
        ge=0,
        title="number of epochs",
        description="Epochs (parts of one too, at most those of the training) in which the rate rises "
        "linearly, a little at every step, before the schedule, which counts its epochs from the first whole "
        "epoch after the rise.",
    ),
]
WarmUpStart = Annotated[
    Number,
    Field(
        gt=0,
        le=1,
        title="share of the learning rate",
        description="The share of the rate with which the rise begins (`start_factor` of ``LinearLR``).",
    ),
]


class Constant(Spec):
    """The rate stays as it is."""

    kind: Literal["constant"] = "constant"
    warmup: WarmUp = 0.0
    warmup_start: WarmUpStart = 1 / 3


class Step(Spec):
    """The rate is multiplied by `gamma` every `step_size` epochs (``StepLR``)."""

    kind: Literal["step"] = "step"
    step_size: Epochs
    """Epochs between two changes of the rate."""
    gamma: Gamma = 0.1
    warmup: WarmUp = 0.0
    warmup_start: WarmUpStart = 1 / 3


class MultiStep(Spec):
    """The rate is multiplied by `gamma` at each of the epochs in `milestones` (``MultiStepLR``)."""

    kind: Literal["multi_step"] = "multi_step"
    milestones: Annotated[
        tuple[Annotated[Whole, Field(ge=1)], ...], Field(min_length=1, title="list of epochs")
    ]
    """The epochs at which the rate changes, rising."""
    gamma: Gamma = 0.1
    warmup: WarmUp = 0.0
    warmup_start: WarmUpStart = 1 / 3

    @model_validator(mode="after")
    def _rise(self) -> Self:
        if list(self.milestones) != sorted(set(self.milestones)):
            raise wrong("the epochs must rise from one to the next", "milestones")
        return self


class Exponential(Spec):
    """The rate is multiplied by `gamma` after every epoch (``ExponentialLR``)."""

    kind: Literal["exponential"] = "exponential"
    gamma: Gamma
    warmup: WarmUp = 0.0
    warmup_start: WarmUpStart = 1 / 3


class Cosine(Spec):
    """The rate falls to `min_lr` along half a cosine (Loshchilov and Hutter 2017; ``CosineAnnealingLR``)."""

    kind: Literal["cosine"] = "cosine"

    period: Annotated[Epochs | None, Field(title="number of epochs")] = None
    """Epochs from the start to `min_lr` (``T_max``). Default: the whole training after the warm-up."""

    min_lr: LowestRate = 0.0
    warmup: WarmUp = 0.0
    warmup_start: WarmUpStart = 1 / 3


class OneCycle(Spec):
    """The rate rises to the optimiser's `lr` and falls below its start, step by step (Smith and Topin 2018).

    ``OneCycleLR`` over the whole training, with the momentum left as it is.
    """

    kind: Literal["one_cycle"] = "one_cycle"
    pct_start: Annotated[Number, Field(gt=0, lt=1, title="share of the steps")] = 0.3
    """The share of all steps in which the rate rises."""
    anneal: Annotated[Literal["cos", "linear"], Field(title="way to anneal")] = "cos"
    """Whether the rate follows a cosine or straight lines."""
    div_factor: Annotated[Number, Field(gt=0, title="divisor")] = 25.0
    """The first rate is `lr` divided by this."""
    final_div_factor: Annotated[Number, Field(gt=0, title="divisor")] = 1e4
    """The last rate is the first divided by this."""
    three_phase: Switch = False
    """Whether the rate first falls back to its start, as steeply as it rose, and then further."""


class Plateau(Spec):
    """The rate is multiplied by `factor` when a validation metric stops improving (``ReduceLROnPlateau``).

    Every trial has a plateau of its own. The metric is looked at after every epoch that follows the
    warm-up; losses and errors improve downwards, everything else upwards.
    """

    kind: Literal["plateau"] = "plateau"
    metric: Annotated[str, Field(title="validation metric")] = "val_loss"
    """The validation metric that is looked at."""
    factor: Annotated[Number, Field(gt=0, lt=1, title="factor of the learning rate")] = 0.1
    """What the rate is multiplied by each time."""
    patience: Annotated[Whole, Field(ge=0, title="number of epochs")] = 10
    """Epochs without improvement that are tolerated before the rate falls."""
    threshold: Annotated[Number, Field(ge=0, title="threshold")] = 1e-4
    """The least improvement that counts."""
    threshold_mode: Annotated[Literal["rel", "abs"], Field(title="threshold mode")] = "rel"
    """Whether an improvement is measured against the best value so far (`rel`) or as it stands (`abs`)."""
    cooldown: Annotated[Whole, Field(ge=0, title="number of epochs")] = 0
    """Epochs after a change of the rate in which nothing is counted."""
    min_lr: LowestRate = 0.0
    eps: Annotated[Number, Field(ge=0, title="smallest change of the rate")] = 1e-8
    """A change of the rate that is smaller than this is left out."""
    warmup: WarmUp = 0.0
    warmup_start: WarmUpStart = 1 / 3


Schedule = Constant | Step | MultiStep | Exponential | Cosine | OneCycle | Plateau
ScheduleSpec = Annotated[Schedule, Field(discriminator="kind", title="schedule"), KindOnly]
