"""How one error budget of 5% is shared: Holm's procedure, the intervals that go with it, and extensions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ALPHA = 0.05
"""The chance of a false verdict that a study may run, over all its claims together."""


def level_after(looks: int) -> float:
    """Return the significance level of verdicts that were looked at ``looks`` times before.

    Bonferroni over the looks: each of K = looks + 1 verdicts is judged at 5% / K (the simplest valid
    boundary of a group-sequential design; Armitage, McPherson and Rowe 1969; Pocock 1977 is slightly
    wider for planned looks and needs their number beforehand). The bound is that of the K verdicts
    taken together at this level. The first verdict was given at the full 5%, before anyone knew of an
    extension: whoever would have stopped at it and extends once because it was not established runs a
    total chance of at most 5% + 2.5% (6.6% for 5 and then 10 seeds, simulated).
    """
    return ALPHA / (looks + 1)


def holm_adjust(p: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjust (m,) p values by Holm's step-down procedure: rejected at level a where the result is below a.

    Controls the chance of any false rejection under every dependence of the p values.
    Source: Holm 1979, Scandinavian Journal of Statistics 6:65-70.
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    steps = len(values) - np.arange(len(values))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps * values[order]))
    return adjusted


def adjust_to(p: Sequence[float] | NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Adjust (m,) p values of a family that is judged at ``level``, so that below 5% means rejected."""
    return np.minimum(1.0, holm_adjust(p) * (ALPHA / level))


def adjust_inside(
    p: Sequence[float] | NDArray[np.float64], place: int, inside: NDArray[np.float64], level: float
) -> NDArray[np.float64]:
    """Adjust (k,) p values inside member ``place`` of a family of (m,) that is judged at ``level``.

    Each becomes the smallest level of the whole family at which Holm's procedure, having come to the
    member, would still reject it there: over the steps s up to the member's, the least of
    max(adjusted p of step s - 1, (m - s + 1) p). The member's own p value becomes its `adjust_to`.
    """
    values = np.asarray(p, dtype=np.float64)
    ordered = np.sort(values)
    steps = len(values) - np.arange(len(values))
    before = np.concatenate([[0.0], np.maximum.accumulate(steps * ordered)])
    reached = np.arange(int(np.searchsorted(ordered, values[place], side="left")) + 1)
    found = np.maximum(before[reached, None], steps[reached, None] * inside).min(axis=0)
    return np.asarray(np.minimum(1.0, found * (ALPHA / level)), dtype=np.float64)


def holm_levels(p: Sequence[float] | NDArray[np.float64], alpha: float = ALPHA) -> NDArray[np.float64]:
    """Return, for each of (m,) p values, the level at which Holm's procedure decides its hypothesis.

    The k-th smallest p value is compared with alpha / (m - k + 1); the first that is not below ends the
    procedure, and all larger ones fail at that same step. So with k* the first failing step, hypothesis
    k is decided at alpha / (m - min(k, k*) + 1); equal p values are decided at the first step of theirs.
    It follows that p < level exactly where the Holm-adjusted p is below alpha, and that an interval of
    confidence 1 - level excludes the hypothesised value exactly where Holm's test rejects it.

    What these intervals promise: every one contains its ordinary 1 - alpha interval, so each covers at
    least that often; and the chance that any of the family wrongly excludes its hypothesised value is
    at most alpha. They do not cover simultaneously: intervals that do, and agree with Holm, stick to
    the hypothesised value and tell nothing of the size (Strassburger and Bretz 2008, Statistics in
    Medicine 27:4914-4927; Guilbaud 2008, Biometrical Journal 50:678-692).
    """
    values = np.asarray(p, dtype=np.float64)
    ordered = np.sort(values)
    steps = len(values) - np.arange(len(values))
    failing = ordered >= alpha / steps
    last = int(np.argmax(failing)) if failing.any() else len(values)
    first_of_equals = np.searchsorted(ordered, values, side="left")
    return np.asarray(alpha / (len(values) - np.minimum(first_of_equals, last)), dtype=np.float64)
