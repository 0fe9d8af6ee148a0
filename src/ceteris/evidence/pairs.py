"""Paired differences between the levels of a study, metric by metric."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ceteris.evidence.claims import measure
from ceteris.evidence.contrasts import Contrast, Method, pair_contrast
from ceteris.evidence.layout import Layout
from ceteris.evidence.multiplicity import adjust_to, holm_levels, level_after
from ceteris.evidence.observations import Group, Observations, Unit, observe
from ceteris.evidence.quantities import resolution, worst_value
from ceteris.evidence.regions import NOT_ZERO

MOST_LEVELS = 6
"""With more levels than this only neighbours are compared."""


@dataclass(frozen=True)
class Pair:
    """A metric's difference between two levels at the end of training, first minus second, over seeds.

    Decided by the paired t test, adjusted by Holm's procedure over the pairs of one metric (a table of
    its own: not adjusted for the study's claims nor for other metrics). The interval excludes 0 exactly
    where ``p`` is below 0.05. With lost trials ranks decide and there is no interval.
    """

    metric: str
    first: str
    second: str
    n: int
    unit: Unit
    method: Method
    effect: float | None
    sd: float | None
    """Spread of the differences; None with one seed or where ranks decide."""
    low: float | None
    high: float | None
    confidence: float | None
    p: float | None
    p_unadjusted: float | None
    sign_flip_p: float | None
    """Exact; with 5 seeds it cannot go below 0.0625."""
    correlation: float | None
    """Between the two levels over seeds: what sharing the stream reached. None below 3 seeds."""
    seeds_unpaired: int | None
    """Seeds per level with which two groups of different seeds would have had the same standard error."""
    identical: bool


def compare_levels(
    layout: Layout, metric: str, validation_rows: int | None, looks: int = 0
) -> tuple[Pair, ...]:
    """Compare every two levels (neighbours only where there are many) in one metric at the last epoch."""
    groups = [Group(cell, (cell,)) for cell in layout.cells]
    few = len(groups) <= MOST_LEVELS
    chosen = list(itertools.combinations(groups, 2) if few else itertools.pairwise(groups))
    step = resolution(metric, "last", layout.rows_of_unit(validation_rows))
    better = layout.better(metric)
    if math.isnan(worst_value(metric, "last", better)):  # what diverged cannot be ranked
        chosen = [pair for pair in chosen if not _diverged(layout, pair)]
    seen = [observe(layout, (b, a), measure(metric, "last", better)) for a, b in chosen]
    contrasts = [pair_contrast(each, each.labels[0], each.labels[1], NOT_ZERO, step) for each in seen]
    return _adjusted(metric, seen, contrasts, level_after(looks))


def _diverged(layout: Layout, groups: Sequence[Group]) -> bool:
    return any(t.status == "diverged" for t in layout.ended([c for group in groups for c in group.cells]))


def _adjusted(
    metric: str, seen: Sequence[Observations], contrasts: Sequence[Contrast], alpha: float
) -> tuple[Pair, ...]:
    p = [contrast.p for contrast in contrasts if contrast.testable]
    decided = iter(zip(holm_levels(p, alpha), adjust_to(p, alpha), strict=True))
    return tuple(
        _pair(metric, each, contrast, *(map(float, next(decided)) if contrast.testable else (None, math.nan)))
        for each, contrast in zip(seen, contrasts, strict=True)
    )


def _pair(metric: str, seen: Observations, contrast: Contrast, level: float | None, p: float) -> Pair:
    by_t = contrast.estimate is not None and level is not None
    low, high = contrast.limits(level) if level is not None else (math.nan, math.nan)
    first, second = (seen.of(label) for label in contrast.groups)
    sd = contrast.estimate.sd if contrast.estimate is not None else math.nan
    return Pair(
        metric=metric,
        first=contrast.first,
        second=str(contrast.second),
        n=contrast.n,
        unit=contrast.unit,
        method=contrast.method,
        effect=_known(contrast.effect),
        sd=_known(sd),
        low=_known(low),
        high=_known(high),
        confidence=1 - level if by_t and level is not None else None,
        p=_known(p),
        p_unadjusted=_known(contrast.p),
        sign_flip_p=contrast.sign_flip_p,
        correlation=paired_correlation(first, second),
        seeds_unpaired=unpaired_seeds(first, second, sd),
        identical=contrast.identical and contrast.n > 0,
    )


def paired_correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float | None:
    """Return Pearson's correlation of (n,) and (n,) numbers; None below n = 3 or without spread."""
    if len(first) < 3 or not np.isfinite([first, second]).all() or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    x, y = first - np.mean(first), second - np.mean(second)
    size = math.sqrt(float(x @ x) * float(y @ y))
    return float(np.clip(float(x @ y) / size, -1, 1)) if size > 0 else None


def unpaired_seeds(first: NDArray[np.float64], second: NDArray[np.float64], sd: float) -> int | None:
    """Return m with (s1^2 + s2^2) / m = sd^2 / n: the same standard error from two separate groups of m."""
    if len(first) < 2 or not np.isfinite([first, second]).all() or not sd > 0:
        return None
    spread = float(np.var(first, ddof=1) + np.var(second, ddof=1))
    return math.ceil(len(first) * spread / sd**2 * (1 - 1e-12)) or None


def _known(number: float) -> float | None:
    return number if math.isfinite(number) else None
