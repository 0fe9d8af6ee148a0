"""Inputs that are whole numbers, such as tokens: the range by which a network for them is tried."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 2**24
"""Whole numbers beyond are not all told apart in float32, in which rows are prepared."""
PIECE = 65_536
"""Rows that are looked at at once: inputs may be mapped from a file."""


def whole_range(x: NDArray[Any]) -> tuple[int, int] | None:
    """Return the smallest and the largest input (N, ...) where all are whole numbers up to ``MOST``."""
    low, high = MOST, -MOST
    for begin in range(0, len(x), PIECE):
        piece = np.asarray(x[begin : begin + PIECE])
        if piece.dtype.kind not in "biu" and not np.array_equal(piece, np.trunc(piece)):
            return None  # NaN is not equal to itself
        if piece.size:
            low, high = min(low, int(piece.min())), max(high, int(piece.max()))
        if low < -MOST or high > MOST:
            return None
    return (low, high) if low <= high else None
