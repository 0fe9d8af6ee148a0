"""When the state of a training is kept, and what of it belongs to no part of its own."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median_low

import numpy as np
from numpy.typing import NDArray

from ceteris.train.measure import Columns
from ceteris.train.messages import State

LEAST_FACTOR = 50.0
"""A checkpoint waits at least so many times as long as one takes: it costs a fiftieth at most."""
LEAST_WAIT = 10.0
"""And so many times as long as it lasts by the clock, where its work alone would be worth it sooner."""
LAST = 3
"""What one takes is the median of so many: one that had to wait for its turn says little."""
BYTES_PER_SECOND = 4e9
"""What the first one takes is not known before; it is not faster than this."""

_START = "start "
_END = "end"


class Pace:
    """Tells after every epoch whether a checkpoint is due.

    One is due where the next epoch would end more than ``seconds`` after the last checkpoint (0: always),
    so every epoch that takes longer has one, unless that would cost too much: of the time by the clock, and
    of the processor time of the thread that trains too. On a busy machine a checkpoint lasts as long as
    others let it, and says little by the clock; training that waits, as for a disk, works little.
    """

    def __init__(self, seconds: float, size: int = 0) -> None:
        """``size``: bytes of a checkpoint, as far as that is known."""
        self._seconds = seconds
        first = size / BYTES_PER_SECOND
        self._worked, self._lasted = deque([first], maxlen=LAST), deque([first], maxlen=LAST)
        self._last = self._asked = time.monotonic()
        self._last_work = time.thread_time()

    def is_due(self) -> bool:
        """Whether a checkpoint is due; asked at the end of every epoch."""
        now = time.monotonic()
        epoch, self._asked = now - self._asked, now
        waited, worked = now - self._last, time.thread_time() - self._last_work
        lasts = median_low(self._lasted)
        by_work = worked >= LEAST_FACTOR * median_low(self._worked) and waited >= LEAST_WAIT * lasts
        affordable = waited >= LEAST_FACTOR * lasts or by_work
        return not self._seconds or (affordable and waited + epoch >= self._seconds)

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Measure what the checkpoint that is written inside takes."""
        begin, begun = time.monotonic(), time.thread_time()
        yield
        self._last, self._last_work = time.monotonic(), time.thread_time()
        self._lasted.append(self._last - begin)
        self._worked.append(self._last_work - begun)


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


def end_state(diverged: int) -> dict[str, NDArray[np.generic]]:
    """Return what says that a member has ended, at the step at which it diverged or, with -1, as it should.

    It is kept until the record has its end: weights are recorded a moment after the last epoch.
    """
    return {_END: np.array([diverged], dtype=np.int64)}


def ends_of(states: Iterable[State]) -> dict[int, int]:
    """Return the members that had ended: place -> the step at which it diverged, or -1."""
    return {place: int(state[_END][0]) for place, state in enumerate(states) if _END in state}
