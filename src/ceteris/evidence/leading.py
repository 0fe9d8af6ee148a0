"""The level that came out best: what a study without claims came to, tuning and search above all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ceteris.evidence.assessment import Assessment
from ceteris.evidence.observations import Unit
from ceteris.evidence.plain import plain
from ceteris.evidence.quantities import metric_words
from ceteris.evidence.searched import SearchSummary, Share
from ceteris.evidence.summaries import Summary
from ceteris.evidence.wording import averaged
from ceteris.spec.metrics import Direction

USUAL = ("val_accuracy", "val_loss")


@dataclass(frozen=True)
class Leader:
    """The best level by the mean of a validation metric, which flatters it: the metric chose it."""

    level: str
    of: int
    """How many levels, or candidates of a search, were ranked."""
    metric: str
    better: Direction
    mean: float
    low: float | None
    """Ends of the 95% t interval of the mean; None with one seed and no folds."""
    high: float | None
    n: int
    unit: Unit
    folds: int

    @property
    def words(self) -> str:
        """Which level it is, and by what it was ranked."""
        name, over = metric_words(self.metric), averaged(self.n, self.unit, self.folds).rstrip(",")
        if self.of == 1:
            return f"The mean {name} of the only level, {self.level}, over {over}."
        return f"Best by its mean {name} over {over} ({self.better} is better): {self.level}."

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**plain(self), "words": self.words}


def leading_level(assessment: Assessment, own_metrics: Sequence[str] = ()) -> Leader | None:
    """Return the best level; None where no level has a mean.

    A search is led by its own ranking, other studies by the first of ``own_metrics`` (without ``val_``), else
    by accuracy or loss. A level of which a trial diverged leads only where all have one.
    """
    if assessment.search is not None:
        return _of_search(assessment.search)
    metrics = (*(f"val_{name}" for name in own_metrics), *USUAL)
    ranked = [level for level in assessment.levels if level.finished]
    whole = [level for level in ranked if not level.diverged] or ranked
    for metric in metrics:
        better, known = assessment.better(metric), [level for level in whole if metric in level.metrics]
        if better is None or not known:
            continue
        sign = 1 if better == "lower" else -1
        best = min(known, key=lambda level: sign * level.metrics[metric].last.mean)
        last, count = best.metrics[metric].last, len(assessment.levels)
        return _leader(best.level, last, last.n, metric=metric, better=better, of=count, over=assessment)
    return None


def _of_search(found: SearchSummary) -> Leader | None:
    ranked = found.ranked()
    if found.best is None or ranked[0].score is None or not math.isfinite(ranked[0].score.mean):
        return None
    return _leader(
        found.best,
        ranked[0].score,
        found.units,
        metric=found.metric,
        better=found.better,
        of=len(ranked),
        over=found,
    )


def _leader(
    level: str,
    score: Summary | Share,
    n: int,
    *,
    metric: str,
    better: Direction,
    of: int,
    over: Assessment | SearchSummary,
) -> Leader:
    """Return the leader with its score, a mean over the units of what ranked it."""
    return Leader(level, of, metric, better, score.mean, score.low, score.high, n, over.unit, over.folds)
