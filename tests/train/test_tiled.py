"""Products by tiles, against NumPy's in double precision."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ceteris.train.cpu.tiled import PLAIN, TRANSPOSED, multiply

WAYS = {"plain": (PLAIN, PLAIN), "first turned": (TRANSPOSED, PLAIN), "second turned": (PLAIN, TRANSPOSED)}
SIZES = st.integers(1, 40) | st.sampled_from([63, 64, 65, 130, 331])
GAP = 3
"""Numbers between the rows of a matrix that belong to nobody."""


def standing(matrix: np.ndarray, way: int) -> tuple[np.ndarray, int]:
    """Return a vector in which a matrix stands, with gaps; and how far apart its rows are."""
    rows = matrix if way == PLAIN else matrix.T
    wide = np.full((rows.shape[0], rows.shape[1] + GAP), np.nan, matrix.dtype)
    wide[:, : rows.shape[1]] = rows
    return np.concatenate([np.full(3, np.nan, matrix.dtype), wide.reshape(-1)]), wide.shape[1]


def product(first: np.ndarray, second: np.ndarray, way: str, before: np.ndarray | None = None) -> np.ndarray:
    (m, k), n = first.shape, second.shape[1]
    turn_a, turn_b = WAYS[way]
    (a, lda), (b, ldb) = standing(first, turn_a), standing(second, turn_b)
    out = np.full((m, n + GAP), 7, first.dtype)
    if before is not None:
        out[:, :n] = before
    c = np.concatenate([np.full(3, 7, first.dtype), out.reshape(-1)])
    multiply(m, n, k, a, 3, lda, turn_a, b, 3, ldb, turn_b, before is not None, c, 3, n + GAP)
    found = c[3:].reshape(m, n + GAP)
    assert (c[:3] == 7).all()
    assert (found[:, n:] == 7).all()
    return found[:, :n]


@pytest.mark.parametrize("way", WAYS)
@given(m=SIZES, n=SIZES, k=SIZES, seed=st.integers(0, 99), adds=st.booleans())
@settings(max_examples=40)
def test_a_product_is_that_of_numpy(way: str, m: int, n: int, k: int, seed: int, adds: bool) -> None:
    draw = np.random.default_rng(seed)
    first, second, before = (draw.standard_normal(shape) for shape in ((m, k), (k, n), (m, n)))
    found = product(first, second, way, before if adds else None)
    assert np.allclose(found, first @ second + (before if adds else 0), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("way", WAYS)
@given(m=SIZES, n=SIZES, k=SIZES, seed=st.integers(0, 99), data=st.data())
@settings(max_examples=40)
def test_a_number_has_the_same_bits_whatever_stands_beside_it(
    way: str, m: int, n: int, k: int, seed: int, data: st.DataObject
) -> None:
    draw = np.random.default_rng(seed)
    first = draw.standard_normal((m, k)).astype(np.float32)
    second = draw.standard_normal((k, n)).astype(np.float32)
    whole = product(first, second, way)
    lines = slice(data.draw(st.integers(0, m - 1)), m)
    columns = slice(data.draw(st.integers(0, n - 1)), n)
    assert np.array_equal(product(first[lines], second[:, columns], way), whole[lines, columns])
    assert np.allclose(whole, first.astype(np.float64) @ second, rtol=1e-4, atol=1e-4)
