"""Exact tests: sign flips, signed ranks, counts. No assumption about the shape of a distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, betaincinv

SIGN_FLIP_LIMIT = 32
"""Most values whose 2^n sign flips are enumerated (by halves: two lists of 2^(n/2) sums)."""

Values = Sequence[float] | NDArray[np.float64]


def sign_flip_p(differences: Values) -> float | None:
    """Return the two-sided p value of the mean over all 2^n flips of the signs of (n,) differences.

    Exact where the sign of a difference is a coin flip under the hypothesis, as it is when nothing
    distinguishes the two members of a pair. Cannot go below 2 / 2^n: 0.0625 with 5 differences.
    None beyond `SIGN_FLIP_LIMIT` differences. Source: Fisher 1935, The Design of Experiments, section 21.
    """
    d = np.asarray(differences, dtype=np.float64)
    if len(d) > SIGN_FLIP_LIMIT:
        return None
    rounding = 1e-12 * float(np.sum(np.abs(d)))
    observed = abs(float(np.sum(d))) - rounding
    if observed <= 0:
        return 1.0
    half = len(d) // 2
    first, second = _signed_sums(d[:half]), np.sort(_signed_sums(d[half:]))
    as_far = len(second) - np.searchsorted(second, observed - first, side="left")
    return min(1.0, 2 * float(as_far.sum()) / 2.0 ** len(d))


def _signed_sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums of (k,) values under all 2^k choices of signs."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    return sums


def signed_rank_test(differences: Values) -> tuple[float, int]:
    """Return the two-sided exact p value and the direction (-1, 0, +1) of Wilcoxon's signed-rank test.

    Infinite differences rank as the largest; equal sizes share their mean rank, and the distribution is
    that of the shared ranks under all sign flips, so ties keep it exact. Zeros are left out.
    Source: Wilcoxon 1945, Biometrics Bulletin 1:80-83.
    """
    d = np.asarray(differences, dtype=np.float64)
    d = d[d != 0]
    if len(d) == 0:
        return 1.0, 0
    doubled = _doubled_midranks(np.abs(d))
    positive = int(doubled[d > 0].sum())
    chances = _sum_distribution(doubled)
    tail = min(float(chances[: positive + 1].sum()), float(chances[positive:].sum()))
    return min(1.0, 2 * tail), int(np.sign(2 * positive - int(doubled.sum())))


def _doubled_midranks(sizes: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return twice the rank of each size, ties sharing their mean rank, so that all are integers."""
    ordered = np.sort(sizes)
    below = np.searchsorted(ordered, sizes, side="left")
    up_to = np.searchsorted(ordered, sizes, side="right")
    return np.asarray(below + up_to + 1, dtype=np.int64)


def _sum_distribution(parts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the chance of every sum of a random subset of integer parts, each taken with chance 1/2."""
    chances = np.zeros(int(parts.sum()) + 1)
    chances[0] = 1.0
    for part in parts:
        moved = np.zeros_like(chances)
        moved[part:] = chances[: len(chances) - part]
        chances = (chances + moved) / 2
    return chances


def fisher_p(first: int, second: int, n: int) -> float:
    """Return the two-sided p value for ``first`` against ``second`` events in ``n`` trials each.

    The sum of the hypergeometric chances of all tables no likelier than the observed one. Pairs that
    share a stream tend to fail together, which makes the test conservative.
    Source: Fisher 1935, Journal of the Royal Statistical Society 98:39-82.
    """
    total = first + second
    tables = range(max(0, total - n), min(n, total) + 1)
    chances = {k: math.comb(n, k) * math.comb(n, total - k) / math.comb(2 * n, total) for k in tables}
    return min(1.0, sum(c for c in chances.values() if c <= chances[first] * (1 + 1e-9)))


def sign_test_p(count: int, n: int) -> float:
    """Return the two-sided p value of ``count`` in ``n`` against a chance of one half."""
    return min(1.0, 2 * float(bdtr(min(count, n - count), n, 0.5)))


def binomial_interval(count: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a rate from ``count`` events in ``n`` trials.

    Source: Clopper and Pearson 1934, Biometrika 26:404-413.
    """
    tail = (1 - confidence) / 2
    low = 0.0 if count == 0 else float(betaincinv(count, n - count + 1, tail))
    high = 1.0 if count == n else float(betaincinv(count + 1, n - count, 1 - tail))
    return low, high
