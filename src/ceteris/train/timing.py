"""What training takes, added up by what it is spent on, so that other training can be foretold."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ceteris.train.messages import Timed

Moment = tuple[float, float]
"""Processor time so far: of this thread, and of the process."""


def moment() -> Moment:
    """Return this moment."""
    return time.thread_time(), time.process_time()


@dataclass
class Spent:
    """Seconds of a stack so far, and what was done in them; everything counts once for each member.

    They are processor time, which others on the machine hardly change: that of the thread that trains. Where
    ``threads`` share the work it may be found to wait for the others, so each has its part of all, at least.
    """

    threads: int = 1
    steps: int = 0
    rows: int = 0
    """Rows that were evaluated."""
    epochs: int = 0
    on_steps: float = 0.0
    on_rows: float = 0.0
    on_rest: float = 0.0
    """Orders of rows, and what is measured of weights: one thread does it."""
    _inside: float = 0.0
    """What steps and rows took this thread since the last epoch ended."""

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.on_steps + self.on_rows + self.on_rest

    def end_steps(self, begun: Moment, steps: int) -> None:
        """Count steps that were begun at that moment."""
        self.on_steps += self._since(begun)
        self.steps += steps

    def end_rows(self, begun: Moment, rows: int) -> None:
        """Count rows that were evaluated."""
        self.on_rows += self._since(begun)
        self.rows += rows

    def end_epoch(self, begun: Moment, members: int) -> None:
        """Count an epoch of so many members; its steps and rows have been counted."""
        self.on_rest += moment()[0] - begun[0] - self._inside
        self.epochs += members
        self._inside = 0.0

    def _since(self, begun: Moment) -> float:
        own, process = (end - begin for end, begin in zip(moment(), begun, strict=True))
        self._inside += own
        return own if self.threads == 1 else max(own, process / self.threads)

    def timed(self, members: int) -> Timed:
        """Return what one member of a stack of so many took for one of each."""
        return Timed(
            members,
            self.threads,
            step=self.on_steps / max(1, self.steps),
            row=self.on_rows / max(1, self.rows),
            epoch=self.on_rest / max(1, self.epochs),
        )
