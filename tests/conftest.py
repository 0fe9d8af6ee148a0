"""Training in tests runs under the numerics of a worker; they have to be set before NumPy loads.

Where tests run in several processes, the kernels are compiled before they begin, and each process keeps to
a core of its own: a study that is run without saying how starts one training process then and not one per
core, while the other tests have the other cores.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from ceteris.train import numerics

if TYPE_CHECKING:
    from tests.forked import Forked, Template

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


class ForkedProcesses:
    """Stands for ``subprocess`` where workers are started: forks those that a template can make."""

    PIPE = subprocess.PIPE

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._template: Template | None = None

    def Popen(  # noqa: N802  # the name in subprocess
        self, command: list[str], *, env: dict[str, str], **streams: Any
    ) -> "Forked | subprocess.Popen[bytes]":
        from tests.forked import Template

        if self._template is None:
            self._template = Template(self._environment)
        if self._template.makes(env):
            return self._template.fork()
        return subprocess.Popen(command, env=env, **streams)

    def close(self) -> None:
        """End the template."""
        if self._template is not None:
            self._template.close()


@pytest.fixture(scope="session", autouse=True)
def forked_workers() -> Iterator[None]:
    """Fork training processes instead of starting them; see ``tests.forked``."""
    if not sys.platform.startswith("linux"):
        yield
        return
    from ceteris.lab import crew

    processes = ForkedProcesses(crew.worker_environment())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crew, "subprocess", processes)
        yield
    processes.close()


@pytest.fixture
def started_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start training processes as the product does."""
    monkeypatch.setattr("ceteris.lab.crew.subprocess", subprocess)
