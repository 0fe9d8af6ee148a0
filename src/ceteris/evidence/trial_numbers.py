"""Numbers that a trial has as a whole, besides its curves (``ceteris.spec.metrics.OF_TRIALS``)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ceteris.records.views import TrialRecord


def epochs_of(trial: TrialRecord) -> float:
    """Return how many epochs it trained; infinitely many where it diverged, which counts as worst."""
    return math.inf if trial.status == "diverged" else float(_length(trial))


def diverged(trial: TrialRecord) -> float:
    """Return 1 where it diverged, else 0."""
    return float(trial.status == "diverged")


def seconds_per_epoch(trial: TrialRecord) -> float:
    """Return its share of the seconds that its stack trained, per epoch, measuring included."""
    epochs = _length(trial)
    return trial.seconds / epochs if epochs else math.nan


def _length(trial: TrialRecord) -> int:
    return max((len(curve) for curve in trial.curves.values()), default=0)


TRIAL_NUMBERS: Mapping[str, Callable[[TrialRecord], float]] = {
    "epochs": epochs_of,
    "diverged": diverged,
    "seconds_per_epoch": seconds_per_epoch,
}
"""What takes each number from a trial, by its name."""

YES_OR_NO = frozenset({"diverged"})
"""Those that say whether something happened: 0 or 1."""
