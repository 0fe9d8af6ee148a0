"""A run as one JSON object: what ``--json`` prints and ``Result.to_dict`` returns (docs/json.md)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ceteris.evidence.assessment import Assessment, Verdict
    from ceteris.evidence.searched import SearchSummary
    from ceteris.evidence.summaries import LevelEvidence, MetricSummary
    from ceteris.records.views import RunRecord, RunSummary, TrialRecord

LOSSES = ("train_loss", "val_loss")
ACCURACIES = ("train_accuracy", "val_accuracy")
CLAIM = (
    "text",
    "verdict",
    "provisional",
    "effect",
    "low",
    "high",
    "p",
    "seeds_needed",
    "seeds_low",
    "seeds_high",
    "explanation",
)
"""What is told of a claim."""
WITHIN = ("level", "verdict", "effect", "low", "high", "confidence", "p", "n")
"""What is told of a claim within a level of the factors that it averages over."""


def run_object(run: RunRecord, assessment: Assessment, report: Path | None) -> dict[str, Any]:
    """Return a run with what it shows; numbers that do not exist are None."""
    from ceteris.api.comparisons import comparison_objects

    names = promised_metrics(run)
    content = {
        "run": run.id,
        "study": run.study_name or run.title,
        "title": run.title,
        "status": run.status,
        "created": run.created,
        "seconds": run.seconds,
        "device": run.device,
        "plan": run.facts.get("plan"),
        "trials": [_trial(trial, names) for trial in run.trials],
        "levels": [_level(level) for level in assessment.levels],
        "claims": [_claim(verdict) for verdict in assessment.verdicts],
        "comparisons": comparison_objects(assessment),
        "notes": list(assessment.notes),
        "search": None if assessment.search is None else search_object(assessment.search),
        "report": None if report is None else str(report),
    }
    finite: dict[str, Any] = without_infinities(content)
    return finite


def search_object(summary: SearchSummary) -> dict[str, Any]:
    """Return what a search found, its candidates from the best to the worst."""
    from ceteris.evidence.plain import plain

    found = summary.to_json()
    return found | {"candidates": [plain(candidate) for candidate in summary.ranked()]}


def promised_metrics(run: RunRecord) -> tuple[str, ...]:
    """Return the metrics that every trial of the run has, whether or not it got that far."""
    return LOSSES if run.facts.get("task") == "regression" else (*LOSSES, *ACCURACIES)


def final_metrics(trial: TrialRecord) -> dict[str, float]:
    """Return the metrics of a trial at the end of its training; empty where it did not get there."""
    if trial.status != "finished":
        return {}
    return {name: float(curve[-1]) for name, curve in trial.curves.items() if len(curve)}


def _trial(trial: TrialRecord, names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "level": trial.level,
        "seed": trial.seed,
        "fold": trial.fold,
        "status": trial.status,
        "diverged_step": trial.diverged_step,
        "metrics": dict.fromkeys(names) | final_metrics(trial),
    }


def _level(level: LevelEvidence) -> dict[str, Any]:
    return {
        "level": level.level,
        "planned": level.planned,
        "finished": level.finished,
        "diverged": level.diverged,
        "metrics": {name: _summary(summary) for name, summary in level.metrics.items()},
    }


def _summary(summary: MetricSummary) -> dict[str, Any]:
    last, best = summary.last, summary.best
    return {
        "mean": last.mean,
        "low": last.low,
        "high": last.high,
        "best": None if best is None else best.mean,
        "best_epoch": None if best is None else best.epoch,
    }


def _claim(verdict: Verdict) -> dict[str, Any]:
    return {name: getattr(verdict, name) for name in CLAIM} | {
        "depends_on": list(verdict.depends_on),
        "within": [{name: getattr(each, name) for name in WITHIN} for each in verdict.within],
    }


def runs_object(runs: tuple[RunSummary, ...], folder: Path) -> dict[str, Any]:
    """Return the list of runs as one JSON object."""
    fields = ("id", "title", "status", "created", "seconds", "trials", "finished", "diverged", "device")
    return {"folder": str(folder), "runs": [{name: getattr(run, name) for name in fields} for run in runs]}


def without_infinities(value: Any) -> Any:
    """Return plain JSON values, with None for NaN and infinities, and lists for tuples."""
    if isinstance(value, Mapping):
        return {str(key): without_infinities(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [without_infinities(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
