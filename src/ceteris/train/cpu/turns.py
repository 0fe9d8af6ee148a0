"""Whose turn it is to compile: one process of a user at a time, so that the others find what it has kept.

Workers start side by side, and on a new machine all of them want the same kernels: a minute of processor time
and up to a gigabyte of memory each.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows: everybody compiles
    fcntl = None  # type: ignore[assignment]

PATIENCE_SECONDS = 300.0
"""Nobody waits longer: the process whose turn it is may have been suspended."""
_ASKED_EVERY = 0.05


def turn_file() -> Path:
    """Return the file that is locked by the process whose turn it is."""
    import platformdirs

    return platformdirs.user_cache_path("ceteris") / "compiling.lock"


class Turn:
    """This process's turn."""

    def __init__(self) -> None:
        self._thread = threading.RLock()
        self._depth = 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Wait until no other process compiles, and keep them from it; within a turn there is no waiting.

        Where files cannot be locked, and after ``PATIENCE_SECONDS``, everybody goes on.
        """
        with self._thread:
            file = _locked() if self._depth == 0 else None
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if file is not None:
                    file.close()


own_turn = Turn()


def _locked() -> IO[bytes] | None:
    """Return the locked file, or None where there is no waiting for it."""
    if fcntl is None:
        return None
    with suppress(OSError):
        path = turn_file()
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_ASKED_EVERY)
            except OSError:
                break
            else:
                return file
        file.close()
    return None
