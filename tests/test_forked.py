"""A process that is forked for a test is like one that is started: in all that a script can see of itself."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests import forked
from tests.forked import run_python, start_python

pytestmark = pytest.mark.skipif(not forked.CAN_FORK, reason="processes are not forked on this system")

SEEING = """
import json, os, signal, sys, threading
if sys.argv[1:] == ["killed"]:
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[1:] == ["failing"]:
    raise ValueError("häßlich")
print(json.dumps([
    __name__, sys.argv, sys.path[0], sys.modules["__main__"].__dict__ is globals(), os.getcwd(),
    sorted(os.environ.items()), sys.stdin.read(),
    [stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)],
    [stream.encoding for stream in (sys.stdout, sys.stderr)], threading.active_count(),
    [str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)],
]))
print("tö tell", file=sys.stderr)
sys.exit(3)
"""


@pytest.mark.parametrize("own", [["see.py"], ["-m", "see"], ["see.py", "killed"], ["-m", "see", "failing"]])
def test_a_script_sees_the_same_and_ends_alike(tmp_path: Path, own: list[str]) -> None:
    (tmp_path / "see.py").write_text(SEEING, encoding="utf-8")
    environment = os.environ | {"ASKED": "for this"}
    environment.pop("PYTEST_CURRENT_TEST")
    made, started = (run(own, cwd=tmp_path, env=environment) for run in (run_python, start_python))
    assert (made.returncode, made.stdout) == (started.returncode, started.stdout)
    assert made.returncode == {"killed": -signal.SIGKILL, "failing": 1}.get(own[-1], 3)
    assert made.stderr.splitlines()[-1:] == started.stderr.splitlines()[-1:]
    assert ("häßlich" in made.stderr) == (own[-1] == "failing")


def test_variables_that_count_before_anything_runs_are_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="has to be started"):
        run_python(["-m", "ceteris"], cwd=tmp_path, env=os.environ | {"NUMBA_DISABLE_JIT": "1"})
