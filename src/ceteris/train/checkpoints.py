"""When the state of a training is kept, and what of it belongs to no part of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from ceteris.train.measure import Columns
from ceteris.train.messages import State

LEAST_FACTOR = 50.0
"""A checkpoint waits at least so many times as long as the last one took: it costs a fiftieth at most."""

_START = "start "


class Pace:
    """Tells when the next checkpoint is due; 0 seconds: after every epoch."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._took = 0.0
        self._last = time.monotonic()

    def is_due(self) -> bool:
        """Whether enough time has passed since the last checkpoint."""
        wait = max(self._seconds, LEAST_FACTOR * self._took) if self._seconds else 0.0
        return time.monotonic() - self._last >= wait

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Measure how long the checkpoint that is written inside takes."""
        begin = time.monotonic()
        yield
        self._last = time.monotonic()
        self._took = self._last - begin


def start_state(start: Columns, place: int) -> dict[str, NDArray[np.generic]]:
    """Return what the very first batch of a member gave, which is told at every epoch."""
    return {_START + name: column[[place]] for name, column in start.items()}


def start_columns(states: Sequence[State]) -> Columns:
    """Return the columns (M,) of which the states of all members hold the entries."""
    names: Mapping[str, object] = {name: None for name in states[0] if name.startswith(_START)}
    return {
        name.removeprefix(_START): np.array([state[name][0] for state in states], dtype=np.float64)
        for name in names
    }
