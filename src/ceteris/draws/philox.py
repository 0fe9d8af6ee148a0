"""Philox4x32-10 over NumPy arrays of counters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MULTIPLIER_0 = 0xD2511F53
MULTIPLIER_1 = 0xCD9E8D57
WEYL_0 = 0x9E3779B9
WEYL_1 = 0xBB67AE85
ROUNDS = 10
WORD_MASK = 0xFFFFFFFF

Words = NDArray[np.uint32]


def philox4x32(counter: tuple[Words, Words, Words, Words], key: tuple[int, int]) -> tuple[Words, ...]:
    """Return four words per counter.

    Args:
        counter: four arrays, uint32, that broadcast to one shape.
        key: two numbers in [0, 2**32).

    Returns:
        Four uint32 arrays of that shape.

    Source: Salmon et al. 2011, section 4.3; checked against the known-answer vectors of Random123.
    """
    c0, c1, c2, c3 = (np.asarray(word, dtype=np.uint64) for word in counter)
    k0, k1 = key
    mask = np.uint64(WORD_MASK)
    shift = np.uint64(32)
    for _ in range(ROUNDS):
        product_0 = c0 * np.uint64(MULTIPLIER_0)
        product_1 = c2 * np.uint64(MULTIPLIER_1)
        c0 = (product_1 >> shift) ^ c1 ^ np.uint64(k0)
        c2 = (product_0 >> shift) ^ c3 ^ np.uint64(k1)
        c1 = product_1 & mask
        c3 = product_0 & mask
        k0 = (k0 + WEYL_0) & WORD_MASK
        k1 = (k1 + WEYL_1) & WORD_MASK
    return tuple(word.astype(np.uint32) for word in (c0, c1, c2, c3))
