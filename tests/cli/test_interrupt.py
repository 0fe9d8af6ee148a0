"""Ctrl-C: after the epoch, then at once; what was recorded stays. And a reader that goes away."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, environment, run_command

LONG = """\
experiment: {data: digits, model: {kind: mlp, hidden: [256]}, epochs: 100000, optimizer: sgd}
vary: {optimizer.lr: [0.1, 0.01]}
seeds: 2
"""


def start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    (folder / "long.yaml").write_text(LONG)
    return subprocess.Popen(
        [*COMMAND, "run", "long.yaml", "--workers", "1", *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_training(process: "subprocess.Popen[str]") -> list[str]:
    """Return the lines of standard error up to the first that tells of an epoch."""
    assert process.stderr is not None
    lines: list[str] = []
    for line in process.stderr:
        lines.append(line)
        if "epoch" in line:
            return lines
    pytest.fail("".join(lines))


def epochs_recorded(folder: Path) -> int:
    done = run_command(folder, "show", "last", "--json")
    assert done.returncode == 0, done.stderr
    return len(json.loads(done.stdout)["trials"])


@pytest.mark.slow
def test_the_first_interrupt_stops_after_the_epoch_and_prints_what_is_there(tmp_path: Path) -> None:
    process = start(tmp_path, "--json")
    line = wait_for_training(process)[-1]
    assert " of 100000, loss " in line
    assert line.rstrip().endswith(" left")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert "stopping after this epoch, and everything is kept; Ctrl-C again stops at once\n" in err
    assert "Traceback" not in err
    found = json.loads(out)
    assert found["status"] == "stopped"
    assert {trial["status"] for trial in found["trials"]} == {"pending"}
    assert Path(found["report"]).is_file()
    assert process.returncode == 130
    shown = run_command(tmp_path, "show", "last").stdout
    assert "stopped, 0 of 4 trials" in shown
    assert f"go on: ceteris resume {found['run']}" in shown


@pytest.mark.slow
def test_the_second_interrupt_stops_at_once(tmp_path: Path) -> None:
    # An epoch that takes longer than the second interrupt can be away.
    process = start(tmp_path, "--set", "batch_size=1", "--set", "model.hidden=[16384]")
    wait_for_training(process)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert any("stopping after this epoch" in line for line in process.stderr)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert "stopping at once; everything recorded is kept\n" in err
    assert "Traceback" not in err
    assert "stopped, 0 of 4 trials" in out
    assert process.returncode == 130


def test_a_reader_that_goes_away_is_silent(tmp_path: Path) -> None:
    command = f"{' '.join(COMMAND)} studies show digits/learning-rate | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=tmp_path,
        env=environment() | {"PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "# The demo: real images that come with scikit-learn, nothing to download.\n"
    assert done.stderr == ""
    assert done.returncode in (0, 141)


def test_output_to_a_closed_pipe_ends_silently(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, "studies"],
        cwd=tmp_path,
        env=environment(),
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert done.stderr == b""
    assert done.returncode == 141
