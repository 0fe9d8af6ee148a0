"""On what and with what was measured."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from typing import Any

from benchmarks.contestants import Contestant
from ceteris.lab.devices import resolve_device
from ceteris.train import numerics


def describe(device: str = "cpu") -> dict[str, Any]:
    """Tell processor, cores, memory, system, how busy the machine was just before, and the card's name."""
    pages, page_size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": numerics.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": pages * page_size / 2**30,
        "system": platform.platform(),
        "load": os.getloadavg()[0],
        **({} if device == "cpu" else {"card": resolve_device(device).name}),
        "thread_settings": {name: os.environ[name] for name in os.environ if name.endswith("_NUM_THREADS")},
    }


def versions(contestants: Iterable[Contestant]) -> dict[str, str]:
    found = {"python": platform.python_version()}
    for contestant in contestants:
        found |= contestant.versions()
    return found
