"""What a search found: candidates ranked, how sure the choice is, and by how much its score flatters it.

The best of many candidates is best partly by luck, so the score that it was chosen by reads better than what
it does on rows that did not choose it. That is measured within the search, whose units are seeds, or folds of
the only seed: each unit chooses alone, as a single validation split does, and the others judge; and each unit
is left out of the choosing and judges what the others chose.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ceteris.evidence.layout import Layout, lay_out
from ceteris.evidence.multiplicity import ALPHA
from ceteris.evidence.observations import Unit
from ceteris.evidence.plain import plain
from ceteris.evidence.ranges import cut, metric_range, range_seen
from ceteris.evidence.student import estimate, interval
from ceteris.evidence.trial_scores import lower_is_better
from ceteris.spec.combine import merged_patch
from ceteris.spec.metrics import Direction, direction
from ceteris.spec.patch import own_path
from ceteris.spec.search import Search
from ceteris.spec.space import planned
from ceteris.spec.study import Study

if TYPE_CHECKING:
    from ceteris.records.views import TrialRecord

Scores = NDArray[np.float64]
"""(candidates, units), less being better and infinite for what was lost."""


@dataclass(frozen=True)
class Share:
    """A mean over units with its 95% t interval; none of one unit."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Candidate:
    """One candidate: its settings and what it came to."""

    number: int
    """From 1, in the order in which they were proposed."""
    level: str
    values: Mapping[str, Any]
    """Dotted path of a searched setting -> its value."""
    score: Share | None
    """Of the metric that ranks; None where a trial was lost."""
    behind: Share | None
    """How much worse than the best one, unit by unit; None for itself, and where a trial was lost."""
    chosen_by: int
    """How many units would choose it by their own scores alone."""
    lost: int
    """Units of which a trial diverged."""
    full: bool = True
    """Trained at full size; else it left a round of halving and is not ranked."""


@dataclass(frozen=True)
class Reading:
    """After so many candidates, each unit choosing alone: what the best score reads, and what others say."""

    candidates: int
    read: float
    """Mean over units of their own choice's score on the unit that chose it."""
    judged: float
    """Mean of the same choices' scores on the units that did not choose them."""


