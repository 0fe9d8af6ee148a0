"""Drives the real command line in processes of its own, each in an empty folder; most are forked."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.forked import run_python, start_python

COMMAND = [sys.executable, "-m", "ceteris"]
Command = Callable[..., subprocess.CompletedProcess[str]]


def environment(**changes: str) -> dict[str, str]:
    """Return this environment without what would change the command's answers."""
    kept = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    return kept | {"COLUMNS": "80"} | changes


UNWANTED = ("CETERIS_RUNS", "CETERIS_DATA", "CETERIS_DEBUG", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE")


def run_command(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``ceteris`` with these arguments in a folder, without a terminal."""
    return run_python([*COMMAND[1:], *arguments], cwd=folder, env=environment(**variables))


@pytest.fixture
def ceteris(tmp_path: Path) -> Command:
    """The command in a folder of the test's own."""
    return lambda *arguments, **variables: run_command(tmp_path, *arguments, **variables)


@pytest.fixture
def started(finished: Path) -> Command:
    """The command as users start it, in the folder with the finished run."""
    return lambda *arguments: start_python([*COMMAND[1:], *arguments], cwd=finished, env=environment())


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a small study on the digits was run, with what the command wrote."""
    folder = tmp_path_factory.mktemp("finished")
    done = run_command(folder, "run", "digits/learning-rate", "--seeds", "3", "--epochs", "2")
    assert done.returncode == 0, done.stderr
    (folder / "stdout.txt").write_text(done.stdout, encoding="utf-8")
    (folder / "stderr.txt").write_text(done.stderr, encoding="utf-8")
    return folder


@pytest.fixture
def ceteris_there(finished: Path) -> Command:
    """The command in the folder with the finished run."""
    return lambda *arguments, **variables: run_command(finished, *arguments, **variables)
