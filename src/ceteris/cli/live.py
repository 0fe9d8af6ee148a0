"""Live progress in a terminal: a line per cohort, and the run's time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ceteris.api.meter import CohortMeter, Meter, clock_words
from ceteris.api.progress import PlainProgress, divergence
from ceteris.cli.screen import messages

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live
    from rich.table import Table

    from ceteris.lab.listener import Listener, RunPlan
    from ceteris.lab.shards import Shard
    from ceteris.train.messages import EpochMeasured, Progress, TrialEnded
    from ceteris.train.plan import TrialPlan

MOST_LINES = 8
"""Cohorts shown at once; those that are done make room."""
BAR_WIDTH = 8
NAME_WIDTH = 18
"""With these a line fits 80 columns."""
REFRESHES = 5
"""Per second."""


class LiveProgress:
    """Shows cohorts while they are trained. Close it, or use it in ``with``."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._meter: Meter | None = None
        self._live: Live | None = None

    def planned(self, plan: RunPlan) -> None:
        """Say what is about to be trained, and begin to show it."""
        from rich.live import Live

        self.close()  # of the batch before, in a search
        self._meter = Meter(plan, self._clock)
        self.note(self._meter.opening())
        self._live = Live(
            console=self._console,
            get_renderable=self._picture,
            refresh_per_second=REFRESHES,
            transient=True,
            redirect_stdout=False,
        )
        self._live.start()

    def progress(self, shard: Shard, progress: Progress) -> None:
        """Take in how far a shard is."""
        if self._meter is not None:
            self._meter.add(shard, progress)

    def epoch(self, measured: EpochMeasured) -> None:
        """Nothing: the picture shows it."""

    def ended(self, trial: TrialPlan, result: TrialEnded) -> None:
        """Count the trial, and say so if it diverged."""
        if self._meter is not None:
            self._meter.end(trial)
        if result.status == "diverged":
            self.note(divergence(trial, result))

    def note(self, text: str) -> None:
        """Print a note above the picture."""
        self._console.print(text, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Take the picture away."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _picture(self) -> Table:
        from rich.table import Table

        table = Table.grid(padding=(0, 1))
        for _ in range(7):
            table.add_column(no_wrap=True)
        meter = self._meter
        if meter is None:
            return table
        for cohort in _shown(meter.running()):
            table.add_row(*_row(cohort))
        if len(meter.cohorts) > 1 or meter.plan.ahead:
            left = meter.seconds_left
            table.add_row(
                "search" if meter.plan.ahead else "all",
                _bar(meter.share),
                f"{meter.share:.0%}",
                "",
                "",
                "",
                _left(left),
            )
        return table


def _shown(cohorts: list[CohortMeter]) -> list[CohortMeter]:
    under_way = [cohort for cohort in cohorts if cohort.share < 1]
    done = [cohort for cohort in cohorts if cohort.share >= 1]
    room = max(0, MOST_LINES - len(under_way))
    kept = {
        id(cohort) for cohort in (under_way + done[len(done) - room :] if room else under_way[:MOST_LINES])
    }
    return [cohort for cohort in cohorts if id(cohort) in kept]


def _row(cohort: CohortMeter) -> tuple[RenderableType, ...]:
    return (
        cohort.name if len(cohort.name) <= NAME_WIDTH else f"{cohort.name[: NAME_WIDTH - 1]}…",
        _bar(cohort.share),
        f"epoch {cohort.epoch}/{cohort.epochs}",
        f"loss {cohort.loss:.3f}" if cohort.loss is not None else "",
        f"acc {cohort.accuracy:.3f}" if cohort.accuracy is not None else "",
        f"{cohort.speed:,.0f}/s" if cohort.speed is not None else "",
        _left(cohort.seconds_left),
    )


def _bar(share: float) -> RenderableType:
    from rich.progress_bar import ProgressBar

    return ProgressBar(total=1.0, completed=share, width=BAR_WIDTH)


def _left(seconds: float | None) -> str:
    return "" if seconds is None else clock_words(seconds)


@contextmanager
def live_progress() -> Iterator[Listener]:
    """Show progress while the block runs: live where standard error is a terminal, else plain lines."""
    console = messages()
    if not console.is_terminal or console.is_dumb_terminal:
        yield PlainProgress(sys.stderr)
        return
    live = LiveProgress(console)
    try:
        yield live
    finally:
        live.close()
