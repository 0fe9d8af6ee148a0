"""The final assessment: which level the validation rows choose, and what the test rows say of it.

Or which was named beforehand: where no rows were kept for validation, nothing else may choose.

Choosing and judging use different rows, so a score on the test rows is not flattered by the choice. How
often another seed would have chosen another level, and by how much the validation score of a choice
flatters it, are measured beside it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ceteris.evidence.multiplicity import ALPHA
from ceteris.evidence.ranges import cut, metric_range, range_seen
from ceteris.evidence.student import estimate, interval
from ceteris.evidence.summaries import accuracy_error
from ceteris.evidence.wording import number
from ceteris.spec.metrics import Direction

VALIDATION, TEST = "val_", "test_"


@dataclass(frozen=True)
class Scored:
    """One trial: its metric on the validation rows that chose, and its metrics on the test rows."""

    level: str
    seed: int
    fold: int
    validation: float
    test: Mapping[str, float]
    """By name: ``test_loss``, ``test_accuracy``, ..."""


@dataclass(frozen=True)
class Mean:
    """A mean over ``n`` seeds with its 95% t interval; none of one seed."""

    mean: float
    low: float | None
    high: float | None
    n: int
    sampling_error: float | None = None
    """Of an accuracy: what comes from the rows being a sample alone, sqrt(p (1 - p) / rows)."""


@dataclass(frozen=True)
class LevelOnTest:
    """What one level came to on the rows that chose and on the test rows."""

    level: str
    validation: Mean | None
    test: Mapping[str, Mean]
    chosen_by: int
    """How many seeds, each by its own validation score, would choose this level."""


@dataclass(frozen=True)
class Selection:
    """The level that the validation scores choose, and how sure that choice is; or the one that was named."""

    metric: str | None
    """The validation metric that chose; None where the level was named."""
    better: Direction | None
    chosen: str
    levels: tuple[LevelOnTest, ...]
    seeds: int
    """Seeds that have a choice: those of which every level finished."""
    flattery: Mean | None
    """How much better the metric of each seed's own choice reads on its validation rows than on the test
    rows; None where the test rows do not have it."""


def averaged_sentence(average: Mapping[str, Any], alone: Mapping[str, float]) -> str:
    """Say what a level's networks are worth on the test rows as one model; empty where nothing was measured.

    Of targets that each network scaled in its own way the average has no loss.

    Args:
        average: ``level``, ``networks`` and test metrics of the averaged predictions.
        alone: the means of the same metrics over the networks by themselves.
    """
    measured = [name for name in average if name.startswith(TEST)]
    name = next((one for one in (f"{TEST}accuracy", f"{TEST}loss", *measured) if one in measured), None)
    if name is None:
        return ""
    words = name.replace("_", " ")
    value = number(average[name])
    told = f"the average of predictions over the {average['networks']} networks of {average['level']} "
    if name not in alone:
        return f"{told}has a {words} of {value}"
    return f"{told}has a {words} of {value}; the networks alone have {number(alone[name])} on average"


def select(
    scored: Sequence[Scored],
    metric: str,
    better: Direction,
    rows: int,
    among: Collection[str] | None = None,
) -> Selection:
    """Choose by the mean validation score, and judge by the test scores.

    Args:
        scored: the finished trials; folds of one seed are averaged.
        metric: the validation metric that chooses, such as ``val_accuracy``.
        better: which of its values are the better ones.
        rows: number of test rows.
        among: the levels that may be chosen; all of them where it is None.

    Raises:
        ValueError: where no such trial has a finite validation score.
    """
    levels = list(dict.fromkeys(one.level for one in scored))
    scores = {level: _by_seed(scored, level) for level in levels}
    choosing = {
        level: {s: v for s, (v, _) in own.items()}
        for level, own in scores.items()
        if among is None or level in among
    }
    means = {level: np.mean(list(own.values())) for level, own in choosing.items()}
    known = {level: float(mean) for level, mean in means.items() if math.isfinite(mean)}
    if not known:
        raise ValueError(f"no trial has a finite {metric}")
    choices = _choices(choosing, better)
    counts = Counter(choices.values())
    return Selection(
        metric=metric,
        better=better,
        chosen=_best(known, better),
        levels=tuple(_level(level, scores[level], rows, counts[level], metric) for level in levels),
        seeds=len(choices),
        flattery=_flattery(scores, choices, metric, better),
    )


def named(scored: Sequence[Scored], level: str, rows: int) -> Selection:
    """Judge one level by the test scores, without a choice; arguments as for `select`."""
    own = _level(level, _by_seed(scored, level), rows, 0)
    return Selection(None, None, level, (own,), 0, None)


def _best(values: Mapping[str, float], better: Direction) -> str:
    """Return the key of the best value; the first of equals."""
    sign = 1 if better == "lower" else -1
    return min(values, key=lambda key: sign * values[key])


def _by_seed(scored: Sequence[Scored], level: str) -> dict[int, tuple[float, dict[str, float]]]:
    """Return seed -> (validation, test metrics) of a level, averaged over folds."""
    of_level = [one for one in scored if one.level == level]
    found = {}
    for seed in dict.fromkeys(one.seed for one in of_level):
        own = [one for one in of_level if one.seed == seed]
        names = [name for name in own[0].test if all(name in one.test for one in own)]
        tests = {name: float(np.mean([one.test[name] for one in own])) for name in names}
        found[seed] = float(np.mean([one.validation for one in own])), tests
    return found


def _choices(scores: Mapping[str, Mapping[int, float]], better: Direction) -> dict[int, str]:
    """Return seed -> the level with its best score, for seeds that have a score of every level."""
    common = set.intersection(*(set(own) for own in scores.values()))
    choices = {}
    for seed in sorted(common):
        own = {level: scores[level][seed] for level in scores if math.isfinite(scores[level][seed])}
        if own:
            choices[seed] = _best(own, better)
    return choices


def _level(
    level: str,
    scores: Mapping[int, tuple[float, Mapping[str, float]]],
    rows: int,
    chosen_by: int,
    metric: str = "",
) -> LevelOnTest:
    names = dict.fromkeys(name for _, tests in scores.values() for name in tests)
    test = {
        name: found
        for name in names
        if (found := _mean([t[name] for _, t in scores.values() if name in t], name, rows)) is not None
    }
    return LevelOnTest(level, _mean([v for v, _ in scores.values()], metric, 0), test, chosen_by)


def _flattery(
    scores: Mapping[str, Mapping[int, tuple[float, Mapping[str, float]]]],
    choices: Mapping[int, str],
    metric: str,
    better: Direction,
) -> Mean | None:
    name = TEST + metric.removeprefix(VALIDATION)
    sign = 1 if better == "higher" else -1
    pairs = [scores[level][seed] for seed, level in choices.items()]
    return _mean([sign * (v - tests[name]) for v, tests in pairs if name in tests], "", 0)


def _mean(values: Sequence[float], name: str, rows: int) -> Mean | None:
    """Return the mean of finite values with its interval; None where there is none."""
    if not values or not np.isfinite(values).all():
        return None
    mean = float(np.mean(values))
    error = accuracy_error(mean, rows) if name.endswith("accuracy") and rows else None
    if len(values) < 2:
        return Mean(mean, None, None, len(values), error)
    low, high = cut(*interval(estimate(values), ALPHA), range_seen(values, metric_range(name)))
    return Mean(mean, low, high, len(values), error)
