from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from ceteris.train.cpu.arithmetic import exponential, hyperbolic_tangent


@njit(error_model="numpy")
def apply_exponential(x, out):  # type: ignore[no-untyped-def]
    for i in range(x.size):
        out[i] = exponential(x[i])


@njit(error_model="numpy")
def apply_tanh(x, out):  # type: ignore[no-untyped-def]
    for i in range(x.size):
        out[i] = hyperbolic_tangent(x[i])


FUNCTIONS = {"exp": (apply_exponential, np.exp), "tanh": (apply_tanh, np.tanh)}


@pytest.mark.parametrize("name", list(FUNCTIONS))
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 5e-7), (np.float64, 1e-14)])
def test_close_to_the_true_function(name: str, dtype: type, rtol: float) -> None:
    ours, true = FUNCTIONS[name]
    small = np.logspace(-20, 0, 2000)
    x = np.concatenate([np.linspace(-85, 85, 200_001), small, -small]).astype(dtype)
    out = np.empty_like(x)
    ours(x, out)
    np.testing.assert_allclose(out, true(x.astype(np.float64)), rtol=rtol)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ends_of_the_number_line(dtype: type) -> None:
    x = np.array([np.nan, np.inf, -np.inf, 0, 1e4, -1e4], dtype)
    out = np.empty_like(x)
    apply_exponential(x, out)
    np.testing.assert_array_equal(out, np.array([np.nan, np.inf, 0, 1, np.inf, 0], dtype))
    apply_tanh(x, out)
    np.testing.assert_array_equal(out, np.array([np.nan, 1, -1, 0, 1, -1], dtype))


@pytest.mark.parametrize("name", list(FUNCTIONS))
@given(start=st.integers(0, 70), length=st.integers(1, 130))
@settings(max_examples=40)
def test_bits_do_not_depend_on_the_position(name: str, start: int, length: int) -> None:
    ours, _ = FUNCTIONS[name]
    x = np.random.default_rng(0).normal(size=200).astype(np.float32) * 4
    whole, part = np.empty_like(x), np.empty(length, np.float32)
    ours(x, whole)
    ours(x[start : start + length], part)
    assert np.array_equal(whole[start : start + length], part)
