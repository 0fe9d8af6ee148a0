"""Progress while a study runs: one line that is written over in a terminal or notebook, or plain lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from ceteris.api.meter import Meter

if TYPE_CHECKING:
    from ceteris.lab.listener import Listener, RunPlan
    from ceteris.lab.shards import Shard
    from ceteris.train.messages import EpochMeasured, Progress, TrialEnded
    from ceteris.train.plan import TrialPlan

LINE_SECONDS = 10.0
"""Between two plain lines of one cohort."""
FIRST_LINE_SECONDS = 2.0
OVERWRITE_SECONDS = 0.2
WIDTH = 79


class PlainProgress:
    """Now and then a line, for logs and pipes. Lines that nobody reads any more are dropped."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._meter: Meter | None = None
        self._due: dict[int, float] = {}

    def planned(self, plan: RunPlan) -> None:
        """Say what is about to be trained."""
        self._meter = Meter(plan, self._clock)
        self._due = {}
        self.write(self._meter.opening())

    def progress(self, shard: Shard, progress: Progress) -> None:
        """Write a line where the last one is long enough ago."""
        if self._meter is None:
            return
        cohort = self._meter.add(shard, progress)
        now = self._clock()
        due = self._due.setdefault(shard.cohort.index, now + FIRST_LINE_SECONDS)
        if now >= due:
            self._due[shard.cohort.index] = now + LINE_SECONDS
            self.write(cohort.words())

    def epoch(self, measured: EpochMeasured) -> None:
        """Nothing: the lines above say enough."""

    def ended(self, trial: TrialPlan, result: TrialEnded) -> None:
        """Say that a trial diverged."""
        if self._meter is not None:
            self._meter.end(trial)
        if result.status == "diverged":
            self.note(divergence(trial, result))

    def note(self, text: str) -> None:
        """Write the note."""
        self.write(text)

    def write(self, text: str) -> None:
        """Write one line."""
        with suppress(OSError, ValueError):
            print(text, file=self._stream or sys.stderr, flush=True)


class LineProgress(PlainProgress):
    """One line that is written over, for terminals and notebooks; it is gone when the run ends."""

    _written = 0.0
    _length = 0

    def progress(self, shard: Shard, progress: Progress) -> None:
        """Write the line anew, a few times a second."""
        if self._meter is None:
            return
        cohort = self._meter.add(shard, progress)
        if self._clock() - self._written >= OVERWRITE_SECONDS:
            self._written = self._clock()
            several = len(self._meter.cohorts) > 1
            self._overwrite(f"{self._meter.share:4.0%}  {cohort.words()}" if several else cohort.words())

    def write(self, text: str) -> None:
        """Write one line that stays."""
        self.close()
        super().write(text)

    def close(self) -> None:
        """Take the line away."""
        if self._length:
            self._overwrite("")
            self._overwrite("")

    def _overwrite(self, text: str) -> None:
        text = text[:WIDTH]
        with suppress(OSError, ValueError):
            stream = self._stream or sys.stderr
            stream.write(f"\r{text.ljust(self._length)}" if text or self._length else "\r")
            stream.flush()
        self._length = len(text)


def divergence(trial: TrialPlan, result: TrialEnded) -> str:
    """Say at which step a trial diverged."""
    fold = "" if trial.folds is None else f", fold {trial.fold}"
    return f"level {trial.level}, seed {trial.seed}{fold} diverged at step {result.diverged_step}"


@contextmanager
def showing_progress(wanted: bool) -> Iterator[Listener]:
    """Show progress while the block runs, as suits the place: terminal, notebook, or neither."""
    from ceteris.lab.listener import Unheard

    if not wanted:
        yield Unheard()
    elif not ("ipykernel" in sys.modules or sys.stderr.isatty()):
        yield PlainProgress()
    else:
        line = LineProgress()
        try:
            yield line
        finally:
            line.close()
