"""What this machine can spare: processor cores and memory, container limits included."""

from __future__ import annotations

import os
from pathlib import Path

MEMORY_SHARE = 0.5
"""The share of the available memory that stacks of members may take."""
UNKNOWN_MEMORY = 4 * 2**30
CGROUP = Path("/sys/fs/cgroup")


def available_cores() -> int:
    """Return how many cores this process may use: its affinity, and its container's quota."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows have no affinity
        cores = os.cpu_count() or 1
    quota = _cpu_quota(_text(CGROUP / "cpu.max"))
    return cores if quota is None else max(1, min(cores, quota))


def _cpu_quota(text: str) -> int | None:
    """Read ``200000 100000`` (microseconds of work per microseconds) as 2 cores; ``max`` is no limit."""
    words = text.split()
    if len(words) != 2 or words[0] == "max":
        return None
    return max(1, round(int(words[0]) / int(words[1])))


def available_bytes() -> int:
    """Return the memory that can be had without swapping: the system's, and the container's."""
    found = [_meminfo(_text(Path("/proc/meminfo"))), _cgroup_bytes(CGROUP)]
    return min((number for number in found if number is not None), default=UNKNOWN_MEMORY)


def _meminfo(text: str) -> int | None:
    for line in text.splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _cgroup_bytes(folder: Path) -> int | None:
    limit, used = _text(folder / "memory.max").strip(), _text(folder / "memory.current").strip()
    if not limit.isdecimal() or not used.isdecimal():
        return None
    return max(0, int(limit) - int(used))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
