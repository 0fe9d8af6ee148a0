"""Student's t: means with intervals, tests of a mean, and the spread that rounding hides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit


@dataclass(frozen=True)
class Estimate:
    """A mean of ``n`` values with its standard error; ``sd`` is the spread of one value."""

    mean: float
    sd: float
    se: float
    n: int
    steady: bool = False
    """The values vary less than rounding may hide; ``sd`` is what rounding may hide."""

    @property
    def df(self) -> int:
        """Degrees of freedom of the t distribution."""
        return self.n - 1


def estimate(
    values: Sequence[float] | NDArray[np.float64], *, extra: float = 0.0, least_sd: float = 0.0
) -> Estimate:
    """Estimate the mean of (n,) finite values, n at least 2: standard error sd * sqrt(1/n + extra).

    ``extra`` is what `fold_dependence` adds where the values are folds of one seed. ``least_sd`` is the
    spread that rounding may hide (`rounding_sd`); the spread is never taken for smaller than that, nor
    than the resolution of a float, so that values without any spread give no division by zero.
    """
    x = np.asarray(values, dtype=np.float64)
    if len(x) < 2:
        raise ValueError("a spread needs at least two values")
    seen = float(np.std(x, ddof=1))
    sd = max(seen, least_sd, float(np.finfo(np.float64).eps * np.max(np.abs(x))))
    return Estimate(float(np.mean(x)), sd, sd * math.sqrt(1 / len(x) + extra), len(x), steady=seen < sd)


def fold_dependence(folds: int, *, in_time: bool = False) -> float:
    """Return what to add to 1/n for the folds of one cross-validation: validation rows per training row.

    The training rows of folds overlap, so their results are not independent: the variance of the mean
    over J folds is estimated by (1/J + n2/n1) S^2, with n2 validation and n1 training rows;
    n2/n1 = 1/(J - 1) in cross-validation. Folds in the order of time validate on one of J + 1 blocks and
    train on 1 to J, (J + 1)/2 in the mean, so that n2/n1 is taken as 2/(J + 1).
    Source: Nadeau and Bengio 2003, Machine Learning 52:239-281, section 5, corrected resampled t.
    """
    return 2 / (folds + 1) if in_time else 1 / (folds - 1)


def rounding_sd(resolution: float, terms: int = 1) -> float:
    """Return the standard deviation of the rounding error of a sum or difference of ``terms`` values.

    Each is rounded to a multiple of ``resolution``: uniform errors of variance resolution^2 / 12
    (Sheppard's correction).
    """
    return resolution * math.sqrt(terms / 12)


def interval(mean: Estimate, level: float) -> tuple[float, float]:
    """Return the two-sided t interval of confidence 1 - ``level``."""
    half = -float(stdtrit(mean.df, level / 2)) * mean.se
    return mean.mean - half, mean.mean + half


def p_at_distance(distance: float, mean: Estimate) -> float:
    """Return the two-sided p value of a mean that lies ``distance`` from the hypothesised value.

    It is below ``level`` exactly where the interval of confidence 1 - ``level`` excludes that value.
    """
    if distance == 0:
        return 1.0
    if mean.se == 0:
        return 0.0
    return min(1.0, 2 * float(stdtr(mean.df, -abs(distance) / mean.se)))
