"""Where a claim says that an effect lies."""

import math

import pytest

from ceteris.evidence.regions import ABOVE_ZERO, BELOW_ZERO, NOT_ZERO, Region


@pytest.mark.parametrize(
    ("region", "effect", "side", "distance"),
    [
        (ABOVE_ZERO, 0.5, 1, 0.5),
        (ABOVE_ZERO, -0.5, -1, 0.5),
        (BELOW_ZERO, -math.inf, 1, math.inf),
        (NOT_ZERO, -0.5, 1, 0.5),
        (NOT_ZERO, 0.0, 0, 0.0),
        (Region(-1, 1), 0.25, 1, 0.75),
        (Region(-1, 1), -3.0, -1, 2.0),
        (Region(-1, 1), 1.0, 0, 0.0),
        (Region(low=2), 1.5, -1, 0.5),
    ],
)
def test_sides_and_distances(region, effect, side, distance):
    assert region.side(effect) == side
    assert region.distance(effect) == pytest.approx(distance)


def test_bounds_that_an_interval_has_to_clear():
    assert ABOVE_ZERO.bounds == NOT_ZERO.bounds == (0.0,)
    assert Region(-1, 1).bounds == (-1, 1)
    assert Region().bounds == ()