@dataclass(frozen=True)
class SearchSummary:
    """Everything that a search found."""

    method: str
    metric: str
    better: Direction
    planned: int
    """Candidates that were asked for."""
    unit: Unit
    units: int
    folds: int
    candidates: tuple[Candidate, ...]
    """Those whose trials have all ended, as they were proposed."""
    best: str | None
    """Level of the candidate with the best mean; None where every one was lost."""
    optimism: Share | None
    """By how much the score of a choice by all units but one reads better on those than on the one left out;
    None with one unit or one candidate."""
    alone: Share | None
    """By how much the score of a choice by one unit alone reads better there than on the others."""
    readings: tuple[Reading, ...]
    """For the first candidate, the first two, and so on; empty with one unit."""

    def ranked(self) -> tuple[Candidate, ...]:
        """Return the candidates trained in full, the best first, lost ones last."""
        sign = 1 if self.better == "lower" else -1
        full = [candidate for candidate in self.candidates if candidate.full]
        return tuple(
            sorted(full, key=lambda c: math.inf if c.score is None else sign * c.score.mean)  # stable
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return dict(plain(self))


def summarise_search(study: Study, trials: Sequence[TrialRecord]) -> SearchSummary | None:
    """Say what a search found; None where the study is none, or no candidate has ended."""
    search = study.search
    if search is None or search.metric is None:
        return None
    better = direction(search.metric, study.experiment.better)
    layout = lay_out(study, trials)
    ended = [label for label in layout.cells if _has_ended(layout, label)]
    if better is None or not ended:
        return None
    sign = 1 if better == "lower" else -1
    full = [label for label in ended if _is_full(study, layout.cells[label])]
    scores = {label: _of_units(layout, label, search.metric, better) for label in ended}
    matrix = np.array([scores[label] for label in full]).reshape(len(full), len(layout.units))
    means = matrix.mean(axis=1)
    best = full[int(np.argmin(means))] if full and np.isfinite(means).any() else None
    choices = Counter(full[place] for place in _own_choices(matrix))
    found = [
        Candidate(
            number=number,
            level=label,
            values=_values(study, search, layout.cells[label]),
            score=_score(sign * scores[label], search.metric, layout.dependence),
            behind=None
            if best in (None, label) or label not in full
            else _share(scores[label] - scores[str(best)], layout.dependence),
            chosen_by=choices[label],
            lost=int(np.isinf(scores[label]).sum()),
            full=label in full,
        )
        for number, label in enumerate(ended, start=1)
    ]
    read, judged = choosing_alone(matrix)
    return SearchSummary(
        method=search.method,
        metric=search.metric,
        better=better,
        planned=planned(search),
        unit="folds" if layout.by_folds else "seeds",
        units=len(layout.units),
        folds=len(layout.folds),
        candidates=tuple(found),
        best=best,
        optimism=_flattery(left_out, matrix, layout.dependence),
        alone=_flattery(choosing_alone, matrix, layout.dependence),
        readings=tuple(
            Reading(count, sign * float(r), sign * float(j))
            for count, (r, j) in enumerate(zip(read.mean(axis=1), judged.mean(axis=1), strict=True), start=1)
            if math.isfinite(r) and math.isfinite(j)
        ),
    )


def left_out(scores: Scores) -> tuple[Scores, Scores]:
    """Let all units but one choose among the first k candidates, and the one left out judge the choice.

    Args:
        scores: (candidates, units), less being better.

    Returns:
        (candidates, units) each, for k from 1 and for each unit left out: the mean score of the choice on the
        units that chose it, and its score on the one that did not. No rows with one unit. A candidate that
        was lost anywhere is never chosen, unless all were.
    """
    return _chosen(scores, alone=False)


def choosing_alone(scores: Scores) -> tuple[Scores, Scores]:
    """Let each unit choose alone among the first k candidates, and the others judge: else as `left_out`."""
    return _chosen(scores, alone=True)


def _chosen(scores: Scores, *, alone: bool) -> tuple[Scores, Scores]:
    count, units = scores.shape
    if units < 2:
        return np.empty((0, units)), np.empty((0, units))
    whole = np.where(np.isinf(scores).any(axis=1, keepdims=True), np.inf, scores)
    read, judged = np.empty_like(whole), np.empty_like(whole)
    for unit in range(units):
        one, others = whole[:, unit], np.delete(whole, unit, axis=1).mean(axis=1)
        chooses, judges = (one, others) if alone else (others, one)
        chosen = np.array([int(np.argmin(chooses[: k + 1])) for k in range(count)], dtype=np.int64)
        read[:, unit], judged[:, unit] = chooses[chosen], judges[chosen]
    return read, judged


def _flattery(
    choose: Callable[[Scores], tuple[Scores, Scores]], scores: Scores, dependence: float
) -> Share | None:
    """Return judged minus read after all candidates, every unit measured from the best candidate there.

    That takes out how hard a unit's rows are: it changes the spread over units and not their mean, in which
    every candidate that is chosen throughout stands as often on the one side as on the other.
    """
    whole = scores[np.isfinite(scores).all(axis=1)]
    if len(whole) < 2 or scores.shape[1] < 2:
        return None
    read, judged = choose(whole)
    best = whole[[int(np.argmin(whole.mean(axis=1)))]]
    best_read, best_judged = choose(best)
    return _share(judged[-1] - best_judged[0] - (read[-1] - best_read[0]), dependence)


def _share(values: Scores, dependence: float) -> Share | None:
    if not np.isfinite(values).all():
        return None
    mean = float(np.mean(values))
    if len(values) < 2:
        return Share(mean, None, None)
    return Share(mean, *interval(estimate(values, extra=dependence), ALPHA))


def _score(values: Scores, metric: str, dependence: float) -> Share | None:
    """Return the mean of a metric; its interval ends where the metric does."""
    found = _share(values, dependence)
    if found is None or found.low is None or found.high is None:
        return found
    return Share(found.mean, *cut(found.low, found.high, range_seen(values, metric_range(metric))))


def _own_choices(scores: Scores) -> list[int]:
    """Return the place of each unit's own best candidate, for units that have one."""
    return [int(np.argmin(column)) for column in scores.T if np.isfinite(column).any()]


def _has_ended(layout: Layout, label: str) -> bool:
    return all(layout.at(label, place) is not None for unit in layout.units for place in unit)


def _of_units(layout: Layout, label: str, metric: str, better: Direction) -> Scores:
    """Return a candidate's score in every unit, its folds averaged."""
    found = []
    for unit in layout.units:
        trials = [trial for place in unit if (trial := layout.at(label, place)) is not None]
        found.append(np.mean([lower_is_better(trial, metric, better) for trial in trials]))
    return np.array(found, dtype=np.float64)


def _values(study: Study, search: Search, row: Mapping[str, str]) -> dict[str, Any]:
    patch = merged_patch(study.vary, row)
    return {path: patch[path] for path in map(own_path, search.space)}


def _is_full(study: Study, row: Mapping[str, str]) -> bool:
    """Tell whether a combination has the size of the base experiment, and is not of an early round."""
    halving = study.search.halving if study.search is not None else None
    if halving is None:
        return True
    patch = merged_patch(study.vary, row)
    if halving.by == "epochs":
        return bool(patch["epochs"] == study.experiment.epochs)
    return bool(patch["data.rows"] == study.experiment.data.rows)
