"""Compiles the training kernels before the tests begin, in both precisions at the same time.

Left to the tests, every process that comes upon missing kernels compiles them for itself, a minute each.
Numba's cache may be read by many but its index is rewritten without a lock: two processes that compile
the same function for different types could lose an entry, or leave one that names the other's code.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PRECISIONS = ("float32", "float64")


def compile_all() -> None:
    """Compile what is not compiled; takes seconds where everything is.

    Where that fails, this is told, and the tests compile for themselves.
    """
    command = [sys.executable, "-m", "tests.kernels"]
    running = [subprocess.Popen([*command, precision], cwd=ROOT) for precision in PRECISIONS]
    codes = [process.wait() for process in running]
    if any(codes):
        print(f"the training kernels were not compiled before the tests: exit codes {codes}", file=sys.stderr)


def take_turns() -> None:
    """Let this process and others wait for each other when they write to the cache."""
    from numba.core.caching import IndexDataCacheFile

    save = IndexDataCacheFile.save

    def save_alone(file: Any, key: Any, data: Any) -> None:
        folder = os.open(file._cache_path, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            save(file, key, data)
        finally:
            os.close(folder)

    IndexDataCacheFile.save = save_alone


def train_and_measure(precision: str) -> None:
    """Let an engine do everything that engines do, on a few rows."""
    import numpy as np

    from ceteris.nets.architecture import architecture
    from ceteris.nets.stacked import initial_stack
    from ceteris.spec.experiment import Experiment
    from ceteris.train.cpu.sharing import assist
    from ceteris.train.cpu.team import CLOSED, new_team
    from tests.train.oracle import run

    dtype = np.dtype(precision)
    experiment = Experiment(
        data="digits", model={"kind": "mlp", "hidden": [3]}, loss="cross_entropy", batch_size=8
    )
    stack = initial_stack(architecture(experiment.model, 4, 2), [experiment.model], [0], dtype)
    x, y = np.ones((16, 4), dtype), np.arange(16) % 2
    engine = run("compiled", [experiment], stack, x, y, [np.arange(16)])
    rows, active = [np.arange(16)], np.ones(1, dtype=np.bool_)
    engine.evaluate(rows, active, keep_outputs=True)
    engine.activations(rows, active)
    closed = new_team(2)
    closed[CLOSED] = 1
    assist(engine._net, engine._members, engine._rules, engine._space, closed)


if __name__ == "__main__":
    take_turns()
    train_and_measure(sys.argv[1])
