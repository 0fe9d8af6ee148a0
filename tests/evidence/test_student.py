"""Student's t against scipy, published examples and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ceteris.evidence.student import estimate, fold_dependence, interval, p_at_distance, rounding_sd

# Extra hours of sleep of ten patients under two drugs (Student 1908; R's data set `sleep`)
FIRST = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
SECOND = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
SLEEP = FIRST - SECOND

samples = st.lists(st.floats(-1e3, 1e3).map(lambda x: round(x, 6)), min_size=2, max_size=12)


def test_the_sleep_data():
    found = estimate(SLEEP)
    assert found.mean == pytest.approx(-1.58)
    assert interval(found, 0.05) == pytest.approx((-2.4598858, -0.7001142), abs=1e-7)
    assert p_at_distance(found.mean, found) == pytest.approx(0.00283289, abs=1e-8)


@given(samples)
def test_agrees_with_scipy(values):
    if np.std(values) < 1e-6:
        return
    found, theirs = estimate(values), stats.ttest_1samp(values, 1.5)
    assert p_at_distance(found.mean - 1.5, found) == pytest.approx(theirs.pvalue, rel=1e-9)
    assert interval(found, 0.1) == pytest.approx(tuple(theirs.confidence_interval(0.9)), rel=1e-9, abs=1e-9)


@given(samples, st.floats(0.001, 0.2))
def test_the_interval_excludes_zero_exactly_where_p_is_below_the_level(values, level):
    found = estimate(values)
    low, high = interval(found, level)
    p = p_at_distance(found.mean, found)
    if abs(p - level) > 1e-9 and abs(found.mean) > 1e-9:
        assert (low > 0 or high < 0) == (p < level)


def test_folds_of_one_seed_get_the_corrected_variance():
    # Nadeau and Bengio: var = (1/J + n2/n1) S^2; ten folds have n2/n1 = 1/9
    found = estimate(SLEEP, extra=fold_dependence(10))
    variance = np.var(SLEEP, ddof=1)
    assert found.se == pytest.approx(math.sqrt((1 / 10 + 1 / 9) * variance))
    t = np.mean(SLEEP) / found.se
    assert p_at_distance(found.mean, found) == pytest.approx(2 * stats.t.sf(abs(t), 9))


def test_equal_numbers_have_the_spread_that_rounding_hides():
    found = estimate([3.0] * 5, least_sd=rounding_sd(1.0, 2))
    assert found.steady
    assert found.sd == pytest.approx(math.sqrt(1 / 6))
    assert 0 < p_at_distance(found.mean, found) < 0.001


def test_equal_numbers_without_rounding_are_as_good_as_certain():
    found = estimate([0.25] * 5)
    assert p_at_distance(found.mean, found) < 1e-30
    assert interval(found, 0.05) == pytest.approx((0.25, 0.25))


def test_zeros_show_nothing():
    found = estimate([0.0] * 5)
    assert p_at_distance(found.mean, found) == 1.0
    assert interval(found, 0.05) == (0.0, 0.0)
    assert p_at_distance(0.1, found) == 0.0


def test_rounding_is_not_added_to_a_spread_that_is_larger():
    assert estimate([0.0, 10.0], least_sd=rounding_sd(1.0)).sd == pytest.approx(np.std([0, 10], ddof=1))


def test_one_value_has_no_spread():
    with pytest.raises(ValueError, match="a spread needs at least two values"):
        estimate([1.0])


@pytest.mark.slow
def test_the_interval_covers_95_percent_with_five_seeds():
    rng = np.random.default_rng(11)
    draws = rng.normal(2.0, 3.0, size=(20_000, 5))
    covered = sum(low < 2.0 < high for low, high in (interval(estimate(row), 0.05) for row in draws))
    assert covered / len(draws) == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / len(draws)))
