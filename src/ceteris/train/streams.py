"""The order in which a seed's training rows are read: the same for all its variants (law 2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ceteris.draws import permutation, stream_key


def epoch_order(seed: int, fold: int, rows: NDArray[np.int64], epoch: int) -> NDArray[np.int64]:
    """Return the row numbers of one epoch in the order in which they are read.

    The order depends on the seed, the fold, the epoch (counted from 0) and the rows alone.
    """
    return rows[permutation(stream_key(seed, "order", str(fold)), len(rows), epoch=epoch)]


def dropout_keys(seed: int, roles: tuple[str, ...]) -> NDArray[np.uint32]:
    """Return the Philox keys of a seed's dropout masks, shape (places, 2): one per role."""
    keys = [stream_key(seed, "dropout", role) for role in roles]
    return np.array(keys, dtype=np.uint32).reshape(len(roles), 2)
