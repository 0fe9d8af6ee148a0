"""The values that a metric can have, and intervals of its mean that stay among them.

A t interval is symmetric, and of few seeds it may reach below 0 where a loss cannot. It is cut there. Its
cover stays what it was, since the true mean lies inside the range, and it stays an interval of the mean that
is told (one computed on logarithms or logits would be of a geometric mean, or of none). Differences between
levels are left as they are: they have no such ends.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ceteris.evidence.quantities import GAP_SIZES, metric_words
from ceteris.spec.claim import Take
from ceteris.spec.metrics import OF_TRIALS, PROVIDED_METRICS, without_rows
from ceteris.spec.probes import GRADIENT_NOISE, probe_parts

Range = tuple[float, float]

ANY: Range = (-math.inf, math.inf)
SHARE: Range = (0.0, 1.0)
POSITIVE: Range = (0.0, math.inf)

SHARES = ("accuracy", "diverged", "zeros", "dead")
SIGNED_FAMILIES = ("activation_mean",)
NEVER_NEGATIVE = (
    "loss",
    *PROVIDED_METRICS,
    "lr",
    "penalty",
    "grad_norm",
    "weight_norm",
    "weight_error",
    "bias_error",
    GRADIENT_NOISE,
    *GAP_SIZES,
    *OF_TRIALS,
)
"""What is a size or a count. A user's own metric has a name of its own, and no range that is known."""


def metric_range(metric: str, at: Take = "last") -> Range:
    """Return the least and the largest value that a metric can have; infinite where there is no such end."""
    if at in ("fluctuation", "epochs_until"):
        return POSITIVE
    if at not in ("first", "last", "best"):
        return ANY
    probe = probe_parts(metric)
    name = probe[0] if probe else without_rows(metric.removeprefix("test_"))
    if name in SHARES:
        return SHARE
    if probe:
        return ANY if name in SIGNED_FAMILIES else POSITIVE
    return POSITIVE if name in NEVER_NEGATIVE else ANY


def range_seen(values: ArrayLike, possible: Range) -> Range:
    """Return the range that values keep; none where one of them does not (negative log-likelihoods may)."""
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    inside = bool((known >= possible[0]).all() and (known <= possible[1]).all())
    return possible if inside else ANY


def cut(low: float, high: float, possible: Range) -> tuple[float, float]:
    """Cut an interval to what is possible; NaN stays NaN."""
    return (low if math.isnan(low) else max(possible[0], low)), (
        high if math.isnan(high) else min(possible[1], high)
    )


def cut_words(metric: str, mean: float, interval: tuple[float, float], possible: Range) -> str:
    """Say where the interval of a mean was cut: "no validation loss lies below 0"; empty where it was not."""
    least, most = possible
    name = metric_words(metric)
    if interval[0] == least < mean:
        return f"no {name} lies below {least:g}"
    return f"no {name} lies above {most:g}" if interval[1] == most > mean else ""
