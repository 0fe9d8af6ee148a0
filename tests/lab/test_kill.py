"""The whole lab is killed at random moments: the record opens, and a resumed run has the same bits."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest

from ceteris.lab.resume import resume_run
from ceteris.lab.run import run_study
from ceteris.spec.parse import parse_study
from tests.lab.made import all_curves, all_weights, load, share_right

# A script as people write them: no guard, a metric from a file beside it, which is found by sys.path alone.
SCRIPT = """
import json
import sys
from pathlib import Path
from ceteris.lab.listener import Unheard
from ceteris.lab.run import run_study
from ceteris.spec.parse import parse_study
from beside import slow_share

class Shouting(Unheard):
    def planned(self, plan):
        print("planned", flush=True)
    def epoch(self, measured):
        print("epoch", flush=True)
    def ended(self, trial, result):
        print("ended", flush=True)

run_study(parse_study(json.loads(sys.argv[2])), runs_folder=Path(sys.argv[1]), workers=2,
          metrics={"share": slow_share}, listener=Shouting())
"""
STUDY = {
    "experiment": {
        "data": "digits",
        "model": {"kind": "mlp", "hidden": [8]},
        "epochs": 12,
        "batch_size": 64,
        "metrics": ["share"],
    },
    "vary": {"way": {"a": {"optimizer.lr": 0.01}, "b": {"optimizer.lr": 0.002}, "c": {"epochs": 30}}},
    "seeds": 1,
}
# The worker that trains level `c` reads 60 times, the other 48 times: no run ends before it is killed.
BESIDE = """
import itertools
import os
import time
from pathlib import Path

READINGS = itertools.count(1)

def slow_share(outputs, targets):
    Path(os.environ["PIDS"], str(os.getpid())).touch()
    time.sleep(0.005 if next(READINGS) <= 50 else 3600)
    return float((outputs.argmax(1) == targets).double().mean())
"""


def start(folder: Path, runs: Path) -> subprocess.Popen[str]:
    (folder / "script.py").write_text(SCRIPT)
    (folder / "beside.py").write_text(BESIDE)
    pids = folder / "pids"
    pids.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, str(folder / "script.py"), str(runs), json.dumps(STUDY)],
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        env=os.environ | {"PIDS": str(pids)},
    )


def read_until(stream: IO[str], wanted: int) -> int:
    """Read lines until so many epochs were heard; return how many trials had ended by then."""
    epochs = ended = 0
    while epochs < wanted:
        line = stream.readline()
        assert line, "the script ended too early"
        epochs += line == "epoch\n"
        ended += line == "ended\n"
    return ended


def has_ended(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_a_lab_killed_at_random_moments_loses_nothing(tmp_path: Path) -> None:
    share = {"share": share_right}
    whole = run_study(parse_study(STUDY), runs_folder=tmp_path / "whole", workers=1, metrics=share)
    reference = load(tmp_path / "whole", whole)
    assert reference.status == "finished"
    moments = random.Random()
    for epochs in (0, moments.randint(1, 20), moments.randint(20, 36)):
        runs, delay = tmp_path / f"killed-{epochs}", moments.uniform(0, 0.05)
        with start(tmp_path, runs) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "planned\n"
            ended = read_until(process.stdout, epochs)
            time.sleep(delay)
            process.kill()
        check_killed(runs, epochs, ended, tmp_path / "pids")
        check_resumed(runs, tmp_path, reference.id)


def check_killed(runs: Path, epochs: int, ended: int, pids: Path) -> None:
    record = load(runs, "last")
    assert record.status == "stopped"
    assert sum(t.status == "finished" for t in record.trials) >= ended - 2  # ends are written in groups
    assert sum(len(t.curves["lr"]) for t in record.trials if t.curves) >= epochs
    workers = [int(path.name) for path in pids.iterdir()]
    deadline = time.monotonic() + 10
    while not all(map(has_ended, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert all(map(has_ended, workers)), "workers outlive their lab"


def check_resumed(runs: Path, folder: Path, reference: str) -> None:
    before = load(runs, "last")
    kept = {t.identity for t in before.trials if t.status == "finished"}
    resume_run(before.id, runs_folder=runs, workers=1, metrics={"share": share_right})
    record, whole = load(runs, before.id), load(folder / "whole", reference)
    assert record.status == "finished"
    curves = all_curves(record)
    assert curves == all_curves(whole)
    assert all_weights(runs, record) == all_weights(folder / "whole", whole)
    assert {t: curves[t] for t in kept} == {t: c for t, c in all_curves(before).items() if t in kept}
