"""Memory of modules under training: kept when torch frees it, and aligned alike for every member."""

from __future__ import annotations

import ctypes
from functools import cache

import numpy as np
from numpy.typing import NDArray

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Names of glibc's ``mallopt`` (malloc.h)."""
LARGEST = 2**30


@cache
def keep_freed_memory() -> bool:
    """Tell the C library of this process to keep freed memory; return whether it has such a setting.

    By default glibc hands large blocks back, and every step of a convolutional network faults its
    activations in anew: 60 ms of processor time a step became 38 (32-64-128 channels, batch 64, one
    thread of an AMD EPYC).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # not glibc
        return False
    return bool(mallopt(MMAP_THRESHOLD, LARGEST)) and bool(mallopt(TRIM_THRESHOLD, 2 * LARGEST - 1))


LINE_BYTES = 64
"""Length of a processor's cache line and of its widest vectors."""


def aligned_rows(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return a copy (M, P) of rows that each begin at a multiple of 64 bytes.

    Which numbers a vector instruction takes together may depend on where an array begins, and so may
    the last bits of a result: every member's parameters lie alike (law 7).
    """
    members, size = rows.shape
    per_line = LINE_BYTES // rows.itemsize
    width = -(-size // per_line) * per_line
    room = np.zeros(members * width + per_line, rows.dtype)
    begin = -(room.ctypes.data // rows.itemsize) % per_line
    aligned = room[begin : begin + members * width].reshape(members, width)[:, :size]
    aligned[:] = rows
    return aligned
