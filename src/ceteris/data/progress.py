"""How far the reading of a large file has come, for whoever shows it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

LINE_SECONDS = 10.0
"""Between two lines about one file."""
MEGABYTE = 1e6


@dataclass(frozen=True)
class Reading:
    """How far one pass over a large file has come; handed to the caller's report function."""

    file: str
    step: str
    """What this pass is for, in a few words."""
    done: int
    """Bytes so far."""
    total: int
    """Bytes in all."""


Step = Callable[[int], None]
"""Told how many bytes of a file a pass has read so far."""


def unheard(done: int) -> None:
    """Tell nobody how far a pass is."""


class ReadingLines:
    """Turns what is told of files that are read into a line now and then, for logs and pipes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: dict[tuple[str, str], tuple[float, int]] = {}
        """File and step -> when it was first told of, and the bytes by then."""
        self._due: dict[str, float] = {}

    def line(self, reading: Reading) -> str | None:
        """Return a line to show: at the beginning of a file and then every ten seconds; else None."""
        now, place = self._clock(), (reading.file, reading.step)
        began, before = self._began.setdefault(place, (now, reading.done))
        if reading.file not in self._due:
            self._due[reading.file] = now + LINE_SECONDS
            return f"reading {reading.file}, {reading.total / MEGABYTE:,.0f} MB, in pieces"
        if now < self._due[reading.file]:
            return None
        self._due[reading.file] = now + LINE_SECONDS
        line = f"reading {reading.file}: {reading.step}, {reading.done / reading.total:.0%}"
        speed = (reading.done - before) / (now - began) if now > began else 0.0
        if not speed:
            return line
        left = (reading.total - reading.done) / speed
        return f"{line} at {speed / MEGABYTE:,.0f} MB/s, {left:,.0f} s left of this pass"
