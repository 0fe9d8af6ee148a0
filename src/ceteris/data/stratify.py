"""One random order of rows whose every beginning holds the classes in their proportions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.draws import Key, permutation

Order = NDArray[np.int64]


def stratified_order(y: NDArray[Any], key: Key, *, stratify: bool = True) -> Order:
    """Return a random order of ``range(len(y))``; with ``stratify``, ``y`` are labels that it balances.

    The k-th of the n rows of a class (in random order, from 0) is put at (k + 1/2) / n, and rows are
    sorted by that, ties at random: the first m rows hold about m / N of every class, and a smaller
    selection is part of every larger one. The first row of each class comes before all others and
    the last after all others, so that with K classes any cut between K and N - K rows leaves each
    class (of two rows or more) on both sides.
    """
    n = len(y)
    random_order = permutation(key, n)
    if not stratify:
        return random_order
    rank = np.empty(n, dtype=np.int64)
    rank[random_order] = np.arange(n)
    return np.lexsort((rank, _positions(y, rank)))


def first_of_each_class(y: NDArray[Any], order: Order, count: int) -> Order:
    """Return the rows that are among the first ``count`` of their class in ``order``, in that order."""
    labels = y[order]
    by_class = np.argsort(labels, kind="stable")
    _, sizes = np.unique(labels, return_counts=True)
    within = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    chosen: Order = order[np.sort(by_class[within < count])]
    return chosen


def _positions(y: NDArray[Any], rank: Order) -> NDArray[np.float64]:
    """Give every row its place in [0, 1] among the rows of its class, which ``rank`` orders."""
    _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    by_class = np.lexsort((rank, codes))
    size = counts[codes[by_class]]
    starts = np.cumsum(counts) - counts
    within = np.arange(len(y)) - starts[codes[by_class]]
    place = (within + 0.5) / size
    place[within == size - 1] = 1.0
    place[within == 0] = 0.0
    positions = np.empty(len(y))
    positions[by_class] = place
    return positions
