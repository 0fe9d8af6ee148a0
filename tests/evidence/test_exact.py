"""Exact tests against scipy, full enumeration and published examples."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ceteris.evidence.exact import (
    binomial_interval,
    fisher_p,
    sign_flip_p,
    sign_test_p,
    signed_rank_test,
)

# Darwin's maize: crossed minus self-fertilised height in eighths of an inch (Fisher 1935, section 17)
DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]

numbers = st.lists(st.integers(-20, 20).map(float), min_size=1, max_size=9)


def test_fishers_own_example_of_sign_flips():
    # Fisher 1935, section 21: 863 of 32,768 sums reach 314 in one direction; 1,726 in both
    assert sign_flip_p(DARWIN) == pytest.approx(1726 / 32768)


@settings(max_examples=25)
@given(st.lists(st.floats(-5, 5).map(lambda x: round(x, 3)), min_size=2, max_size=7))
def test_sign_flips_agree_with_scipys_permutation_test(values):
    theirs = stats.permutation_test(
        (np.array(values),), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=False
    )
    assert sign_flip_p(values) == pytest.approx(theirs.pvalue)


@given(numbers)
def test_sign_flips_agree_with_full_enumeration(values):
    sums = [
        sum(s * v for s, v in zip(signs, values, strict=True))
        for signs in product((1, -1), repeat=len(values))
    ]
    as_far = sum(abs(s) >= abs(sum(values)) for s in sums)
    assert sign_flip_p(values) == pytest.approx(as_far / len(sums))


def test_five_pairs_cannot_go_below_a_sixteenth():
    assert sign_flip_p([1.0, 2.0, 3.0, 4.0, 5.0]) == 0.0625


def test_too_many_pairs_to_enumerate():
    assert sign_flip_p([1.0] * 32) == 2 / 2**32
    assert sign_flip_p([1.0] * 33) is None


def test_signed_ranks_agree_with_scipys_exact_test():
    values = np.array([1.1, -0.4, 2.3, 0.7, -3.1, 5.2, 4.4])
    assert signed_rank_test(values)[0] == pytest.approx(stats.wilcoxon(values, method="exact").pvalue)


@given(numbers)
def test_signed_ranks_with_ties_agree_with_full_enumeration(values):
    kept = np.array([v for v in values if v])
    p, direction = signed_rank_test(values)
    if len(kept) == 0:
        assert (p, direction) == (1.0, 0)
        return
    ranks = stats.rankdata(np.abs(kept))
    middle, observed = ranks.sum() / 2, ranks[kept > 0].sum()
    sums = [np.dot(ranks, signs) for signs in product((0, 1), repeat=len(kept))]
    as_far = np.mean([abs(s - middle) >= abs(observed - middle) - 1e-9 for s in sums])
    assert p == pytest.approx(as_far)
    assert direction == np.sign(observed - middle)


def test_infinite_differences_rank_above_all_others():
    assert signed_rank_test([np.inf, 1.0, 2.0]) == signed_rank_test([100.0, 1.0, 2.0])
    assert signed_rank_test([np.inf, -np.inf, 0.0]) == (1.0, 0)


@given(numbers)
def test_turning_signs_turns_only_the_direction(values):
    p, direction = signed_rank_test(values)
    turned = [-v for v in values]
    assert signed_rank_test(turned) == (pytest.approx(p), -direction)
    assert sign_flip_p(turned) == pytest.approx(sign_flip_p(values))


def test_the_lady_tasting_tea():
    # Fisher 1935: 3 of 4 cups right on both sides
    assert fisher_p(3, 1, 4) == pytest.approx(34 / 70)
    assert fisher_p(4, 0, 4) == pytest.approx(2 / 70)


@given(st.integers(1, 12), st.data())
def test_rates_agree_with_scipy(n, data):
    a, b = data.draw(st.integers(0, n)), data.draw(st.integers(0, n))
    theirs = stats.fisher_exact([[a, n - a], [b, n - b]]).pvalue
    assert fisher_p(a, b, n) == pytest.approx(theirs)


@given(st.integers(1, 30), st.data())
def test_counts_agree_with_scipy(n, data):
    k = data.draw(st.integers(0, n))
    theirs = stats.binomtest(k, n)
    assert sign_test_p(k, n) == pytest.approx(theirs.pvalue)
    assert binomial_interval(k, n) == pytest.approx(tuple(theirs.proportion_ci(0.95, "exact")))
