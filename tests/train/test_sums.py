"""Sums of the compiled engine, against exact ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ceteris.train.cpu.sums import (
    BLOCK,
    add_norms,
    distance_and_squares,
    norms_and_spreads,
    sum_of_squares,
    unit_statistics,
    variance,
)

SIZES = st.integers(1, 3 * BLOCK) | st.sampled_from([BLOCK - 1, BLOCK, BLOCK + 1])
DTYPES = st.sampled_from([np.float32, np.float64])


def vector(size: int, seed: int, dtype: type) -> np.ndarray:
    return (3 + np.random.default_rng(seed).standard_normal(size)).astype(dtype)


@given(SIZES, st.integers(0, 99), DTYPES)
@settings(max_examples=25)
def test_sums_are_exact_to_rounding(size: int, seed: int, dtype: type) -> None:
    values, before = vector(size, seed, dtype), vector(size, seed + 1, dtype)
    squares = math.fsum(float(v) ** 2 for v in values)
    distance = math.fsum((float(v) - float(b)) ** 2 for v, b in zip(values, before, strict=True))
    assert sum_of_squares(values) == pytest.approx(squares, rel=1e-12)
    assert distance_and_squares(values, before) == pytest.approx((distance, squares), rel=1e-12)
    assert variance(values) == pytest.approx(values.astype(np.float64).var(), rel=1e-9, abs=1e-12)


@given(st.lists(SIZES, min_size=1, max_size=3), st.integers(0, 99), DTYPES)
@settings(max_examples=15)
def test_a_tensor_has_the_same_sums_wherever_it_stands(sizes: list[int], seed: int, dtype: type) -> None:
    ends = np.cumsum(sizes)
    tensors = np.array([(end - size, end, 0) for end, size in zip(ends, sizes, strict=True)])
    stack = np.stack([vector(int(ends[-1]), seed + member, dtype) for member in range(2)])
    norms, spreads = np.zeros((2, len(sizes) + 1)), np.zeros((2, len(sizes)))
    norms_and_spreads(stack, tensors, norms, spreads)
    for member, place in np.ndindex(2, len(sizes)):
        own = stack[member, tensors[place, 0] : tensors[place, 1]]
        assert norms[member, place] == np.sqrt(sum_of_squares(own.copy()))
        assert spreads[member, place] == pytest.approx(own.astype(np.float64).std(), rel=1e-9, abs=1e-12)
    gathered = np.ones(len(sizes))
    assert add_norms(stack[1], tensors, gathered) == norms[1, -1]
    assert np.array_equal(gathered, 1 + norms[1, :-1])
    assert norms[1, -1] == pytest.approx(np.linalg.norm(stack[1].astype(np.float64)))


def test_equal_numbers_have_no_spread() -> None:
    spreads = np.ones((1, 1))
    norms_and_spreads(
        np.full((1, 5000), 0.1, np.float32), np.array([[0, 5000, 0]]), np.zeros((1, 2)), spreads
    )
    assert spreads[0, 0] == 0


def test_a_unit_that_is_not_a_number_is_not_near_zero() -> None:
    line = np.array([0, -1e-6, 2e-5, np.nan, -3], np.float32)
    assert unit_statistics(line, 1e-5)[2:] == (1, 2)
    assert unit_statistics(np.nan_to_num(line), 1e-5) == pytest.approx((-3 + 2e-5 - 1e-6, 9, 2, 3))
