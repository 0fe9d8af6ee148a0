"""What this machine can spare: processor cores and memory, container limits included."""

from __future__ import annotations

import os
import sys
from pathlib import Path

MEMORY_SHARE = 0.5
"""The share of the available memory that stacks of members may take."""
UNKNOWN_MEMORY = 4 * 2**30
CGROUP = Path("/sys/fs/cgroup")
CARD_FILES = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
"""What Linux has where there is a card: NVIDIA's, one seen through WSL, AMD's."""


def available_cores() -> int:
    """Return how many cores this process may use: its affinity, and its container's quota."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows have no affinity
        cores = os.cpu_count() or 1
    quota = _cpu_quota(_text(CGROUP / "cpu.max"))
    return cores if quota is None else max(1, min(cores, quota))


def may_have_card() -> bool:
    """Tell whether torch might find a device of its own here; looks at device files alone."""
    return sys.platform in ("darwin", "win32") or any(Path(file).exists() for file in CARD_FILES)


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
