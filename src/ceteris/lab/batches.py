"""Gathers the epochs of a job, so that those that take microseconds reach the record many at a time."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from ceteris.train.messages import EpochMeasured, EpochsMeasured, Message, Progress

GATHER_SECONDS = 0.25
"""The longest that a finished epoch waits for those after it, where they come as quickly as before."""
GATHER_SHARE = 0.1
"""It waits no longer than this share of the time since the first epoch: a short run is seen as it goes."""

Alike = tuple[tuple[str, ...], tuple[str, ...]]
"""Names and identities: what epochs that are sent as one have in common."""


class Batches:
    """Stands between training and the pipe: holds finished epochs back for a moment.

    An epoch goes out at once where the next would come too late, and where a checkpoint knows it. Nothing
    overtakes an epoch that it depends on: ends of trials go after all epochs before them.
    """

    def __init__(self, emit: Callable[[Message], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._emit = emit
        self._clock = clock
        self._waiting: dict[Alike, list[EpochMeasured]] = {}
        self._sent = self._arrived = clock()
        self._begun: float | None = None
        self._epoch = -1
        self._kept = 0
        """So many epochs a checkpoint knows."""
        self._seconds = 0.0
        """How long the last epoch took."""

    def take(self, message: Message) -> None:
        """Send a message, or hold it back."""
        if isinstance(message, EpochMeasured):
            self._waiting.setdefault((message.names, message.identities), []).append(message)
            if self._is_due(message.epoch) or message.epoch + 1 == self._kept:
                self.flush()
            return
        if not isinstance(message, Progress):
            self.flush()
        self._emit(message)

    def kept(self, epochs: int) -> None:
        """Note that a checkpoint knows so many epochs, the last of which is still to come here."""
        self._kept = epochs

    def flush(self) -> None:
        """Send what was held back."""
        for (names, identities), epochs in self._waiting.items():
            numbers = np.stack([epoch.numbers for epoch in epochs])
            self._emit(EpochsMeasured(epochs[0].cohort, epochs[0].epoch, names, identities, numbers))
        self._waiting.clear()
        self._sent = self._clock()

    def _is_due(self, epoch: int) -> bool:
        now = self._clock()
        if epoch != self._epoch:
            self._epoch, self._seconds, self._arrived = epoch, now - self._arrived, now
        self._begun = now if self._begun is None else self._begun
        limit = min(GATHER_SECONDS, GATHER_SHARE * (now - self._begun))
        return now + self._seconds >= self._sent + limit
