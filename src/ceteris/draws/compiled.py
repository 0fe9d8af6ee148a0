"""Philox4x32-10 as a Numba function, for masks drawn inside training kernels and for orders."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ceteris.draws import keyed
from ceteris.draws.keyed import Key
from ceteris.draws.philox import MULTIPLIER_0, MULTIPLIER_1, ROUNDS, WEYL_0, WEYL_1, WORD_MASK

# Without counting references of arrays: kernels that call these do not.
_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "_nrt": False}
_M0 = np.uint64(MULTIPLIER_0)
_M1 = np.uint64(MULTIPLIER_1)
_W0 = np.uint64(WEYL_0)
_W1 = np.uint64(WEYL_1)
_SHIFT = np.uint64(32)
_MASK = np.uint64(WORD_MASK)


@njit(**_OPTIONS)
def fill_words(out, k0, k1, epoch, first_row):  # type: ignore[no-untyped-def]
    """Fill ``out`` (rows, columns) of uint32 with the words that ``draws.words`` gives."""
    rows, columns = out.shape
    full = columns // 4
    for row in range(rows):
        line = out[row]
        counter_1 = np.uint64(first_row + row)
        for block in range(full):
            w0, w1, w2, w3 = _block(np.uint64(block), counter_1, np.uint64(epoch), k0, k1)
            line[4 * block] = w0
            line[4 * block + 1] = w1
            line[4 * block + 2] = w2
            line[4 * block + 3] = w3
        if columns > 4 * full:
            last = _block(np.uint64(full), counter_1, np.uint64(epoch), k0, k1)
            for offset in range(columns - 4 * full):
                line[4 * full + offset] = last[offset]


def permutation(key: Key, n: int, *, epoch: int = 0) -> NDArray[np.int64]:
    """Return what ``draws.permutation`` returns, in a fifth of the time."""
    words = np.empty((n, 2), dtype=np.uint32)
    fill_words(words, *key, epoch, 0)
    drawn = words[:, 0].astype(np.uint64) << _SHIFT | words[:, 1]
    order = np.argsort(drawn)  # not stable, and quicker
    drawn = drawn[order]
    return order if (drawn[1:] > drawn[:-1]).all() else keyed.permutation(key, n, epoch=epoch)


@njit(**_OPTIONS)
def fill_words_by_column(out, k0, k1, epoch, first_row):  # type: ignore[no-untyped-def]
    """Fill ``out`` (columns, rows) with the transpose of what ``fill_words`` gives."""
    columns, rows = out.shape
    full = columns // 4
    for block in range(full):
        for row in range(rows):
            w0, w1, w2, w3 = _block(np.uint64(block), np.uint64(first_row + row), np.uint64(epoch), k0, k1)
            out[4 * block, row] = w0
            out[4 * block + 1, row] = w1
            out[4 * block + 2, row] = w2
            out[4 * block + 3, row] = w3
    if columns > 4 * full:
        for row in range(rows):
            last = _block(np.uint64(full), np.uint64(first_row + row), np.uint64(epoch), k0, k1)
            for offset in range(columns - 4 * full):
                out[4 * full + offset, row] = last[offset]


@njit(**_OPTIONS, forceinline=True)
def _block(c0, c1, c2, k0, k1):  # type: ignore[no-untyped-def]
    """Return the four words of one counter; 64-bit variables that hold 32-bit values."""
    c3 = np.uint64(0)
    key_0 = np.uint64(k0)
    key_1 = np.uint64(k1)
    for _ in range(ROUNDS):
        product_0 = c0 * _M0
        product_1 = c2 * _M1
        c0 = (product_1 >> _SHIFT) ^ c1 ^ key_0
        c2 = (product_0 >> _SHIFT) ^ c3 ^ key_1
        c1 = product_1 & _MASK
        c3 = product_0 & _MASK
        key_0 = (key_0 + _W0) & _MASK
        key_1 = (key_1 + _W1) & _MASK
    return np.uint32(c0), np.uint32(c1), np.uint32(c2), np.uint32(c3)
