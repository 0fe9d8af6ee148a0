"""What training tells the outside: plain data, sent from worker processes to the lab."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Tensors = Mapping[str, NDArray[np.floating]]
State = Mapping[str, NDArray[np.generic]]
"""The state of one member between two epochs: arrays by name."""


@dataclass(frozen=True)
class Progress:
    """How far a shard of a cohort is; sent a few times a second.

    ``loss`` and ``accuracy`` are the running means of this epoch over the shard's members;
    ``model_steps`` counts optimisation steps times members since the shard began.
    """

    cohort: int
    epoch: int
    epochs: int
    step: int
    steps: int
    members: int
    loss: float
    accuracy: float | None
    model_steps: int


@dataclass(frozen=True)
class EpochMeasured:
    """The measurements of one finished epoch: ``numbers`` (trials, names)."""

    cohort: int
    epoch: int
    names: tuple[str, ...]
    identities: tuple[str, ...]
    numbers: NDArray[np.float64]

    @property
    def rows(self) -> Mapping[str, NDArray[np.float64]]:
        """Identity -> the trial's vector in the order of ``names``."""
        return dict(zip(self.identities, self.numbers, strict=True))


@dataclass(frozen=True)
class EpochsMeasured:
    """Consecutive epochs of the same trials: ``numbers`` (epochs, trials, names), from epoch ``first`` on."""

    cohort: int
    first: int
    names: tuple[str, ...]
    identities: tuple[str, ...]
    numbers: NDArray[np.float64]

    def singly(self) -> Iterator[EpochMeasured]:
        """Yield the epochs one by one."""
        for place, numbers in enumerate(self.numbers):
            yield EpochMeasured(self.cohort, self.first + place, self.names, self.identities, numbers)


@dataclass(frozen=True)
class ArraysMeasured:
    """What was asked for of an epoch (0: before training): identity -> (kind, name) -> array."""

    epoch: int
    rows: Mapping[str, Mapping[tuple[str, str], NDArray[np.generic]]]


@dataclass(frozen=True)
class TrialEnded:
    """A trial has finished or diverged; with its initial and final tensors by name."""

    identity: str
    status: Literal["finished", "diverged"]
    diverged_step: int | None
    seconds: float
    initial: Tensors
    final: Tensors


CHECKPOINT_SECONDS = 0.25
"""The least time between two checkpoints of a shard, unless another is asked for."""


class Checkpoint(NamedTuple):
    """All that a trial needs to go on after ``epochs`` epochs, as flat arrays by name.

    They may be views of what is trained on: they hold until training goes on.
    """

    identity: str
    epochs: int
    arrays: State


@dataclass(frozen=True)
class Timed:
    """What training took on the processor: its seconds (see ``timing``), shared out among the members."""

    members: int
    """How many the stack began with."""
    threads: int
    """How many threads may have shared the work."""
    step: float
    """Of one optimisation step."""
    row: float
    """Of evaluating one row."""
    epoch: float
    """Of what an epoch takes besides: orders of rows, and what is measured of weights."""


Message = Progress | EpochMeasured | EpochsMeasured | ArraysMeasured | TrialEnded | Timed
