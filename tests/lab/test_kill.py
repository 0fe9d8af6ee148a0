"""The whole lab is killed at random moments: the record opens, and a resumed run has the same bits."""

import importlib
import json
import os
import random
import time
from pathlib import Path
from typing import IO, Any

import pytest

from ceteris.lab.resume import resume_run
from ceteris.lab.run import run_study
from ceteris.records.views import RunRecord
from ceteris.spec.parse import parse_study
from tests.forked import CAN_FORK, Forked, processes
from tests.lab.made import NET, Diary, all_curves, all_weights, load, share_right

# A script as people write them: no guard, a metric and a network from a file beside it, which is found by
# sys.path alone.
SCRIPT = """
import json
import sys
from pathlib import Path
from ceteris.lab.listener import Unheard
from ceteris.lab.run import run_study
from ceteris.spec.parse import parse_study
from beside import Net, slow_share

class Shouting(Unheard):
    def planned(self, plan):
        print("planned", flush=True)
    def epoch(self, measured):
        print("epoch", flush=True)
    def ended(self, trial, result):
        print("ended", flush=True)

run_study(parse_study(json.loads(sys.argv[2])), runs_folder=Path(sys.argv[1]), workers=2,
          metrics={"share": slow_share}, modules={"Net": Net}, listener=Shouting(),
          checkpoint_seconds=float(sys.argv[3]))
"""
DROPPING = {"kind": "mlp", "hidden": [8], "dropout": 0.2}
ENGINES: dict[str, dict[str, Any]] = {
    "compiled": {
        "model": DROPPING | {"batch_norm": True},
        "optimizer": {"kind": "adam", "lr": 0.02},
        "schedule": {"kind": "plateau", "patience": 0, "factor": 0.5},
        "early_stopping": {"patience": 8},
    },
    "bfloat16": {"model": DROPPING, "precision": "bfloat16", "accumulate": 2, "schedule": "one_cycle"},
    "float16": {"model": DROPPING, "precision": "float16", "schedule": {"kind": "cosine", "warmup": 2}},
    "convolutional": {
        "model": {"kind": "cnn", "convolutions": [3], "hidden": [6], "batch_norm": True, "dropout": 0.2},
        "data.augment": {"flip": True, "shift": 1},
        "epochs": 30,
    },
    "scratch": {"model": DROPPING, "implementation": "scratch", "optimizer": {"kind": "sgd", "lr": 0.1}},
    "own": {"model": {"kind": "module", "name": "Net"}, "early_stopping": {"patience": 9}},
}
STUDY = {
    "experiment": {
        "data": {"source": "digits", "rows": 200},
        "model": {"kind": "mlp", "hidden": [8]},
        "epochs": 12,
        "batch_size": 64,
        "metrics": ["share"],
    },
    "vary": {"engine": ENGINES},
    "seeds": 1,
}
# All levels together are read 180 times, so one of the workers comes to more than 50 readings and stays
# there: no run ends before it is killed.
BESIDE = """
import itertools
import os
import time
from pathlib import Path
from torch import nn

READINGS = itertools.count(1)

def slow_share(outputs, targets):
    Path(os.environ["PIDS"], str(os.getpid())).touch()
    time.sleep(0.005 if next(READINGS) <= 50 else 3600)
    return float((outputs.argmax(1) == targets).double().mean())
"""


def start(folder: Path, runs: Path, checkpoint_seconds: float) -> Forked:
    pids = folder / "pids"
    pids.mkdir(exist_ok=True)
    arguments = [str(folder / "script.py"), str(runs), json.dumps(STUDY), str(checkpoint_seconds)]
    made: Forked = processes.fork_python(arguments, cwd=Path("/"), env=os.environ | {"PIDS": str(pids)})
    return made


def read_until(stream: IO[bytes], wanted: int) -> int:
    """Read lines until so many epochs were heard; return how many trials had ended by then."""
    epochs = ended = 0
    while epochs < wanted:
        line = stream.readline()
        assert line, "the script ended too early"
        epochs += line == b"epoch\n"
        ended += line == b"ended\n"
    return ended


def has_ended(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Write the script and the file beside it; return the user's code as this process goes on with it."""
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "beside.py").write_text(BESIDE + NET)
    monkeypatch.syspath_prepend(tmp_path)
    beside = importlib.import_module("beside")
    return {"metrics": {"share": share_right}, "modules": {"Net": beside.Net}}


@pytest.mark.slow
@pytest.mark.skipif(not CAN_FORK, reason="looks for processes in /proc, and forks them")
def test_a_lab_killed_at_random_moments_loses_nothing(tmp_path: Path, code: dict[str, Any]) -> None:
    """Of every engine at once, with and without checkpoints; a resumed run has the bits of a whole one."""
    whole = run_study(parse_study(STUDY), runs_folder=tmp_path / "whole", workers=1, **code)
    reference = load(tmp_path / "whole", whole)
    assert reference.status == "finished"
    moments = random.Random()
    for epochs, seconds in ((0, 1e6), (moments.randint(1, 20), 1e6), (moments.randint(20, 36), 0.0)):
        runs, delay = tmp_path / f"killed-{epochs}", moments.uniform(0, 0.05)
        process = start(tmp_path, runs, seconds)
        assert process.stdout.readline() == b"planned\n"
        ended = read_until(process.stdout, epochs)
        time.sleep(delay)
        process.kill()
        process.communicate()
        check_killed(runs, epochs, ended, tmp_path / "pids")
        check_resumed(runs, tmp_path, reference.id, code, from_checkpoints=seconds == 0)
        assert not (runs / load(runs, "last").id / "checkpoints").exists()


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


def len_of(run: RunRecord, identity: str) -> int:
    """Return how many epochs a trial has in all."""
    return next(len(t.curves["lr"]) for t in run.trials if t.identity == identity)


def check_resumed(
    runs: Path, folder: Path, reference: str, code: dict[str, Any], *, from_checkpoints: bool
) -> None:
    before, diary = load(runs, "last"), Diary()
    kept = {t.identity for t in before.trials if t.status == "finished"}
    reached = {t.identity: len(t.curves.get("lr", ())) for t in before.trials if t.identity not in kept}
    resume_run(before.id, runs_folder=runs, workers=1, listener=diary, **code)
    whole = load(folder / "whole", reference)
    again = {(name, m.epoch) for m in diary.epochs for name in m.rows}
    if from_checkpoints:
        assert max(reached.values()) > 1
        assert again == {(name, e) for name in reached for e in range(reached[name], len_of(whole, name))}
    else:
        assert again == {(name, e) for name in reached for e in range(len_of(whole, name))}
    record = load(runs, before.id)
    assert record.status == "finished"
    curves = all_curves(record)
    assert curves == all_curves(whole)
    assert all_weights(runs, record) == all_weights(folder / "whole", whole)
    assert {t: curves[t] for t in kept} == {t: c for t, c in all_curves(before).items() if t in kept}
