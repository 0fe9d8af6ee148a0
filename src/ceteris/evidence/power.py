"""How many seeds a verdict would take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import chdtri, gammaincc, stdtrit

POWER = 0.8
"""The chance of establishing an effect of the observed size that `seeds_needed` aims at."""

SEEDS_CAP = 1000
"""Beyond this many seeds the answer is "more than 1000"."""

SPREAD_LEVEL = 0.05
"""The interval of the spread, from which a range of seeds is told, has a confidence of 1 minus this."""


class Seeds(NamedTuple):
    """How many seeds a verdict would take; None where that is more than `SEEDS_CAP`, or not known."""

    needed: int | None
    """If the spread is the one that was seen."""
    low: int | None = None
    """If it is at the lower end of its interval."""
    high: int | None = None
    """If it is at the upper end."""


_Z = np.linspace(-8, 8, 1001)
_WEIGHTS = np.exp(-(_Z**2) / 2) / np.exp(-(_Z**2) / 2).sum()
"""Points of a standard normal and their weights (trapezoid rule, exact to rounding for smooth functions)."""


def power(distances: Sequence[float], sd: float, n: int, level: float) -> float:
    """Return the chance that a t interval of confidence 1 - ``level`` from ``n`` values clears all bounds.

    ``distances`` are those of the true mean from each bound that the interval has to clear (one for a
    comparison with 0; two for equality within a margin). Noncentral t for each bound; for two the sum
    of the misses is taken off (Boole's inequality), which errs towards too little power.
    The chance of a miss is that of (Z + shift) / S <= critical, Z normal and S^2 a chi-square over its
    degrees of freedom, summed over Z (scipy's noncentral t is 1 instead of 0 for some large shifts).
    Source: Owen 1968, Technometrics 10:445-478; Phillips 1990, J. Pharmacokin. Biopharm. 18:137-144.
    """
    critical = -float(stdtrit(n - 1, level / 2))
    misses = sum(_miss(min(abs(d) / sd * math.sqrt(n), 1e150), n - 1, critical) for d in distances)
    return max(0.0, 1 - misses)


def _miss(shift: float, df: int, critical: float) -> float:
    """Return the chance that a noncentral t with this shift is no larger than ``critical``."""
    least = np.maximum(0, _Z + shift) / critical
    return float(_WEIGHTS @ gammaincc(df / 2, df / 2 * least**2))


def seeds_needed(distances: Sequence[float], sd: float, level: float) -> int | None:
    """Return the fewest seeds that reach a power of `POWER` if mean and spread are as observed.

    None where the mean lies on a bound, or where more than `SEEDS_CAP` would be needed.
    """
    if not all(distances):
        return None
    if sd == 0:
        return 2
    high = 2
    while power(distances, sd, high, level) < POWER:
        if high == SEEDS_CAP:
            return None
        high = min(2 * high, SEEDS_CAP)
    low = max(1, high // 2)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(distances, sd, middle, level) >= POWER else (middle, high)
    return high


def seeds_range(distances: Sequence[float], sd: float, n: int, level: float) -> Seeds | None:
    """Return how many seeds reach a power of `POWER`, with the range that ``n`` seeds leave of the spread.

    The 95% interval of a standard deviation from n normal values goes from sd sqrt(df / c(0.975)) to
    sd sqrt(df / c(0.025)), with df = n - 1 and c the quantiles of chi-square: 0.5 to 6.3 times sd for n = 3,
    0.6 to 2.9 for n = 5, 0.7 to 1.8 for n = 10. Seeds go with its square. The lower end is above ``n``, which
    did not do. None where the mean lies on a bound.
    Source: the pivot (n - 1) s^2 / sigma^2, as in Mood, Graybill and Boes 1974, section VIII.3.
    """
    if not all(distances):
        return None
    tails = SPREAD_LEVEL / 2, 1 - SPREAD_LEVEL / 2
    least, most = (math.sqrt((n - 1) / float(chdtri(n - 1, tail))) for tail in tails)
    low, needed, high = (seeds_needed(distances, factor * sd, level) for factor in (least, 1.0, most))
    return Seeds(needed, None if low is None else max(low, n + 1), high)
