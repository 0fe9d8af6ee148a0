"""Optimisers with PyTorch's names, defaults and meanings."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ceteris.spec.base import KindOnly, Number, Spec, Switch, wrong

Rate = Annotated[
    Number, Field(gt=0, title="learning rate", description="Learning rate: how far a step goes.")
]
Decay = Annotated[
    Number,
    Field(
        ge=0, title="weight decay", description="How strongly parameters are drawn towards 0 at every step."
    ),
]
Momentum = Annotated[
    Number,
    Field(ge=0, lt=1, title="momentum", description="Share of the last step that goes into the next one."),
]
Beta = Annotated[
    Number,
    Field(
        ge=0,
        lt=1,
        title="decay rate of moments",
        description="Decay rate of the running mean of gradients (`beta1`) or of their squares (`beta2`).",
    ),
]
Eps = Annotated[
    Number, Field(gt=0, title="valid eps", description="Added to the divisor, so that it is never 0.")
]


class GroupSettings(Spec):
    """Settings of some of the parameters apart; what is left out is as for the weights."""

    lr: Annotated[Rate | None, Field(title="learning rate")] = None
    """Their learning rate."""
    weight_decay: Annotated[Decay | None, Field(title="weight decay")] = None
    """Their weight decay."""


Biases = Annotated[
    GroupSettings,
    Field(title="group of settings", description="Biases of layers, apart: `biases: {weight_decay: 0}`."),
]
Norms = Annotated[
    GroupSettings,
    Field(title="group of settings", description="Scales and shifts of normalisation layers, apart."),
]


class SGD(Spec):
    """Stochastic gradient descent (``torch.optim.SGD``)."""

    kind: Literal["sgd"] = "sgd"
    lr: Rate = 1e-3
    momentum: Momentum = 0.0
    dampening: Annotated[Number, Field(ge=0, le=1, title="dampening")] = 0.0
    """The share of the gradient that is kept out of the momentum."""
    nesterov: Switch = False
    """Whether the gradient counts once more after the momentum (Nesterov's method)."""
    weight_decay: Decay = 0.0
    biases: Biases = GroupSettings()
    norms: Norms = GroupSettings()

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> Self:
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise wrong(
                "Nesterov's method needs a momentum above 0 and a dampening of 0; "
                f"here they are {self.momentum:g} and {self.dampening:g}",
                "nesterov",
            )
        return self


class Adam(Spec):
    """Adam (Kingma and Ba 2015; ``torch.optim.Adam``); weight decay is added to the gradient."""

    kind: Literal["adam"] = "adam"
    lr: Rate = 1e-3
    beta1: Beta = 0.9
    beta2: Beta = 0.999
    eps: Eps = 1e-8
    weight_decay: Decay = 0.0
    biases: Biases = GroupSettings()
    norms: Norms = GroupSettings()


class AdamW(Spec):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019; ``torch.optim.AdamW``)."""

    kind: Literal["adamw"] = "adamw"
    lr: Rate = 1e-3
    beta1: Beta = 0.9
    beta2: Beta = 0.999
    eps: Eps = 1e-8
    weight_decay: Decay = 1e-2
    biases: Biases = GroupSettings()
    norms: Norms = GroupSettings()


class RMSprop(Spec):
    """Gradients divided by the root of their mean square (Hinton 2012; ``torch.optim.RMSprop``)."""

    kind: Literal["rmsprop"] = "rmsprop"
    lr: Rate = 1e-2
    alpha: Annotated[Number, Field(ge=0, lt=1, title="smoothing constant")] = 0.99
    """Decay rate of the running mean of squared gradients."""
    eps: Eps = 1e-8
    weight_decay: Decay = 0.0
    momentum: Momentum = 0.0
    centered: Switch = False
    """Divide by the standard deviation of the gradients instead of their root mean square."""
    biases: Biases = GroupSettings()
    norms: Norms = GroupSettings()


class Adagrad(Spec):
    """Gradients divided by the root of the sum of their squares (Duchi 2011; ``torch.optim.Adagrad``)."""

    kind: Literal["adagrad"] = "adagrad"
    lr: Rate = 1e-2
    lr_decay: Annotated[Number, Field(ge=0, title="decay of the learning rate")] = 0.0
    """The rate at step t is `lr` / (1 + t `lr_decay`)."""
    weight_decay: Decay = 0.0
    initial_accumulator_value: Annotated[Number, Field(ge=0, title="initial sum of squares")] = 0.0
    """What the sums of squared gradients start with."""
    eps: Annotated[Number, Field(gt=0, title="valid eps")] = 1e-10
    """Added to the divisor, so that it is never 0."""
    biases: Biases = GroupSettings()
    norms: Norms = GroupSettings()


NEWTON_PARAMETERS = 1000
"""Newton's step is for networks of at most so many parameters: its work grows with their cube."""


class Newton(Spec):
    """Newton's method: w - lr (H + damping I)^+ g, with gradient g and Hessian H of a batch's plain loss.

    Second derivatives are exact, for linear networks and mlps of at most 1,000 parameters, without what is
    random and without batch norm, on the CPU. On a parabola one step on all rows with a rate of 1 ends at the
    minimum. Elsewhere H need not be positive, and a step may lead to a saddle or a maximum.
    """

    kind: Literal["newton"] = "newton"
    lr: Rate = 1.0
    damping: Annotated[Number, Field(ge=0, title="damping")] = 0.0
    """Added to the diagonal of H: the larger, the more a step is one of gradient descent (Levenberg 1944)."""

    @property
    def weight_decay(self) -> float:
        """There is none."""
        return 0.0

    @property
    def biases(self) -> GroupSettings:
        """As the weights."""
        return GroupSettings()

    @property
    def norms(self) -> GroupSettings:
        """As the weights."""
        return GroupSettings()


Optimizer = SGD | Adam | AdamW | RMSprop | Adagrad | Newton
OptimizerSpec = Annotated[Optimizer, Field(discriminator="kind", title="optimizer"), KindOnly]
