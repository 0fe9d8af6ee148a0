"""How fast prepared rows are fetched: training that asks for more of them in a second would wait for data."""

from __future__ import annotations

import time

import numpy as np

from ceteris.data.preparation import Prepared
from ceteris.draws import permutation, stream_key

BATCH = 32
"""Rows of a batch, as in the default of an experiment."""
MOST_ROWS = 65_536
MOST_SECONDS = 0.5


def fetched_rows_per_second(prepared: Prepared) -> float:
    """Return how many training rows a second are copied together into batches of 32, in random order.

    Each row is fetched once, up to 65,536 rows or half a second: where rows are kept on disk, this is the
    speed of rows that nobody has read lately. It is a measurement of this machine at this moment.
    """
    rows = prepared.split.train
    order = rows[permutation(stream_key(0, "fetching"), len(rows))][:MOST_ROWS]
    batch = np.empty((BATCH, prepared.x.shape[1]), dtype=prepared.x.dtype)
    begin, done = time.perf_counter(), 0
    while done < len(order) and time.perf_counter() - begin < MOST_SECONDS:
        own = order[done : done + BATCH]
        np.take(prepared.x, own, axis=0, out=batch[: len(own)])
        done += len(own)
    return done / max(time.perf_counter() - begin, 1e-9)
