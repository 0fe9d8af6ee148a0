"""How far something is that counts its steps: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ceteris.cli.screen import messages, tell

LINE_SECONDS = 10.0

Count = Callable[[int, int], None]
"""Told how many steps are done, of how many."""


@contextmanager
def counting(what: str) -> Iterator[Count]:
    """Show how many of ``what`` are done, their speed and the time left, while the block runs."""
    console = messages()
    if not console.is_terminal or console.is_dumb_terminal:
        yield lines(what, tell)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(what)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def lines(what: str, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> Count:
    """Return what writes a line every ten seconds."""
    began = clock()
    due = began + LINE_SECONDS

    def count(done: int, total: int) -> None:
        nonlocal due
        now = clock()
        if now < due or done >= total:
            return
        due = now + LINE_SECONDS
        left = (total - done) * (now - began) / max(1, done)
        write(f"{done:,} of {total:,} {what}, {left:,.0f} s left")

    return count
