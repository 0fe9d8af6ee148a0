"""Where data files are looked for: the folders a user names, the per-user cache, the system's own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ceteris.errors import CeterisError

ENVIRONMENT_VARIABLE = "CETERIS_DATA"


@dataclass(frozen=True)
class Place:
    """A folder that may hold the files of a data set."""

    folder: Path
    ours: bool = False
    """True for the cache: a damaged file in it is fetched again instead of refused."""
    general: bool = False
    """True for a folder that is not called after the data set: its files may be another's."""


def cache_folder(name: str) -> Path:
    """Return the per-user cache of the data set ``name``."""
    import platformdirs

    return platformdirs.user_cache_path("ceteris") / "data" / name


def user_folders(folder: Path | None) -> tuple[Path, ...]:
    """Return the folders that the user named, nearest first.

    Raises CeterisError for one that is not there, saying which name led to it.
    """
    variable = os.environ.get(ENVIRONMENT_VARIABLE)
    named = [
        ("--data-dir, `data_dir` in Python", folder),
        (ENVIRONMENT_VARIABLE, Path(variable) if variable else None),
    ]
    found = []
    for what, path in named:
        if path is None:
            continue
        if not path.expanduser().is_dir():
            raise CeterisError(f"there is no folder {path} (named by {what})")
        found.append(path.expanduser())
    return tuple(found)


def places(
    name: str, folder: Path | None, aliases: Sequence[str] = (), system: Sequence[Path] = ()
) -> tuple[Place, ...]:
    """Return all places where the files of ``name`` may lie, in the order of search.

    In a folder that the user named they may lie in a subfolder called after the data set
    (``aliases`` are further such subfolders, as other tools lay them out) or in the folder itself.
    """
    inside = [
        place
        for base in user_folders(folder)
        for place in (*(Place(base / sub) for sub in (name, *aliases)), Place(base, general=True))
    ]
    return (*inside, Place(cache_folder(name), ours=True), *(Place(path) for path in system))


def find_file(folder: Path, file: str) -> Path | None:
    """Return the file in ``folder`` under one of its usual names: gzip or plain, `-idx3` or `.idx3`."""
    dotted = file.replace("-idx", ".idx")
    for name in (f"{file}.gz", file, f"{dotted}.gz", dotted):
        path = folder / name
        if path.is_file():
            return path
    return None
