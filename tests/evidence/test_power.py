"""Power against published sample sizes and against simulation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import stdtrit

from ceteris.evidence.power import POWER, SEEDS_CAP, Seeds, power, seeds_needed, seeds_range
from ceteris.evidence.student import estimate, interval


@pytest.mark.parametrize(("effect", "n"), [(0.2, 199), (0.5, 34), (0.8, 15), (1.0, 10)])
def test_published_sample_sizes(effect, n):
    # paired t, two-sided 5%, power 0.8: the values that G*Power and R's pwr.t.test print
    assert seeds_needed([effect], 1.0, 0.05) == n


@pytest.mark.parametrize(
    ("effect", "level", "n"),
    [(3.4, 0.05, 3), (5.0, 0.05, 3), (2.4, 0.01, 6), (2.4, 0.003, 7), (20.0, 0.05, 2)],
)
def test_large_effects_take_few_seeds(effect, level, n):
    # where scipy's noncentral t gives 1 instead of 0 for more seeds; checked by simulation below
    assert seeds_needed([effect], 1.0, level) == n


@pytest.mark.parametrize("effect", [0.1, 0.5, 2.4, 3.4, 5.0])
@pytest.mark.parametrize("level", [0.05, 0.003])
def test_power_grows_with_the_seeds(effect, level):
    reached = [power([effect], 1.0, n, level) for n in range(2, SEEDS_CAP + 1)]
    assert all(after >= before - 1e-9 for before, after in itertools.pairwise(reached))


@pytest.mark.parametrize(
    ("effect", "n", "level"), [(3.4, 3, 0.05), (3.4, 2, 0.05), (2.4, 6, 0.003), (0.5, 40, 0.01)]
)
def test_power_is_what_a_simulation_finds(effect, n, level):
    draws = np.random.default_rng(n).normal(effect, 1.0, size=(40_000, n))
    t = draws.mean(axis=1) / draws.std(axis=1, ddof=1) * math.sqrt(n)
    found = np.mean(t > -stdtrit(n - 1, level / 2))
    assert power([effect], 1.0, n, level) == pytest.approx(found, abs=0.01)


def test_what_the_design_says_of_one_standard_deviation():
    assert power([1.0], 1.0, 5, 0.05) == pytest.approx(0.40, abs=0.005)
    assert power([1.0], 1.0, 10, 0.05) == pytest.approx(0.80, abs=0.005)


@given(st.floats(0.12, 20), st.floats(1e-3, 0.05))
def test_the_answer_is_the_fewest_that_suffice(effect, level):
    n = seeds_needed([effect], 1.0, level)
    if n is not None:
        assert power([effect], 1.0, n, level) >= POWER
        assert n == 2 or power([effect], 1.0, n - 1, level) < POWER


def test_no_effect_and_tiny_effects_have_no_answer():
    assert seeds_needed([0.0], 1.0, 0.05) is None
    assert seeds_needed([0.01], 1.0, 0.05) is None
    assert power([0.01], 1.0, SEEDS_CAP, 0.05) < POWER


def test_enormous_effects_take_two_seeds():
    assert seeds_needed([1.0], 1e-300, 0.05) == 2
    assert seeds_needed([1.0], 0.0, 0.05) == 2


def test_two_bounds_take_more_seeds_than_one():
    one, two = seeds_needed([0.5], 1.0, 0.05), seeds_needed([0.5, 0.5], 1.0, 0.05)
    assert one is not None
    assert two is not None
    assert one < two


@pytest.mark.slow
@pytest.mark.parametrize(("n", "expected"), [(5, 0.40), (10, 0.80)])
def test_one_standard_deviation_is_found_as_often_as_the_design_says(n, expected):
    rng = np.random.default_rng(5)
    draws = rng.normal(1.0, 1.0, size=(10_000, n))
    found = sum(not low < 0 < high for low, high in (interval(estimate(row), 0.05) for row in draws))
    assert found / len(draws) == pytest.approx(expected, abs=0.005 + 3 * math.sqrt(0.25 / len(draws)))


@pytest.mark.parametrize("n", [2, 3, 5, 10, 50])
def test_the_range_is_what_the_interval_of_the_spread_leaves(n):
    found, df = seeds_range([0.5], 1.0, n, 0.05), n - 1
    assert found is not None
    ends = [float(np.sqrt(df / stats.chi2.ppf(q, df))) for q in (0.975, 0.025)]
    low, high = (seeds_needed([0.5], sd, 0.05) for sd in ends)
    assert found == Seeds(seeds_needed([0.5], 1.0, 0.05), max(low, n + 1), high)


def test_the_interval_of_the_spread_covers_it():
    rng, df = np.random.default_rng(0), 4
    sd = np.std(rng.normal(size=(4000, df + 1)), axis=1, ddof=1)
    least, most = (np.sqrt(df / stats.chi2.ppf(q, df)) for q in (0.975, 0.025))
    assert np.mean((least * sd < 1) & (most * sd > 1)) == pytest.approx(0.95, abs=0.012)


def test_three_seeds_leave_orders_of_magnitude_open():
    found = seeds_range([0.24], 1.0, 3, 0.05)
    assert found is not None
    assert (found.needed, found.low, found.high) == (139, 39, None)


def test_a_range_without_an_effect():
    assert seeds_range([0.0], 1.0, 5, 0.05) is None
    assert seeds_range([0.001], 1.0, 5, 0.05) == Seeds(None, None, None)
