"""An experiment: one full description of a training run except its seed."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from ceteris.errors import unknown_name
from ceteris.spec.base import AnyNumber, Number, Spec, Whole, wrong
from ceteris.spec.clip import Clip
from ceteris.spec.data import DataSpec
from ceteris.spec.early_stopping import EarlyStopping
from ceteris.spec.implementation import Implementation
from ceteris.spec.losses import LossName
from ceteris.spec.metrics import Direction, direction, unknown_direction
from ceteris.spec.model import ModelSpec
from ceteris.spec.optimizer import Adam, OptimizerSpec
from ceteris.spec.penalty import NoPenalty, PenaltySpec
from ceteris.spec.probing import Probes
from ceteris.spec.schedule import Constant, Plateau, ScheduleSpec

ClassWeight = Annotated[float, AnyNumber, Field(gt=0)]

METRIC_NAME = re.compile(r"[A-Za-z_]\w*(\.\w+)*(:[A-Za-z_]\w*)?", re.ASCII)
BUILT_IN_METRICS = ("loss", "accuracy")


VALIDATION_METRICS = ("val_loss", "val_accuracy")
"""What is measured on the validation rows of every trial (accuracy for classes only)."""

TRAINING_METRICS = ("train_loss", "train_accuracy")
"""The same on training rows."""


def metric_name(reference: str) -> str:
    """Return the name under which a metric is recorded: ``package.module:Name`` gives ``Name``."""
    return reference.rsplit(":", 1)[-1]


class Experiment(Spec):
    """Data, network, loss, optimiser, regularisation, budget and metrics of a training run."""

    data: DataSpec
    """The rows, which of them validate, and what is made of them."""

    model: ModelSpec
    """The network, and how its weights start."""

    precision: Annotated[Literal["float32", "bfloat16", "float16"], Field(title="precision")] = "float32"
    """Of the forward and backward pass, in training and evaluation. Weights, loss and optimiser stay in
    float32. With `float16` the loss is scaled, each trial by itself, by the rules of
    `torch.amp.GradScaler`; the curves `loss_scale` and `skipped_steps` tell how."""

    loss: Annotated[LossName, Field(title="loss")] = "auto"
    """Which loss is trained on: see [experiment.loss](#experimentloss)."""

    loss_beta: Annotated[Number, Field(gt=0, title="beta of a loss")] = 1.0
    """The error at which `smooth_l1` (torch's `beta`) and `huber` (torch's `delta`) turn from a parabola
    into a line."""

    label_smoothing: Annotated[Number, Field(ge=0, lt=1, title="label smoothing")] = 0.0
    """The share e of every label that is spread over the classes in training. `train_loss` and `val_loss`
    are measured without it."""

    smoothing_convention: Annotated[
        Literal["torch", "shared"], Field(title="convention of label smoothing")
    ] = "torch"
    """With c classes: `torch` spreads e over all classes, so that the right one keeps 1 - e + e / c;
    `shared` spreads it over the others, so that the right one keeps 1 - e."""

    class_weights: Annotated[
        Literal["balanced"] | tuple[ClassWeight, ...] | None, Field(title="choice of class weights")
    ] = None
    """Weights of the classes in the training loss, whose mean is weighted too (as in torch): a list with one
    for each class, or `balanced`: n / (classes n_k) for a class with n_k of the n training rows.
    `train_loss` and `val_loss` are measured without them."""

    penalty: PenaltySpec = NoPenalty()
    """A term added to the loss that is trained on. The recorded losses are without it; its own value is
    recorded as `penalty`."""

    optimizer: OptimizerSpec = Adam()
    """How a gradient becomes a step."""

    schedule: ScheduleSpec = Constant()
    """How the learning rate changes while training."""

    clip: Annotated[Clip, Field(title="limit on gradients")] = Clip()
    """Limits on the gradient."""

    batch_size: Annotated[Whole, Field(ge=1, title="batch size")] = 32
    """Training rows of one step."""

    last_batch: Annotated[Literal["keep", "drop", "fill"], Field(title="choice for the last batch")] = "keep"
    """What happens to the smaller batch at the end of an epoch: it is kept, dropped, or filled up with the
    rows that the epoch began with."""

    accumulate: Annotated[Whole, Field(ge=1, title="number of batches")] = 1
    """Batches of one step, at most those of an epoch: the gradients of so many are averaged, and the
    optimiser takes one step. What is left at the end of an epoch takes a step too, by the mean over the
    batches that there are. A warm-up and whatever else counts steps counts those of the optimiser."""

    epochs: Annotated[Whole, Field(ge=1, le=1_000_000, title="number of epochs")] = 10
    """How often all training rows are gone through."""

    early_stopping: Annotated[EarlyStopping, Field(title="rule of early stopping")] = EarlyStopping()
    """When a trial ends before its epochs are over."""

    implementation: Annotated[Implementation, Field(title="implementation")] = "builtin"
    """Which program trains: `builtin`, or `scratch`, the one of `ceteris.scratch` that is written out with
    plain tensors to be read. It is slower and knows less (no cnn, plain SGD); what it does not know is told
    before anything is trained. Draws, rows and measurements are the same, so the two can be compared."""

    metrics: Annotated[tuple[str, ...], Field(title="list of metric names")] = ()
    """Metrics of the user's own, each recorded as `train_<name>` and `val_<name>`: names given to
    `ceteris.run(metrics=...)` in Python, or `package.module:Name` with `--allow-code`."""

    probes: Annotated[Probes, Field(title="choice of probes")] = Probes()
    """What is measured besides losses and metrics."""

    better: Annotated[dict[str, Direction], Field(title="direction")] = Field(default_factory=dict)
    """Which values of a metric of the user's own are better: ``{mae: lower}``. Needed only where its name
    does not tell: losses, errors and gaps are better when lower; accuracy, auc, f1, precision, recall, r2,
    score and top<n> when higher."""

    @field_validator("better")
    @classmethod
    def _directions_of_own_metrics(cls, better: dict[str, Direction]) -> dict[str, Direction]:
        for name in better:
            if name in BUILT_IN_METRICS:
                raise wrong(f"which `{name}` is better is known; say it of metrics of your own")
        return better

    @field_validator("metrics")
    @classmethod
    def _metrics_have_names(cls, metrics: tuple[str, ...]) -> tuple[str, ...]:
        for metric in metrics:
            if METRIC_NAME.fullmatch(metric) is None:
                raise wrong(f"'{metric}' is not a metric; give a name, or `package.module:Name`")
            if metric_name(metric) in BUILT_IN_METRICS:
                raise wrong(f"`{metric_name(metric)}` is measured anyway; give your metric another name")
        names = [metric_name(metric) for metric in metrics]
        if len(set(names)) < len(names):
            raise wrong("two metrics have the same name")
        return metrics

    @model_validator(mode="after")
    def _accumulation_is_builtin(self) -> Self:
        if self.accumulate > 1 and self.implementation != "builtin":
            raise wrong(f"must be 1 with `implementation: {self.implementation}`", "accumulate")
        return self

    @model_validator(mode="after")
    def _watched_metrics_are_recorded(self) -> Self:
        own = [metric_name(metric) for metric in self.metrics]
        validated = [*VALIDATION_METRICS, *(f"val_{name}" for name in own)]
        trained = [*TRAINING_METRICS, *(f"train_{name}" for name in own)]
        known = {"early_stopping.metric": ("metric", [*validated, *trained])}
        watched = {"early_stopping.metric": self.early_stopping.metric}
        if isinstance(self.schedule, Plateau):
            watched["schedule.metric"] = self.schedule.metric
            known["schedule.metric"] = ("validation metric", validated)
        for path, metric in watched.items():
            what, names = known[path]
            if metric not in names:
                raise wrong(unknown_name(what, metric, names), path)
            if direction(metric, self.better) is None:
                raise wrong(unknown_direction(metric), path)
        return self
