"""How many seeds a verdict would take."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy.special import nctdtr, stdtrit

POWER = 0.8
"""The chance of establishing an effect of the observed size that `seeds_needed` aims at."""

SEEDS_CAP = 1000
"""Beyond this many seeds the answer is "more than 1000"."""

FAR = 1e6
"""A noncentrality at which no test misses; beyond it the distribution is not computed."""


def power(distances: Sequence[float], sd: float, n: int, level: float) -> float:
    """Return the chance that a t interval of confidence 1 - ``level`` from ``n`` values clears all bounds.

    ``distances`` are those of the true mean from each bound that the interval has to clear (one for a
    comparison with 0; two for equality within a margin). Noncentral t for each bound; for two the sum
    of the misses is taken off (Boole's inequality), which errs towards too little power.
    Source: Owen 1968, Technometrics 10:445-478; Phillips 1990, J. Pharmacokin. Biopharm. 18:137-144.
    """
    critical = -float(stdtrit(n - 1, level / 2))
    shifts = [min(abs(d) / sd * math.sqrt(n), FAR) for d in distances]
    misses = sum(float(nctdtr(n - 1, shift, critical)) for shift in shifts)
    return max(0.0, 1 - misses)


def seeds_needed(distances: Sequence[float], sd: float, level: float) -> int | None:
    """Return the fewest seeds that reach a power of `POWER` if mean and spread are as observed.

    None where the mean lies on a bound, or where more than `SEEDS_CAP` would be needed.
    """
    if not all(distances):
        return None
    if sd == 0:
        return 2
    if power(distances, sd, SEEDS_CAP, level) < POWER:
        return None
    low, high = 1, SEEDS_CAP
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(distances, sd, middle, level) >= POWER else (middle, high)
    return high
