"""Uniform and normal numbers and permutations, named by what they are for."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ceteris.draws.philox import Words, philox4x32

SCHEME = 1
"""Version of the randomness scheme; part of a trial's identity."""

WORDS_PER_BLOCK = 4
UNIFORM_BITS = 24
BLOCK_ROWS = 1 << 16
CELLS = float(1 << UNIFORM_BITS)


class Key(NamedTuple):
    """A Philox key: two words made from the seed and the purpose of a draw."""

    k0: int
    k1: int


def stream_key(seed: int, purpose: str, role: str = "") -> Key:
    """Make the key of all draws with one purpose, such as ``("dropout", "hidden.0")``.

    The 64 bits are a BLAKE2b digest, so related seeds and names give unrelated keys.
    """
    text = f"{SCHEME}|{seed}|{purpose}|{role}".encode()
    digest = hashlib.blake2b(text, digest_size=8).digest()
    return Key(int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little"))


def words(key: Key, rows: int, columns: int, *, epoch: int = 0, first_row: int = 0) -> Words:
    """Return a (rows, columns) array of uint32 words.

    The word at (row, column) depends on the key, the epoch, ``first_row + row`` and the column
    alone: a wider or longer array starts with the same numbers.
    """
    blocks = -(-columns // WORDS_PER_BLOCK)
    block = np.arange(blocks, dtype=np.uint32)[None, :]
    row = np.arange(first_row, first_row + rows, dtype=np.uint32)[:, None]
    out = np.stack(philox4x32((block, row, _same(epoch), _same(0)), key), axis=-1)
    return np.ascontiguousarray(out.reshape(rows, blocks * WORDS_PER_BLOCK)[:, :columns])


def uniforms(key: Key, rows: int, columns: int, *, epoch: int = 0, first_row: int = 0) -> NDArray[np.float64]:
    """Return (rows, columns) uniform numbers in the open interval (0, 1).

    They are the midpoints of 2**24 equal cells, so 0 and 1 never occur, and a float32
    comparison against a probability is exact.
    """
    drawn = words(key, rows, columns, epoch=epoch, first_row=first_row)
    cells = (drawn >> (32 - UNIFORM_BITS)).astype(np.float64)
    return (cells + 0.5) / CELLS


def normals(key: Key, rows: int, columns: int, *, epoch: int = 0, first_row: int = 0) -> NDArray[np.float64]:
    """Return (rows, columns) standard normal numbers, by the inverse CDF of ``uniforms``."""
    drawn: NDArray[np.float64] = ndtri(uniforms(key, rows, columns, epoch=epoch, first_row=first_row))
    return drawn


def permutation(key: Key, n: int, *, epoch: int = 0) -> NDArray[np.int64]:
    """Return a random order of ``range(n)``: the ranks of ``n`` keyed 64-bit words."""
    drawn = np.empty(n, dtype=np.uint64)
    for begin in range(0, n, BLOCK_ROWS):  # the cipher takes several times the memory of what it makes
        row = np.arange(begin, min(begin + BLOCK_ROWS, n), dtype=np.uint32)[:, None]
        high, low, _, _ = philox4x32((_same(0), row, _same(epoch), _same(0)), key)
        drawn[begin : begin + len(row)] = (high.astype(np.uint64) << np.uint64(32) | low)[:, 0]
    return np.argsort(drawn, kind="stable")


def _same(number: int) -> Words:
    """Return a counter word that is the same everywhere, (1, 1)."""
    return np.full((1, 1), number, dtype=np.uint32)
