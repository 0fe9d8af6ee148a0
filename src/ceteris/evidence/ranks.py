"""Decisions where a number is infinite: a trial diverged, or never reached what was asked for.

No average exists then. Two exact tests look at the pairs: signed ranks see by how much they differ, a lost
trial further than any other; Fisher's test sees how many of each group were lost. The smaller p is doubled
(Bonferroni). With 5 pairs the ranks alone cannot go below 0.0625, the rates can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ceteris.evidence.exact import fisher_p, sign_test_p, signed_rank_test

REPEATS_CAP = 200
"""Most units to which a sample is repeated in search of a decision."""


def rank_decision(differences: Sequence[float], lost: tuple[int, int]) -> tuple[float, int]:
    """Return p and direction (-1, 0, +1) of (n,) differences, some infinite; ``lost`` of n in each group."""
    d = np.asarray(differences, dtype=np.float64)
    ranks = signed_rank_test(d)
    rate = fisher_p(*lost, len(d)), int(np.sign(np.sign(d[np.isinf(d)]).sum()))
    p, direction = min(ranks, rate, key=lambda test: test[0])
    return min(1.0, 2 * p), direction


def decided_by_rates(differences: Sequence[float], lost: tuple[int, int]) -> bool:
    """Tell whether the p value of `rank_decision` is that of how many were lost, not that of the ranks."""
    return fisher_p(*lost, len(differences)) < signed_rank_test(differences)[0]


def units_if_repeated(n: int, level: float, p_of: Callable[[int], float]) -> int | None:
    """Return how many units would be decided at ``level`` if the n seen repeated themselves.

    ``p_of`` gives the p value of the sample taken k times. None beyond `REPEATS_CAP` units.
    """
    low, high = 1, REPEATS_CAP // n
    if high < 2 or p_of(high) >= level:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if p_of(middle) < level else (middle, high)
    return high * n


def ranks_if_repeated(differences: Sequence[float], lost: tuple[int, int], level: float) -> int | None:
    """Return how many pairs like these ranks would decide at ``level``."""

    def p_of(times: int) -> float:
        return rank_decision(tuple(differences) * times, (lost[0] * times, lost[1] * times))[0]

    return units_if_repeated(len(differences), level, p_of)


def counts_if_repeated(inside: int, n: int, level: float) -> int | None:
    """Return how many units like these the sign test would decide at ``level``."""
    return units_if_repeated(n, level, lambda times: sign_test_p(inside * times, n * times))
