"""One comparison of a claim or a table: what it measured, and at which level it is decided.

A comparison is decided at level a where its t interval of confidence 1 - a lies wholly inside the claimed
region (as claimed) or wholly outside (against the claim). Its p value is the smallest such a, so p and
interval cannot disagree, and since the interval misses the truth with chance a at most, no more than that
is the chance of a wrong decision, whichever way. For a difference from 0 this is the two-sided paired t
test; for equality within a margin it is two one-sided tests (Schuirmann 1987, J. Pharmacokin. Biopharm.
15:657-680), each at a/2, so that the same interval can also show that the margin is exceeded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ceteris.evidence.exact import binomial_interval, sign_flip_p, sign_test_p
from ceteris.evidence.observations import Observations, Unit
from ceteris.evidence.power import Seeds, seeds_range
from ceteris.evidence.ranges import ANY, Range, cut, range_seen
from ceteris.evidence.ranks import counts_if_repeated, decided_by_rates, rank_decision, ranks_if_repeated
from ceteris.evidence.regions import Region
from ceteris.evidence.shares import share_p, shares_if_repeated
from ceteris.evidence.student import Estimate, estimate, interval, p_at_distance, rounding_sd

Method = Literal["t", "ranks", "counts", "shares", "none"]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Contrast:
    """One comparison before any adjustment for others."""

    first: str
    second: str | None
    groups: tuple[str, ...]
    """All groups that are compared: one, two, or the four cells of an interaction."""
    region: Region
    n: int
    unit: Unit
    planned: int
    method: Method = "none"
    effect: float = math.nan
    """Mean for ``t`` and ``shares``, median for ranks and counts; NaN where there is no number."""
    p: float = math.nan
    """The level at which the comparison would just be decided; NaN where nothing can be tested."""
    side: int = 0
    """+1 as claimed, -1 against the claim, 0 neither."""
    direction: int = 0
    """Sign of the effect, also where ranks decide and the effect is not a number."""
    inside: int = 0
    """Units inside the region, where counts decide."""
    events: int = 0
    """Units that said yes, where shares decide."""
    differences: tuple[float, ...] = ()
    """Of the pairs, where ranks decide."""
    by_rates: bool = False
    """Where ranks decide: whether it is how many units of each group were lost that does (Fisher's test)."""
    estimate: Estimate | None = None
    log: bool = False
    """The numbers are logarithms: the effect is that of a geometric mean, or of a ratio."""
    possible: Range = ANY
    """The values that a level's mean can have; of differences there are no such ends."""
    sign_flip_p: float | None = None
    identical: bool = False
    """All curves of the two groups agree bit for bit."""
    diverged: tuple[int, ...] = ()
    """Units with a diverged trial, per group."""
    endless: tuple[int, ...] = ()
    """Units with an infinite number, per group: diverged, or never reached what was asked for."""
    undefined: int = 0
    """Complete units left out because the quantity is not defined there."""
    means: tuple[float, ...] = ()
    """Mean of each group over the units; infinite with a lost trial."""
    dependence: float = 0.0
    """What is added to 1/n because units share training rows; 0 for seeds."""

    @property
    def testable(self) -> bool:
        """Whether there is a p value at all."""
        return self.method != "none"

    @property
    def has_interval(self) -> bool:
        """Whether the effect has an interval: ranks and counts give none."""
        return self.estimate is not None or self.method == "shares"

    def limits(self, level: float) -> tuple[float, float]:
        """Return the interval of confidence 1 - ``level``; NaN where ranks or counts decide."""
        if self.method == "shares":
            return binomial_interval(self.events, self.n, 1 - level)
        return (
            (math.nan, math.nan)
            if self.estimate is None
            else cut(*interval(self.estimate, level), self.possible)
        )

    def shown(self, value: float) -> float:
        """Return an effect or limit in the units of the metric, or as a ratio, where it is a logarithm."""
        return float(np.exp(value)) if self.log else value

    def seeds(self, level: float) -> Seeds | None:
        """Return how many seeds would decide an effect of this size with power 0.8; None if undefined.

        Ranks, counts and shares: with how many units like the ones seen an exact test would decide.
        """
        if self.side == 0:
            return None
        if self.method == "ranks":
            lost = (self.endless[0], self.endless[1])
            return Seeds(ranks_if_repeated(self.differences, lost, level))
        if self.method == "counts":
            return Seeds(counts_if_repeated(self.inside, self.n, level))
        if self.method == "shares":
            return Seeds(shares_if_repeated(self.events, self.n, self.region, level))
        if self.estimate is None or self.unit == "folds":
            return None
        gaps = [abs(self.effect - bound) for bound in self.region.bounds]
        return seeds_range(gaps if self.side > 0 else [min(gaps)], self.estimate.sd, self.n, level)


def pair_contrast(
    seen: Observations, first: str, second: str, region: Region, resolution: float = 0.0
) -> Contrast:
    """Compare two groups by their difference, first minus second, within each unit.

    With finite numbers only, the paired t test decides. Otherwise ranks decide about a difference, and
    counts of pairs about equality within a margin. ``resolution`` is the step in which numbers are counted.
    """
    x, y = seen.of(first), seen.of(second)
    base = replace(
        _describe(seen, first, second, region=region), identical=seen.n > 0 and seen.identical(first, second)
    )
    difference = _subtract(x, y)
    if seen.n < 2 or np.isfinite(seen.values[[seen.row[first], seen.row[second]]]).all():
        return _by_t(base, difference, rounding_sd(resolution, 2))
    if region.bounds == (0.0,):
        return _by_ranks(base, difference)
    return _by_counts(base, difference)


def level_contrast(
    seen: Observations,
    label: str,
    region: Region,
    resolution: float = 0.0,
    *,
    possible: Range = ANY,
    yes_or_no: bool = False,
) -> Contrast:
    """Compare the mean of one group with bounds: one-sample t, or counts where a number is infinite.

    The interval is cut to what is ``possible``, and bounds at or beyond an end of that are none: every mean
    keeps them. Nothing is tested where no bound is left. Where every number is a 0 or a 1 that says
    ``yes_or_no``, the exact interval of a share decides.
    """
    values = seen.of(label)
    base = replace(
        _describe(seen, label, region=_to_pass(region, values, possible)),
        possible=range_seen(values, possible),
    )
    if not base.region.bounds:
        return base
    if yes_or_no and seen.n >= 2 and seen.unit == "seeds" and np.isin(values, (0.0, 1.0)).all():
        return _by_share(base, values)
    if seen.n < 2 or np.isfinite(values).all():
        return _by_t(base, values, rounding_sd(resolution))
    return _by_counts(base, values)


def _to_pass(region: Region, values: Values, possible: Range) -> Region:
    """Return a region without the bounds that no value can pass; an infinite one, of a lost trial, passes."""
    least, most = range_seen(values[np.isfinite(values)], possible)
    return region.without_ends(
        -math.inf if (values == -math.inf).any() else least, math.inf if (values == math.inf).any() else most
    )


def interaction_contrast(
    seen: Observations, cells: tuple[str, str, str, str], region: Region, resolution: float = 0.0
) -> Contrast:
    """Compare two differences, (cells[0] - cells[1]) - (cells[2] - cells[3]), within each unit.

    Where a number is infinite there is no difference of differences, and nothing is tested.
    """
    base = _describe(seen, *cells, region=region)
    rows = seen.values[[seen.row[cell] for cell in cells]]
    if not np.isfinite(rows).all():
        return base
    return _by_t(base, (rows[0] - rows[1]) - (rows[2] - rows[3]), rounding_sd(resolution, 4))


def _describe(seen: Observations, *labels: str, region: Region) -> Contrast:
    diverged = tuple(seen.diverged(label) for label in labels)
    endless = tuple(int(np.isinf(seen.of(label)).sum()) for label in labels)
    return Contrast(
        first=labels[0],
        second=labels[1] if len(labels) > 1 else None,
        groups=labels,
        region=region,
        n=seen.n,
        unit=seen.unit,
        planned=seen.planned,
        diverged=diverged,
        endless=endless,
        undefined=seen.undefined,
        dependence=seen.dependence,
        means=tuple(float(np.mean(seen.of(label))) for label in labels) if seen.n else (),
    )


def _subtract(x: Values, y: Values) -> Values:
    """Return x - y, with 0 where both are infinite: neither is worse than the other."""
    tied = np.isinf(x) & np.isinf(y)
    return np.subtract(x, y, out=np.zeros_like(x), where=~tied)


def _by_t(base: Contrast, values: Values, least_sd: float) -> Contrast:
    """Decide by Student's t; one value has an effect but no test."""
    if len(values) == 1 and np.isfinite(values).all():
        return replace(base, effect=float(values[0]))
    if len(values) < 2 or not base.region.bounds:
        return base
    found = estimate(values, extra=base.dependence, least_sd=least_sd)
    flips = base.region.bounds == (0.0,) and base.unit == "seeds"
    return replace(
        base,
        method="t",
        effect=found.mean,
        p=p_at_distance(base.region.distance(found.mean), found),
        side=base.region.side(found.mean),
        direction=int(np.sign(found.mean)),
        estimate=found,
        sign_flip_p=sign_flip_p(values) if flips else None,
    )


def _by_ranks(base: Contrast, difference: Values) -> Contrast:
    """Decide by ranks and rates of loss; the effect is the median difference where that is finite."""
    lost = (base.endless[0], base.endless[1])
    p, direction = rank_decision(difference.tolist(), lost)
    return replace(
        base,
        method="ranks",
        effect=_median(difference),
        p=p,
        side=base.region.side(float(direction)),
        direction=direction,
        differences=tuple(difference.tolist()),
        by_rates=decided_by_rates(difference.tolist(), lost),
    )


def _by_counts(base: Contrast, values: Values) -> Contrast:
    """Decide by whether most units lie inside the region (exact sign test)."""
    inside = sum(base.region.contains(float(value)) for value in values)
    return replace(
        base,
        method="counts",
        effect=_median(values),
        p=sign_test_p(inside, base.n),
        side=int(np.sign(2 * inside - base.n)),
        inside=inside,
    )


def _by_share(base: Contrast, values: Values) -> Contrast:
    """Decide by the exact interval of the share of ones."""
    events = int(values.sum())
    share = events / base.n
    return replace(
        base,
        method="shares",
        effect=share,
        p=share_p(events, base.n, base.region),
        side=base.region.side(share),
        direction=int(share > 0),
        events=events,
    )


def _median(values: Values) -> float:
    """Return the median where it is finite, else NaN."""
    low, high = np.sort(values)[[(len(values) - 1) // 2, len(values) // 2]]
    return float((low + high) / 2) if np.isfinite([low, high]).all() else math.nan
