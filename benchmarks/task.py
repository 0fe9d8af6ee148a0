"""What a contestant is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.workloads import Stack, Workload
from ceteris.data import Dataset, Preparation
from ceteris.spec.data import DataSpec

EVALUATION_BATCH = 1000
"""Rows per batch where a contestant evaluates in batches."""


class Rows(NamedTuple):
    """Inputs (n, features) float32 and targets: (n,) int64 labels, or (n, 1) float32."""

    x: NDArray[np.float32]
    y: NDArray[Any]


@dataclass(frozen=True)
class Task:
    """Rows, network, optimiser, batches, epochs and members: all that decides what is computed."""

    model: dict[str, Any]
    optimizer: dict[str, Any]
    batch_size: int
    epochs: int
    """How long to train."""
    compare_after: int
    """The epoch (counted from 1) whose score is handed back."""
    seeds: tuple[int, ...]
    rates: tuple[float, ...]
    """Learning rates of the variants. A contestant that trains one member takes the first of both."""
    train: Rows
    validation: Rows
    measured: Rows
    """As many training rows as validate: they are evaluated after every epoch too."""
    dataset: Dataset
    data: dict[str, Any]
    """The same rows as a study asks for them."""
    data_folder: Path | None = None
    precision: str = "float32"
    device: str = "cpu"
    """``cpu`` or ``cuda``."""

    @property
    def classification(self) -> bool:
        return self.dataset.task == "classification"

    @property
    def features(self) -> int:
        return self.train.x.shape[1]

    @property
    def image(self) -> tuple[int, ...]:
        """Channels, height and width of a row's image."""
        shape = self.dataset.shape
        return (1, *shape) if len(shape) == 2 else shape

    @property
    def convolutional(self) -> bool:
        return bool(self.model["kind"] == "cnn")

    @property
    def outputs(self) -> int:
        return len(self.dataset.classes) if self.classification else 1

    @property
    def hidden(self) -> list[int]:
        """Widths of the hidden layers; none for a linear model."""
        return list(self.model.get("hidden", ()))

    @property
    def dropout(self) -> float:
        return float(self.model.get("dropout", 0.0))

    @property
    def batch_norm(self) -> bool:
        return bool(self.model.get("batch_norm", False))

    @property
    def members(self) -> int:
        return len(self.seeds) * len(self.rates)

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch, the smaller last one included."""
        return -(-len(self.train.x) // self.batch_size)

    @cached_property
    def _variance(self) -> float:
        return float(np.var(self.validation.y))

    def score(self, loss: float, accuracy: float) -> float:
        """Validation accuracy; for regression R squared, the share of the variance that is explained."""
        return accuracy if self.classification else 1 - loss / self._variance

    def stacked(self, stack: Stack, first_seed: int) -> Task:
        """Return the task for all members of a stack, with seeds from ``first_seed`` on."""
        rates = tuple(self.rates[0] * (1 + 0.1 * variant) for variant in range(stack.variants))
        return replace(self, seeds=tuple(range(first_seed, first_seed + stack.seeds)), rates=rates)

    def shortened(self, batches: int) -> Task:
        """Return the task with its first batches and one epoch alone, for warming up."""
        size = min(batches * self.batch_size, len(self.train.x))
        train = Rows(self.train.x[:size], self.train.y[:size])
        return replace(self, train=train, data=self.data | {"rows": size}, epochs=1, compare_after=1)


@dataclass(frozen=True)
class Outcome:
    """What a contestant did. ``seconds``: training and evaluation, from fresh weights to the last score."""

    seconds: float
    set_up_seconds: float
    """Before that, once: loaders, compilation, the start of worker processes."""
    members: int
    epochs: int
    steps: int
    """Optimisation steps of one member, as the contestant counted them."""
    score: float
    """After the epoch at which scores are compared: the mean over seeds, for the first rate."""

    @property
    def speed(self) -> float:
        """Model-epochs per second."""
        return self.members * self.epochs / self.seconds


def float32_alone(task: Task) -> str:
    """Say why a contestant takes no part in a row of reduced precision; "" in the other rows."""
    return "" if task.precision == "float32" else "it was set up for float32 alone"


def make_task(workload: Workload, folder: Path | None, device: str = "cpu") -> Task:
    """Prepare a workload for one member; all contestants and seeds get the same split."""
    dataset = workload.dataset(folder)
    data = {"source": workload.source, "split": "fixed", **workload.data}
    prepared = Preparation(dataset).prepare(DataSpec.model_validate(data), 0)
    parts = (prepared.split.train, prepared.split.validation, prepared.train_slice)
    train, validation, measured = (Rows(prepared.x[rows], prepared.y[rows]) for rows in parts)
    return Task(
        model=workload.model,
        optimizer=workload.optimizer,
        batch_size=workload.batch_size,
        epochs=workload.epochs,
        compare_after=workload.epochs,
        seeds=(0,),
        rates=(workload.optimizer["lr"],),
        train=train,
        validation=validation,
        measured=measured,
        dataset=dataset,
        data=data,
        data_folder=folder,
        precision=workload.precision,
        device=device,
    )
