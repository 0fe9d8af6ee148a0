"""Claims about logarithms: geometric means, ratios, factors."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ceteris.errors import CeterisError

from .made import claim, judged

EXPLODED = [3e9, 8e14, 2e12, 5e16, 7e10]


def test_what_spans_orders_of_magnitude_is_judged_by_its_logarithms() -> None:
    found = judged({"wide": EXPLODED}, claim(scale="log", within={"low": 1000}))
    (verdict,) = found.verdicts
    logs = np.log(EXPLODED)
    low, high = stats.t.interval(0.95, 4, logs.mean(), stats.sem(logs))
    assert verdict.verdict == "supported"
    assert verdict.effect == pytest.approx(stats.gmean(EXPLODED))
    assert (verdict.low, verdict.high) == pytest.approx((math.exp(low), math.exp(high)))
    assert "the validation loss is 7e+12 in the geometric mean (95% interval 1.54e+09" in verdict.explanation
    linear = judged({"wide": EXPLODED}, claim(within={"low": 1000})).verdicts[0]
    assert linear.verdict == "not established", "one seed of five makes most of the mean and of its spread"


@given(
    st.lists(st.tuples(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6)), min_size=3, max_size=9),
    st.sampled_from(["greater", "less"]),
)
def test_a_difference_of_logarithms_is_a_ratio(pairs: list[tuple[float, float]], relation: str) -> None:
    a, b = map(list, zip(*pairs, strict=True))
    found = judged({"a": a, "b": b}, claim(scale="log", **{relation: ("a", "b")})).verdicts[0]
    logs = np.log(a) - np.log(b)
    assert found.effect == pytest.approx(math.exp(logs.mean()))
    comparison = found.comparisons[0]
    assert comparison.ratio
    if np.std(logs) > 1e-6:
        assert found.p == pytest.approx(stats.ttest_rel(np.log(a), np.log(b)).pvalue, rel=1e-6, abs=1e-12)
    assert a == b or "times that with b" in found.explanation or "the same as with b" in found.explanation


def test_a_margin_is_a_factor() -> None:
    values = {"a": [1.0, 10.0, 100.0, 1000.0, 1e4], "b": [1.02, 10.1, 101.5, 1003.0, 1.01e4]}
    near = judged(values, claim(scale="log", equal={"levels": ("a", "b"), "margin": 1.1})).verdicts[0]
    assert near.verdict == "supported"
    assert near.explanation.endswith("inside the margin of a factor of 1.1")
    far = judged(values, claim(scale="log", equal={"levels": ("a", "b"), "margin": 1.001})).verdicts[0]
    assert far.verdict == "contradicted"


def test_zero_counts_as_endlessly_small() -> None:
    values = {"a": [0.0] * 8}
    found = judged(values, claim(scale="log", within={"high": 1e-30})).verdicts[0]
    assert (found.verdict, found.method) == ("supported", "counts")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"metric": "gap_loss", "within": {"low": 1}}, "`gap_loss` may be negative or 0"),
        ({"at": "change", "within": {"low": 1}}, "a change of `val_loss` may be negative or 0"),
        ({"metric": "diverged", "within": {"low": 0.5}}, "`diverged` may be negative or 0"),
        ({"within": {"low": -1, "high": 1}}, "bounds are above 0, and one is -1"),
        ({"equal": {"levels": ("a", "b"), "margin": 0.1}}, "a factor above 1 such as 1.1, and it is 0.1"),
    ],
)
def test_what_has_no_logarithm_is_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(CeterisError, match=message):
        claim(**{"scale": "log", **given})
