"""What the store gives back: frozen views of runs and trials, the same whoever wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TrialStatus = Literal["pending", "running", "finished", "diverged"]
RunStatus = Literal["running", "finished", "stopped"]


@dataclass(frozen=True)
class TrialRecord:
    """One combination of levels with one seed and one fold, and what came of it.

    In a run that stopped, a trial that had begun reads as ``pending`` with the curves it had
    reached: nothing is running any more, and resume goes on from its last checkpoint.
    """

    identity: str
    """Hash of all that decides the result (``ceteris.records.identity``), in hex."""
    level: str
    """Label of the combination of levels, such as ``0.1`` or ``lr=0.1, width=16``."""
    coordinates: Mapping[str, str]
    """Factor -> level label, in the order of the factors."""
    seed: int
    fold: int
    """0 where there are no folds."""
    status: TrialStatus
    diverged_step: int | None
    """Optimisation step at which the numbers stopped being finite, from 0 over all epochs."""
    curves: Mapping[str, NDArray[np.float64]]
    """Metric -> (epochs done,), read-only; touching damaged ones raises ``CeterisError``."""
    seconds: float
    """Share of the training time."""
    experiment: Mapping[str, Any]
    """The resolved experiment as plain JSON."""


REPETITIONS_TITLE = "A/A"
"""What the titles of runs of A/A repetitions begin with."""
PLAN = "plan"
"""Of a run's facts: how it was laid out when it was last trained."""
REMARK = "remark"
"""Fact of a run: what everybody who reads its verdicts has to know, in one sentence."""
CHANGED = "changed"
"""Fact of a run: whether it is of another study than its file or name says, which options changed."""
DOUBTS = "doubts"
"""Fact of a run: what is probably not meant in rows and networks of the user's own, a sentence each."""
CONSTANT = "constant"
"""Fact of a run: what a constant would reach on the validation rows, for each level by metric."""


@dataclass(frozen=True)
class RunRecord:
    """One execution of a study, with everything that it left behind except the weights."""

    id: str
    """Such as ``20261122-084512-learning-rate-3f2a``."""
    title: str
    status: RunStatus
    """A run whose writer died reads as ``stopped``."""
    created: str
    """ISO 8601, UTC."""
    seconds: float
    """Wall-clock time of all its sessions together."""
    device: str
    """``cpu``, or ``cuda: <name of the card>``."""
    study: Mapping[str, Any]
    """The resolved study as plain JSON."""
    study_name: str
    """Name of the named study or of the file; may be empty."""
    facts: Mapping[str, Any]
    """Facts of the data: name, task, classes, rows per split, content hash."""
    versions: Mapping[str, str]
    """Versions of ceteris, python, the libraries and the randomness scheme."""
    numerics: Mapping[str, Any]
    """What decides the last bits: kernel path, layout, precision, threads."""
    looks: int
    """How often verdicts were looked at with fewer seeds: 0 at first, one more per extension."""
    first_seeds: int
    """Number of seeds before the first extension."""
    folder: Path
    """The folder of this run: its report and its weights."""
    trials: tuple[TrialRecord, ...]
    final_test: Mapping[str, Any] | None = None
    """What the test rows said, when they were last read for this run, as plain JSON."""


@dataclass(frozen=True)
class RunSummary:
    """One line of the list of runs."""

    id: str
    title: str
    status: RunStatus
    created: str
    seconds: float
    trials: int
    finished: int
    diverged: int
    device: str


@dataclass(frozen=True)
class TestReading:
    """One reading of the test rows of a data set."""

    __test__ = False  # the name is the product's word; pytest is not to collect it

    run: str
    purpose: str
    time: str
    """ISO 8601, UTC."""


@dataclass(frozen=True)
class TestReadings:
    """All readings of the test rows of one data set, oldest first (law 4)."""

    __test__ = False

    count: int
    readings: tuple[TestReading, ...]
