"""An experiment: one full description of a training run except its seed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ceteris.spec.base import Spec
from ceteris.spec.data import DataSpec
from ceteris.spec.model import ModelSpec
from ceteris.spec.optimizer import Adam, OptimizerSpec

LossName = Literal["auto", "cross_entropy", "mse"]


class Experiment(Spec):
    """Data, network, loss, optimiser, budget and metrics of a training run."""

    data: DataSpec
    model: ModelSpec

    loss: LossName = "auto"
    """`auto`: cross-entropy on logits for classes, mean-squared error for numbers. With classes,
    `mse` compares the outputs with one-hot targets."""

    optimizer: OptimizerSpec = Adam()
    batch_size: Annotated[int, Field(ge=1)] = 32

    last_batch: Literal["keep", "drop"] = "keep"
    """What happens to the smaller batch at the end of an epoch."""

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 10

    metrics: tuple[str, ...] = ()
    """Metrics of the user's own, each recorded as `train_<name>` and `val_<name>`: names given to
    `ceteris.run(metrics=...)` in Python, or `package.module:Name` with `--allow-code`."""
