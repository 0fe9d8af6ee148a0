"""Decisions about the share of seeds in which something happened, such as a divergence.

Each seed says yes or no, so that its mean has no normal spread: five of five say little about a chance of
0.5, and no interval of a share leaves 0 to 1. The interval is the exact one of Clopper and Pearson, and p
the level at which it would just exclude the bounds of the claim.
"""

from __future__ import annotations

from scipy.special import bdtr, bdtrc

from ceteris.evidence.ranks import units_if_repeated
from ceteris.evidence.regions import Region


def share_p(events: int, n: int, region: Region) -> float:
    """Return the level at which the interval of a share lies wholly inside, or outside, a region.

    Args:
        events: how many of ``n`` units it happened in.
        region: the shares that agree with the claim; not ``but_zero``.
    """
    share = events / n
    if region.contains(share):
        return max(
            _tail_above(events, n, region.low) if region.low >= 0 else 0.0,
            _tail_below(events, n, region.high) if region.high <= 1 else 0.0,
        )
    return _tail_below(events, n, region.low) if share <= region.low else _tail_above(events, n, region.high)


def _tail_above(events: int, n: int, bound: float) -> float:
    """Return twice the chance of so many events or more where their rate is ``bound``."""
    if bound >= 1:
        return 1.0
    return 1.0 if events == 0 else min(1.0, 2 * float(bdtrc(events - 1, n, max(bound, 0.0))))


def _tail_below(events: int, n: int, bound: float) -> float:
    """Return twice the chance of so many events or fewer where their rate is ``bound``."""
    if bound <= 0:
        return 1.0
    return min(1.0, 2 * float(bdtr(events, n, min(bound, 1.0))))


def shares_if_repeated(events: int, n: int, region: Region, level: float) -> int | None:
    """Return how many units like these would decide at ``level``."""
    return units_if_repeated(n, level, lambda times: share_p(events * times, n * times, region))
