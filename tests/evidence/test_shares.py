"""Shares of seeds in which something happened: exact intervals inside 0 to 1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceteris.evidence.exact import binomial_interval
from ceteris.evidence.regions import Region
from ceteris.evidence.shares import share_p, shares_if_repeated

from .made import claim, judged

SOME = [0.40, 0.42, 0.39, 0.41, 0.43, 0.40, 0.42, 0.39, 0.41, 0.43]


@given(
    n=st.integers(2, 40),
    share=st.floats(0, 1),
    bounds=st.tuples(st.floats(0.01, 0.98), st.floats(0.01, 0.98)).filter(lambda b: abs(b[0] - b[1]) > 0.01),
    open_end=st.sampled_from(["low", "high", "neither"]),
    level=st.sampled_from([0.05, 0.01, 0.003]),
)
def test_p_is_below_a_level_exactly_where_the_interval_excludes_the_bounds(n, share, bounds, open_end, level):
    events = round(share * n)
    low, high = min(bounds), max(bounds)
    region = {"low": Region(high=high), "high": Region(low=low), "neither": Region(low, high)}[open_end]
    p = share_p(events, n, region)
    if abs(p - level) < 1e-9:
        return
    a, b = binomial_interval(events, n, 1 - level)
    inside = region.low < a and b < region.high
    outside = b < region.low or a > region.high
    assert (p < level) == (inside or outside)


def test_five_of_five_do_not_show_that_more_than_half_diverge():
    found = judged({"large": [None] * 5}, claim("diverged", within={"low": 0.5})).verdicts[0]
    assert (found.verdict, found.method, found.effect) == ("not established", "shares", 1)
    assert found.p == pytest.approx(2 * 0.5**5)
    assert (found.low, found.high) == pytest.approx((0.025**0.2, 1))
    assert found.explanation == (
        "with large the share of trials that diverged is 1.00 (95% interval 0.48 to 1.00, 5 seeds, "
        "p = 0.0625), which does not settle whether it is inside the range above 0.5: not established; "
        "10 seeds would do if the others came out like these"
    )


def test_ten_of_ten_do_and_none_of_ten_shows_that_less_than_half_do():
    claims = [
        claim("diverged", within={"levels": ["large"], "low": 0.5}),
        claim("diverged", within={"levels": ["small"], "high": 0.5}),
        claim("diverged", within={"levels": ["small"], "low": 0.5}),
    ]
    found = judged({"large": [None] * 10, "small": SOME}, *claims).verdicts
    assert [each.verdict for each in found] == ["supported", "supported", "contradicted"]
    for each in found:
        assert 0 <= each.low <= each.effect <= each.high <= 1


def test_how_many_seeds_it_would_take_is_told_where_they_decide():
    assert shares_if_repeated(5, 5, Region(low=0.5), 0.05) == 10
    assert shares_if_repeated(1, 2, Region(low=0.5), 0.05) is None
