"""What a training process of this machine is like, asked of one that is started as the lab starts them."""

from __future__ import annotations

import platform
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from ceteris.errors import CeterisError


@dataclass(frozen=True)
class Machine:
    """The machine and the process; ``problem`` says why there is none."""

    system: str
    processor: str
    cores: int
    free_bytes: int
    device: str = ""
    """The device that ``auto`` stands for."""
    numerics: dict[str, Any] = field(default_factory=dict)
    start_seconds: float = 0.0
    problem: str | None = None


def probe() -> Machine:
    """Start a training process, ask it what it trains with, and end it."""
    from ceteris.lab.machine import available_bytes, available_cores
    from ceteris.train.numerics import processor

    machine: dict[str, Any] = {
        "system": f"{platform.system()} {platform.release()}",
        "processor": processor(),
        "cores": available_cores(),
        "free_bytes": available_bytes(),
    }
    begun = time.monotonic()
    try:
        found = _ask_a_worker()
    except CeterisError as error:
        found = {"problem": str(error)}
    return Machine(**machine, **found, start_seconds=round(time.monotonic() - begun, 2))


def devices(*, self_test: bool) -> list[dict[str, Any]]:
    """Return every device as plain data, with what a test on it came to where one is made."""
    from ceteris.lab.devices import all_devices
    from ceteris.lab.self_test import Tested
    from ceteris.lab.self_test import self_test as test

    found = all_devices()
    tested = test(found) if self_test else tuple(Tested(own.device, own.name, 1, "") for own in found)
    return [asdict(own) for own in tested]


def _ask_a_worker() -> dict[str, Any]:
    from ceteris.lab.crew import Crew
    from ceteris.lab.listener import Unheard
    from ceteris.lab.orders import Setup
    from ceteris.lab.undertaking import greet

    with Crew(Setup(tuple(sys.path), "auto")) as crew:
        hello = greet(crew, crew.hire(), Unheard())
    problem = "; ".join(map(str, hello.problems)) or None
    return {"device": hello.device_name, "numerics": dict(hello.numerics), "problem": problem}
