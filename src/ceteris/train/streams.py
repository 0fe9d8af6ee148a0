"""The order in which a seed's training rows are read: the same for all its variants (law 2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ceteris.draws import stream_key, uniforms


def epoch_order(seed: int, fold: int, rows: NDArray[np.int64], epoch: int) -> NDArray[np.int64]:
    """Return the row numbers of one epoch in the order in which they are read.

    The order depends on the seed, the fold, the epoch (counted from 0) and the rows alone.
    """
    from ceteris.draws.compiled import permutation  # loads Numba

    return rows[permutation(stream_key(seed, "order", str(fold)), len(rows), epoch=epoch)]


def balanced_order(
    seed: int, fold: int, rows: NDArray[np.int64], labels: NDArray[np.int64], epoch: int
) -> NDArray[np.int64]:
    """Return as many row numbers as there are, drawn with replacement, every class being equally likely.

    ``labels`` (n,) are those of ``rows`` (n,). Position i of the epoch has two uniform numbers, keyed by
    the seed, the fold and the epoch: the first chooses among the classes that occur, the second among
    the rows of that class.
    """
    drawn = uniforms(stream_key(seed, "resample", str(fold)), len(rows), 2, epoch=epoch)
    _, counts = np.unique(labels, return_counts=True)
    chosen = np.floor(drawn[:, 0] * len(counts)).astype(np.int64)
    within = np.floor(drawn[:, 1] * counts[chosen]).astype(np.int64)
    starts = np.cumsum(counts) - counts
    by_class = rows[np.argsort(labels, kind="stable")]
    resampled: NDArray[np.int64] = by_class[starts[chosen] + within]
    return resampled


def filled(order: NDArray[np.int64], batch_size: int) -> NDArray[np.int64]:
    """Return an epoch's order with its last batch filled up by the rows that the epoch began with."""
    return np.concatenate([order, order[: -len(order) % batch_size]])


def place_keys(seed: int, places: Sequence[tuple[str, str]]) -> NDArray[np.uint32]:
    """Return the Philox keys of a seed's draws at the places of a network, (places, 2).

    ``places`` are purposes and roles, such as ``("dropout", "hidden.0")``.
    """
    keys = [stream_key(seed, purpose, role) for purpose, role in places]
    return np.array(keys, dtype=np.uint32).reshape(len(places), 2)
