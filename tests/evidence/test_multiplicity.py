"""Holm's procedure against its definition as a closed test, and the intervals that go with it."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceteris.evidence.multiplicity import (
    ALPHA,
    adjust_inside,
    adjust_to,
    holm_adjust,
    holm_levels,
    level_after,
)

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=6)


def closed_test(p):
    """Holm closes Bonferroni: adjusted p = max over all families that hold the hypothesis."""
    m = range(len(p))
    families = [f for size in range(1, len(p) + 1) for f in combinations(m, size)]
    return [min(1.0, max(len(f) * min(p[j] for j in f) for f in families if i in f)) for i in m]


def test_a_worked_example():
    # four hypotheses, the textbook example: only the first and the last are rejected at 5%
    assert holm_adjust([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(p_values)
def test_agrees_with_the_closed_test(p):
    assert holm_adjust(p) == pytest.approx(closed_test(p))


@given(p_values, st.randoms())
def test_does_not_depend_on_the_order(p, random):
    order = list(range(len(p)))
    random.shuffle(order)
    shuffled = [p[i] for i in order]
    assert holm_adjust(shuffled) == pytest.approx(holm_adjust(p)[order])
    assert holm_levels(shuffled) == pytest.approx(holm_levels(p)[order])


@given(p_values, st.lists(st.floats(0, 1), min_size=1, max_size=4), st.integers(0, 2))
def test_comparisons_inside_a_member_are_adjusted_as_the_member_is(p, inside, looks):
    alpha = level_after(looks)
    adjusted, levels = adjust_to(p, alpha), holm_levels(p, alpha)
    for place, own in enumerate(p):
        found = adjust_inside(p, place, np.array([own, *inside]), alpha)
        assert found[0] == pytest.approx(adjusted[place])
        assert (np.diff(found[np.argsort([own, *inside])]) >= 0).all()
        clear = np.abs(found - ALPHA) > 1e-12
        assert ((np.array([own, *inside]) < levels[place]) == (found < ALPHA))[clear].all()


def test_levels_of_the_worked_example():
    # 0.005 and 0.01 pass at 5%/4 and 5%/3; 0.03 fails at 5%/2 and 0.04 with it
    levels = holm_levels([0.01, 0.04, 0.03, 0.005])
    assert levels == pytest.approx([0.05 / 3, 0.05 / 2, 0.05 / 2, 0.05 / 4])


@given(p_values)
def test_p_is_below_its_level_exactly_where_holm_rejects(p):
    adjusted, levels = holm_adjust(p), holm_levels(p)
    clear = np.abs(adjusted - ALPHA) > 1e-12
    assert ((np.array(p) < levels) == (adjusted < ALPHA))[clear].all()


@given(p_values)
def test_no_interval_is_narrower_than_the_ordinary_one(p):
    levels = holm_levels(p)
    assert (levels <= ALPHA).all()
    assert (levels >= ALPHA / len(p) * (1 - 1e-12)).all()


@given(st.lists(st.floats(0.001, 0.06), min_size=2, max_size=5))
def test_equal_p_values_are_decided_at_one_level(p):
    levels = holm_levels([*p, *p])
    assert levels[: len(p)] == pytest.approx(levels[len(p) :])


def test_looking_again_splits_the_five_percent():
    assert level_after(0) == 0.05
    assert level_after(1) == 0.025
    assert adjust_to([0.02], level_after(1)) == pytest.approx([0.04])
    assert adjust_to([0.9], level_after(1)) == [1.0]


def test_nothing_to_adjust():
    assert len(holm_adjust([])) == len(holm_levels([])) == 0
