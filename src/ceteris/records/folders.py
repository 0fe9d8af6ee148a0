"""The folders of the records: where they are, and how a file gets into one whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ceteris.errors import CeterisError, Problem
from ceteris.records.database import DATABASE_NAME

FOLDER_VARIABLE = "CETERIS_RUNS"
DEFAULT_FOLDER = "ceteris-runs"
UNFINISHED = ".part"


def records_folder(named: str | Path | None = None) -> Path:
    """Return the folder of records: the one named, or that in ``CETERIS_RUNS``, or ``./ceteris-runs``."""
    given = None if named is None else given_path(named, "runs_dir")
    return (given or Path(os.environ.get(FOLDER_VARIABLE) or DEFAULT_FOLDER)).expanduser()


def given_path(named: str | Path, where: str) -> Path | None:
    """Return a path as the user gave it, None for an empty one. Raises ``CeterisError`` for what is none."""
    if not isinstance(named, str | os.PathLike):
        raise CeterisError(Problem(f"a value of type {type(named).__name__} is no path", where=where))
    return Path(named) if str(named) else None


def database_file(folder: Path, create: bool) -> Path:
    """Return the path of the database in ``folder``, which is made where ``create`` says so.

    Raises ``CeterisError`` where the folder is a file, cannot be made, or holds no records.
    """
    path = folder / DATABASE_NAME
    if folder.exists() and not folder.is_dir():
        raise CeterisError(f"{folder} is a file; the folder of the records has to be a folder")
    if create:
        with explained_disk(folder, "the folder of the records could not be made"):
            folder.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        raise CeterisError(
            f"there are no records in {folder}; name the folder of the runs or run a study first"
        )
    return path


def prepare_folder(folder: Path) -> None:
    """Make a run's folder of weights and remove what writers that died left half written in it."""
    with explained_disk(folder, "the folder of the weights could not be made"):
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob(f".*{UNFINISHED}"):
            path.unlink(missing_ok=True)
    for above in (folder.parent, folder.parent.parent):
        flush_folder(above)


def write_whole(path: Path, content: bytes, *, flush: bool = True) -> None:
    """Write a file under another name, flush it to the disk and rename it; nothing half is left.

    Without ``flush`` that holds when the process dies, and not when the power fails.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}{UNFINISHED}")
    with explained_disk(path.parent, "the weights could not be written"):
        try:
            with unfinished.open("wb") as file:
                file.write(content)
                if flush:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(unfinished, path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


def flush_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut (a no-op where folders cannot be flushed)."""
    if os.name != "posix" or not folder.is_dir():
        return
    with explained_disk(folder, "the weights could not be written"):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def explained_disk(folder: Path, failure: str) -> Iterator[None]:
    """Turn failures of the disk inside into one ``CeterisError`` with one clear sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise CeterisError(
                f"the disk with {folder} is full, so {failure}; everything before is safe"
            ) from error
        raise CeterisError(f"{failure}: {folder}: {error.strerror}") from error


_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)
