"""An experiment: one full description of a training run except its seed."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from ceteris.spec.base import Spec, Whole, wrong
from ceteris.spec.data import DataSpec
from ceteris.spec.model import ModelSpec
from ceteris.spec.optimizer import Adam, OptimizerSpec

LossName = Literal["auto", "cross_entropy", "mse"]

METRIC_NAME = re.compile(r"[A-Za-z_]\w*(\.\w+)*(:[A-Za-z_]\w*)?", re.ASCII)
BUILT_IN_METRICS = ("loss", "accuracy")


def metric_name(reference: str) -> str:
    """Return the name under which a metric is recorded: ``package.module:Name`` gives ``Name``."""
    return reference.rsplit(":", 1)[-1]


class Experiment(Spec):
    """Data, network, loss, optimiser, budget and metrics of a training run."""

    data: DataSpec
    model: ModelSpec

    loss: Annotated[LossName, Field(title="loss")] = "auto"
    """`auto`: cross-entropy on logits for classes, mean-squared error for numbers. With classes,
    `mse` compares the outputs with one-hot targets."""

    optimizer: OptimizerSpec = Adam()
    batch_size: Annotated[Whole, Field(ge=1, title="batch size")] = 32

    last_batch: Annotated[Literal["keep", "drop"], Field(title="choice for the last batch")] = "keep"
    """What happens to the smaller batch at the end of an epoch."""

    epochs: Annotated[Whole, Field(ge=1, le=1_000_000, title="number of epochs")] = 10

    metrics: Annotated[tuple[str, ...], Field(title="list of metric names")] = ()
    """Metrics of the user's own, each recorded as `train_<name>` and `val_<name>`: names given to
    `ceteris.run(metrics=...)` in Python, or `package.module:Name` with `--allow-code`."""

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
