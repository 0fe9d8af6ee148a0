"""The table of levels: every mean with its interval, the best epoch beneath the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ceteris.evidence.assessment import Assessment
from ceteris.evidence.summaries import LevelEvidence, MetricSummary, Summary
from ceteris.evidence.wording import averaged
from ceteris.report.numbers import with_interval
from ceteris.report.titles import ordered, title_of


@dataclass(frozen=True)
class Cell:
    """One metric of one level: the mean after the last epoch, its interval, the best epoch and its value."""

    mean: str
    interval: str = ""
    best: str = ""
    epoch: str = ""


@dataclass(frozen=True)
class LevelRow:
    """One level of the table."""

    level: str
    cells: tuple[Cell, ...]
    trials: str


@dataclass(frozen=True)
class LevelTable:
    """The table of levels as it is shown."""

    factor: str
    metrics: tuple[str, ...]
    rows: tuple[LevelRow, ...]
    hint: str


def table_metrics(levels: Sequence[LevelEvidence]) -> tuple[str, ...]:
    """Return the metrics of the table: accuracies, losses and the user's own, where measured."""
    found = dict.fromkeys(name for level in levels for name in level.metrics)
    return ordered([n for n in found if n.startswith(("val_", "train_")) and not n.endswith("_running")])


def level_table(assessment: Assessment) -> LevelTable:
    """Lay the levels out as a table."""
    metrics = table_metrics(assessment.levels)
    rows = tuple(_row(level, metrics) for level in assessment.levels)
    factors = ", ".join(assessment.levels[0].coordinates) if assessment.levels else ""
    return LevelTable(factors or "Level", tuple(map(title_of, metrics)), rows, _hint(assessment))


def _row(level: LevelEvidence, metrics: Sequence[str]) -> LevelRow:
    cells = tuple(_cell(metric, level.metrics.get(metric)) for metric in metrics)
    return LevelRow(level.level, cells, _trials(level))


def _cell(metric: str, summary: MetricSummary | None) -> Cell:
    if summary is None:
        return Cell("–")
    mean, _, interval = _estimate(summary.last).partition(" ")
    if metric.startswith("train_") or summary.best is None:  # nobody stops where the training loss is lowest
        return Cell(mean, interval)
    return Cell(mean, interval, f"best {_estimate(summary.best)}", f"at epoch {summary.best.epoch:g}")


def _estimate(summary: Summary) -> str:
    return with_interval(summary.mean, summary.low, summary.high)


def _trials(level: LevelEvidence) -> str:
    parts = [f"{level.finished} finished"] if level.finished or not level.diverged else []
    parts += [f"{level.diverged} diverged"] if level.diverged else []
    waiting = level.planned - level.finished - level.diverged
    return ", ".join([*parts, *([f"{waiting} to come"] if waiting else [])])


def _hint(assessment: Assessment) -> str:
    most = max((level.finished for level in assessment.levels), default=0)
    if most == 0:
        return "No trial has finished, so there are no means."
    one = assessment.unit[:-1]
    if most == 1:
        return (
            f"After the last epoch; beneath it the best epoch. One {one} has no interval: "
            "it cannot tell an effect from chance."
        )
    over = averaged(most, assessment.unit, assessment.folds)
    mean = f"Mean over {over} after the last epoch, with its 95% interval."
    if not any(name.startswith("val_") for level in assessment.levels for name in level.metrics):
        return mean
    return (
        f"{mean} Beneath a validation mean stands that of each {one}'s best epoch, flattered by having been "
        "chosen, and the median of those epochs."
    )
