"""Following a run: its report is written again and again while it goes on, so that its curves grow."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ceteris.api.reports import write
from ceteris.api.runs import load_run

LEAST_SECONDS = 5
SHARE = 10
"""Writing a report takes at most one part in so many of the time."""


def follow(
    run: str,
    path: str | Path | None = None,
    *,
    runs_dir: str | Path | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[Path]:
    """Write a run's report, and anew every few seconds as long as it runs; yield its path each time.

    The page tells a browser to read it anew as often; the last one, of a run that has ended, does not.
    Raises ``CeterisError`` for an unknown run, or where the report cannot be written.
    """
    result = load_run(run, runs_dir=runs_dir)
    seconds = LEAST_SECONDS
    while result.status == "running":
        began = time.monotonic()
        yield write(result.run, result.assessment, path, reload=seconds)
        seconds = max(LEAST_SECONDS, math.ceil(SHARE * (time.monotonic() - began)))
        wait(seconds)
        result = load_run(result.id, runs_dir=runs_dir)
    yield write(result.run, result.assessment, path)
