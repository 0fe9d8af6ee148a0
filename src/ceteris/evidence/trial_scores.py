"""What one trial is worth by its validation rows: the score of the network that it hands out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ceteris.evidence.quantities import best_epoch
from ceteris.spec.experiment import Experiment
from ceteris.spec.metrics import Direction, direction

if TYPE_CHECKING:
    from ceteris.records.views import TrialRecord


def validation_score(trial: TrialRecord, experiment: Experiment, metric: str) -> float:
    """Return the validation score of the recorded weights (`recorded_epoch`)."""
    return float(trial.curves[metric][recorded_epoch(trial, experiment) - 1])


def recorded_epoch(trial: TrialRecord, experiment: Experiment) -> int:
    """Return the epoch (from 1) of a trial's recorded weights: the best where training may stop early."""
    early = experiment.early_stopping
    if early.patience is None:
        return len(trial.curves["train_loss"])
    return best_epoch(trial.curves[early.metric], direction(early.metric, experiment.better))


def lower_is_better(trial: TrialRecord, metric: str, better: Direction) -> float:
    """Return a trial's score with its sign such that less is better; infinite for one that diverged."""
    if trial.status == "diverged":
        return math.inf
    score = validation_score(trial, Experiment.model_validate(dict(trial.experiment)), metric)
    if not math.isfinite(score):
        return math.inf
    return score if better == "lower" else -score


def level_scores(trials: Iterable[TrialRecord], metric: str, better: Direction) -> dict[str, float]:
    """Return level -> the mean of its trials' scores, less being better; infinite where one was lost.

    All trials have to have ended.
    """
    scores: dict[str, list[float]] = {}
    for trial in trials:
        scores.setdefault(trial.level, []).append(lower_is_better(trial, metric, better))
    return {level: sum(own) / len(own) for level, own in scores.items()}
