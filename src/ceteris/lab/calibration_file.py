"""Keeps what training takes on this machine from run to run: one small file in the user's cache.

A file that is damaged, or of another version, is as good as none. Whoever writes reads it again just before,
so that of two processes that write at once one may lose what it has just learnt, and no more.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from typing import Any

from ceteris.errors import CeterisError
from ceteris.lab.calibration import Kinds
from ceteris.records.folders import write_whole
from ceteris.train.messages import Timed

FILE_VARIABLE = "CETERIS_CALIBRATION"
VERSION = 2
MOST_KINDS = 1000
"""So many kinds are kept, those that were met last: about 200 KB."""


def calibration_file() -> Path:
    """Return where the file lies: where ``CETERIS_CALIBRATION`` says, or in the user's cache."""
    named = os.environ.get(FILE_VARIABLE)
    if named:
        return Path(named).expanduser()
    import platformdirs

    return platformdirs.user_cache_path("ceteris") / "calibration.json"


def read_kinds(path: Path) -> Kinds:
    """Return what is kept, which may be nothing."""
    return {kind: timed for kind, (_, timed) in _read(path).items()}


def keep_kinds(path: Path, new: Kinds) -> None:
    """Keep what was measured or learnt of some kinds. Nothing happens where the file cannot be written.

    What is no file, such as `/dev/null`, is left as it is: it would be replaced.
    """
    if not new:
        return
    now = time.time()
    kept = _read(path) | {kind: (now, timed) for kind, timed in new.items()}
    last = sorted(kept.items(), key=lambda item: -item[1][0])[:MOST_KINDS]
    content = {
        "version": VERSION,
        "kinds": {kind: {"at": at, "timed": [astuple(own) for own in timed]} for kind, (at, timed) in last},
    }
    with suppress(CeterisError, OSError):
        if path.exists() and not path.is_file():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(content).encode(), flush=False)


def _read(path: Path) -> dict[str, tuple[float, tuple[Timed, ...]]]:
    try:
        content = json.loads(path.read_bytes())
        if content["version"] != VERSION:
            return {}
        return {
            kind: (float(kept["at"]), tuple(map(_timed, kept["timed"])))
            for kind, kept in content["kinds"].items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError):
        return {}


def _timed(numbers: Any) -> Timed:
    """Return what a list of numbers stands for. Raises an error of Python's for anything else."""
    members, threads, *seconds = numbers
    step, row, epoch = map(float, seconds)
    counted = all(1 <= own < 2**31 for own in (members, threads))
    if not counted or not all(0 <= own < 1e6 for own in (step, row, epoch)):
        raise ValueError
    return Timed(int(members), int(threads), step, row, epoch)
