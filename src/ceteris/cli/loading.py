"""How far downloads and the reading of large files are: bars in a terminal, a line now and then elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ceteris.cli.screen import messages, tell

if TYPE_CHECKING:
    from ceteris.data import Download, Reading


@contextmanager
def loading_progress() -> Iterator[Callable[[Download | Reading], None]]:
    """Show downloads and large files while the block runs; nothing appears where there are none."""
    console = messages()
    if not console.is_terminal:
        yield _announce()
        return
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def show(step: Download | Reading) -> None:
            name, done = _name_of(step)
            if name not in tasks:
                tasks[name] = bars.add_task(name)
            bars.update(tasks[name], completed=done, total=step.total)

        yield show


def _name_of(step: Download | Reading) -> tuple[str, int]:
    """Return what a step's bar is called, and the bytes so far."""
    from ceteris.data import Reading

    if isinstance(step, Reading):
        return f"{step.file}: {step.step}", step.done
    return f"{step.source}: {step.file}", step.received


def _announce() -> Callable[[Download | Reading], None]:
    from ceteris.data import Reading, ReadingLines

    announced: set[str] = set()
    lines = ReadingLines()

    def show(step: Download | Reading) -> None:
        if isinstance(step, Reading):
            line = lines.line(step)
            if line is not None:
                tell(line)
        elif step.url not in announced:
            announced.add(step.url)
            tell(f"{step.source}: downloading {step.url}")

    return show
