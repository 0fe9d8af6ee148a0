"""Trains a cohort for a moment, for what it takes alone: nothing is reported or kept."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType

from ceteris.data.preparation import Preparation
from ceteris.nets.given import Values
from ceteris.train.engine import EVALUATION_ROWS, EngineFactory
from ceteris.train.messages import Message, Timed
from ceteris.train.plan import Cohort
from ceteris.train.timing import Spent, moment
from ceteris.train.training import Training

CHUNKS = 4
"""So many chunks of rows each thread evaluates where several share them, to see how well they do."""


def time_training(
    cohort: Cohort,
    preparation: Preparation,
    seconds: float,
    *,
    engine: EngineFactory | None = None,
    values: Mapping[str, Values] = MappingProxyType({}),
    threads: int = 1,
) -> Timed:
    """Train a cohort for about so many seconds of a processor and return what that takes.

    Half as long before that, which meets everything cold, is not counted. Metrics and networks of the
    user's own are not called: code that is not ours may remember that it was. See ``train_cohort`` for the
    arguments.
    """
    sample = _Sample(cohort, preparation, "cpu", {}, ({}, values), engine, _unheard, threads)
    sample.run(seconds / 2)
    return sample.run(seconds)


def _unheard(message: Message) -> None:
    """Take a message that nobody waits for."""


class _Sample(Training):
    """Begins its first epoch again and again."""

    def run(self, seconds: float) -> Timed:
        """Train the beginning of the epoch and measure some rows until so many seconds are over, or once."""
        threads = self.spent.threads
        most = EVALUATION_ROWS * (1 if threads == 1 else CHUNKS * threads)
        self._measured = {split: [own[:most] for own in rows] for split, rows in self._measured.items()}
        self._call_seconds = seconds / 4
        self.spent = Spent(threads)
        enough = time.thread_time() + seconds
        while self.spent.epochs == 0 or time.thread_time() < enough:
            begun = moment()
            self._train(0, enough)
            self._measure()
            self.spent.end_epoch(begun, len(self._active))
        return self.timed()
