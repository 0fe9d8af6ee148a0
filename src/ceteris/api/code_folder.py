"""Where code of the user's own is looked for that a study's file names as ``package.module:Name``."""

from __future__ import annotations

import sys
from pathlib import Path


def look_beside(source: object, *, allow_code: bool) -> None:
    """Let a study's file name modules that lie beside it, where its user allows code (law 10).

    The folder stands last on Python's path, which training processes take over, so it hides nothing.
    """
    if not allow_code or not isinstance(source, str | Path):
        return
    path = Path(source).expanduser()
    if path.is_file():
        look_in(path.parent)


def look_in(folder: Path) -> None:
    """Let a folder be the last on Python's path, if it is not there yet."""
    if str(folder.resolve()) not in sys.path:
        sys.path.append(str(folder.resolve()))
