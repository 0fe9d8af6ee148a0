"""Who writes a run, and whether that process is still there.

On the same machine the process itself is asked; from another machine (a shared folder) only the
heartbeat tells. A process that lives but has stopped beating (an interrupted notebook) counts as
gone as well, so that no run reads as running for ever.
"""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path

STALE_SECONDS = 300.0
"""Without a heartbeat for so long a writer counts as dead; every recorded epoch is one."""


@dataclass(frozen=True)
class Writer:
    """One session of one process that writes one run."""

    token: str
    machine: str
    process: int
    process_start: str


def this_process() -> Writer:
    """Return a new session of this process."""
    process = os.getpid()
    return Writer(secrets.token_hex(8), this_machine(), process, process_start(process) or "")


def is_alive(writer: Writer, since_heartbeat: float, stale: float) -> bool:
    """Tell whether a writer that last beat ``since_heartbeat`` seconds ago still writes."""
    if since_heartbeat > stale:
        return False
    return writer.machine != this_machine() or _process_lives(writer.process, writer.process_start)


@cache
def this_machine() -> str:
    """Return a name under which process numbers mean the same: host, and container on Linux."""
    try:
        numbering = os.readlink("/proc/self/ns/pid")
    except OSError:
        numbering = ""
    return f"{socket.gethostname()} {numbering}".strip()


def process_start(process: int) -> str | None:
    """Return when a process began (Linux clock ticks), "" where that is not told, None if it is gone."""
    if not Path("/proc/self/stat").exists():
        return ""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    # After the name in brackets: the state comes first, the start time is the 20th (proc(5), field 22).
    return None if fields[0] in "ZX" else fields[19]


def _process_lives(process: int, start: str) -> bool:
    found = process_start(process)
    if found:
        return found == start
    if found is None:
        return False
    return _signal_reaches(process)


def _signal_reaches(process: int) -> bool:
    if os.name != "posix":
        # On Windows a signal 0 would end the process; the heartbeat has to do.
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
