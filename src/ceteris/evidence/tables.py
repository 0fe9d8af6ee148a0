"""The table of an assessment as rows of strings."""

from __future__ import annotations

from collections.abc import Sequence

from ceteris.evidence.assessment import Assessment
from ceteris.evidence.summaries import LevelEvidence, Summary
from ceteris.evidence.wording import number, numbers

Rows = list[tuple[str, ...]]
"""The first row holds the headings."""


def level_rows(assessment: Assessment, metrics: Sequence[str]) -> Rows:
    """Return one row per level: seeds that finished, and each metric at the end with its interval."""
    rows: Rows = [("level", "seeds", *metrics)]
    for level in assessment.levels:
        rows.append((level.level, _ended(level), *(_cell(level, metric) for metric in metrics)))
    return rows


def _ended(level: LevelEvidence) -> str:
    seeds = f"{level.finished} of {level.planned}"
    return f"{seeds}, {level.diverged} diverged" if level.diverged else seeds


def _cell(level: LevelEvidence, metric: str) -> str:
    return mean_words(level.metrics[metric].last) if metric in level.metrics else "-"


def mean_words(summary: Summary) -> str:
    """Write a mean with its interval: ``0.412 (0.398 to 0.426)``."""
    if summary.low is None or summary.high is None:
        return number(summary.mean)
    mean, low, high = numbers(summary.mean, summary.low, summary.high)
    return f"{mean} ({low} to {high})"
