"""How far a download is: a bar in a terminal, a line at the beginning elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ceteris.cli.screen import messages, tell

if TYPE_CHECKING:
    from ceteris.data import Download


@contextmanager
def download_progress() -> Iterator[Callable[[Download], None]]:
    """Show downloads while the block runs; nothing appears where nothing is downloaded."""
    console = messages()
    if not console.is_terminal:
        yield _announce()
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def show(download: Download) -> None:
            if download.url not in tasks:
                tasks[download.url] = bars.add_task(f"{download.source}: {download.file}")
            bars.update(tasks[download.url], completed=download.received, total=download.total)

        yield show


def _announce() -> Callable[[Download], None]:
    announced: set[str] = set()

    def show(download: Download) -> None:
        if download.url not in announced:
            announced.add(download.url)
            tell(f"{download.source}: downloading {download.url}")

    return show
