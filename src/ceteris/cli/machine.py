"""What a training process of this machine is like, asked of one, started as the lab starts them."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from typing import Any

TIMEOUT_SECONDS = 120


def probe() -> dict[str, Any]:
    """Start a training process and return what it finds; ``problem`` says why it could not."""
    from ceteris.train.numerics import environment, processor

    begun = time.monotonic()
    known: dict[str, Any] = {
        "system": f"{platform.system()} {platform.release()}, {processor()}",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "devices": [],
        "numerics": {},
        "problem": None,
    }
    command = [sys.executable, "-m", "ceteris.cli.machine"]
    try:
        done = subprocess.run(
            command,
            env=os.environ | environment(),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return known | {"problem": f"cannot be started: {error}", "seconds": time.monotonic() - begun}
    found = _answer(done)
    return known | found | {"seconds": round(time.monotonic() - begun, 2)}


def _answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    if done.returncode == 0:
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer
    last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
    return {"problem": f"ended with {done.returncode}: {last[0]}"}


def describe_this_process() -> dict[str, Any]:
    """Return the devices and numerics of a process in which a product has been computed."""
    import numpy as np
    import torch

    from ceteris.train.numerics import describe, prepare_process

    prepare_process()
    ones = torch.ones(64, 64)
    right = bool((ones @ ones == 64).all()) and bool(np.all(ones.numpy() @ ones.numpy() == 64))
    cards = [f"cuda: {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
    return {
        "devices": ["cpu", *cards],
        "numerics": describe("cpu"),
        "problem": None if right else "a product of two matrices came out wrong",
    }


if __name__ == "__main__":
    print(json.dumps(describe_this_process()))
