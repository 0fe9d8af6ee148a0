"""Training in tests runs under the numerics of a worker; they have to be set before NumPy loads.

Where tests run in several processes, the kernels are compiled before they begin, and each process keeps to
a core of its own: a study that is run without saying how starts one training process then and not one per
core, while the other tests have the other cores.
"""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from ceteris.train import numerics

assert "numpy" not in sys.modules, "NumPy was loaded before the numerics were set"
os.environ.update(numerics.environment())

# How long an example takes says how busy the machine is, and nothing of the law that is tried.
settings.register_profile("ceteris", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ceteris")

# How a run is laid out depends on no test before it, and nothing is learnt of this machine.
os.environ["CETERIS_CALIBRATION"] = os.devnull

PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "")
if PROCESS and hasattr(os, "sched_setaffinity"):
    CORES = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {CORES[int(PROCESS.removeprefix("gw")) % len(CORES)]})


def pytest_configure(config: pytest.Config) -> None:
    """Compile the kernels in the process that hands out the tests to others, before it does."""
    if config.getoption("numprocesses", None) and not PROCESS:
        from tests.kernels import compile_all

        compile_all()


@pytest.fixture(scope="session", autouse=True)
def forked_workers() -> Iterator[None]:
    """Fork training processes instead of starting them; see ``tests.forked``."""
    from ceteris.lab import crew
    from tests import forked

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crew, "subprocess", forked.processes)
        yield
    if forked.CAN_FORK:
        forked.processes.close()


@pytest.fixture
def started_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start training processes as the product does."""
    monkeypatch.setattr("ceteris.lab.crew.subprocess", subprocess)
