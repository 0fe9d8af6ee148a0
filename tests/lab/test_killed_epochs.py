"""A lab or a worker that is killed outright loses no recorded epoch where epochs take a moment."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ceteris.lab.resume import resume_run
from ceteris.lab.run import run_study
from ceteris.records.views import RunRecord
from ceteris.spec.parse import parse_study
from ceteris.train.messages import CHECKPOINT_SECONDS
from tests.forked import run_python
from tests.lab.made import NET, Diary, check_same, load

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill a process outright"),
]

# The lab kills itself when it hears of the epoch or the end that is asked for, workers end with it.
SCRIPT = """
import json
import os
import signal
import sys
from pathlib import Path
from ceteris.lab.listener import Unheard
from ceteris.lab.run import run_study
from ceteris.spec.parse import parse_study
from ceteris.train.messages import CHECKPOINT_SECONDS
from beside import Net, slow_share

MOMENT, NUMBER = sys.argv[3], int(sys.argv[4])

class Killing(Unheard):
    heard = 0
    def hear(self, moment):
        self.heard += moment == MOMENT
        if self.heard == NUMBER:
            os.kill(os.getpid(), signal.SIGKILL)
    def epoch(self, measured):
        self.hear("epoch")
    def ended(self, trial, result):
        self.hear("end")

run_study(parse_study(json.loads(sys.argv[2])), runs_folder=Path(sys.argv[1]), workers=2,
          metrics={"share": slow_share}, modules={"Net": Net}, listener=Killing(),
          checkpoint_seconds=float(sys.argv[5]))
"""
BESIDE = """
import os
import signal
import time
from pathlib import Path
from torch import nn

def share(outputs, targets):
    return float((outputs.argmax(1) == targets).double().mean())

def slow_share(outputs, targets):
    time.sleep(0.15)
    return share(outputs, targets)

def deadly_share(outputs, targets):
    fatal = Path(os.environ["FATAL"])
    with fatal.open("ab") as file:
        file.write(b".")
    if fatal.stat().st_size == 2 * 3 * 3 + 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return slow_share(outputs, targets)
"""
STOPPING = {
    "optimizer": {"kind": "adam", "lr": 0.02},
    "schedule": {"kind": "plateau", "patience": 0, "factor": 0.5},
    "early_stopping": {"metric": "train_loss", "patience": 1, "min_delta": 0.2},
}
ENGINES: dict[str, dict[str, Any]] = {
    "mlp": {"model": {"kind": "mlp", "hidden": [8], "dropout": 0.2, "batch_norm": True}},
    "stopping": {"model": {"kind": "mlp", "hidden": [8], "dropout": 0.2, "batch_norm": True}} | STOPPING,
    "convolutional": {
        "model": {"kind": "cnn", "convolutions": [3], "hidden": [6], "batch_norm": True, "dropout": 0.2},
    },
    "own": {"model": {"kind": "module", "name": "Net"}},
}


def study(engines: tuple[str, ...], seeds: int, epochs: int = 6, **settings: Any) -> dict[str, Any]:
    experiment = {
        "data": {"source": "digits", "rows": 200},
        "model": {"kind": "mlp", "hidden": [8]},
        "epochs": epochs,
        "batch_size": 64,
        "metrics": ["share"],
    }
    own = {name: ENGINES[name] for name in engines}
    return {"experiment": experiment | settings, "vary": {"engine": own}, "seeds": seeds}


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Write the script and the file beside it, and return the latter."""
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "beside.py").write_text(BESIDE + NET)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "beside", raising=False)
    return importlib.import_module("beside")


def kill_lab(
    folder: Path,
    runs: Path,
    settings: dict[str, Any],
    moment: str,
    number: int,
    seconds: float = 0.0,
) -> RunRecord:
    """Run a study in a lab that is killed when it hears of so many epochs or ends; return what is left."""
    asked = [str(runs), json.dumps(settings), moment, str(number), str(seconds)]
    done = run_python([str(folder / "script.py"), *asked], cwd=Path("/"), env=os.environ)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return load(runs, "last")


def check_goes_on(runs: Path, before: RunRecord, whole: Path, code: dict[str, Any]) -> None:
    """Go on with a run that was killed: no recorded epoch is trained again, and nothing differs."""
    assert before.status == "stopped"
    recorded = {(t.identity, e) for t in before.trials for e in range(len(t.curves.get("lr", ())))}
    assert recorded
    diary = Diary()
    resume_run(before.id, runs_folder=runs, workers=1, listener=diary, **code)
    again = [(name, m.epoch) for m in diary.epochs for name in m.rows]
    assert not recorded & set(again)
    check_same(runs, whole)
    record = load(runs, "last")
    assert len(again) + len(recorded) == sum(len(t.curves["lr"]) for t in record.trials)


def test_a_killed_lab_goes_on_from_its_last_recorded_epoch(tmp_path: Path, beside: ModuleType) -> None:
    """Of a stack, convolutions and a module of one's own; after epochs, and with ends not recorded yet."""
    settings = study(tuple(ENGINES), seeds=2)
    code = {"metrics": {"share": beside.share}, "modules": {"Net": beside.Net}}
    run_study(parse_study(settings), runs_folder=tmp_path / "whole", workers=1, **code)
    whole = load(tmp_path / "whole", "last")
    assert min(len(t.curves["lr"]) for t in whole.trials) < 6, "nobody stopped early"
    for moment, number in (("epoch", 8), ("end", 1)):
        runs = tmp_path / f"{moment}-{number}"
        before = kill_lab(tmp_path, runs, settings, moment, number)
        if moment == "end":
            lengths = {t.identity: len(t.curves["lr"]) for t in whole.trials}
            done = [t for t in before.trials if len(t.curves.get("lr", ())) == lengths[t.identity]]
            assert any(t.status != "finished" for t in done), "an end was recorded before the kill"
        check_goes_on(runs, before, tmp_path / "whole", code)


def test_a_run_that_is_killed_again_and_again_ends_all_the_same(tmp_path: Path, beside: ModuleType) -> None:
    """Every epoch is recorded once; the trials of one sitting go on in other shards in the next one."""
    settings = study(("mlp", "stopping"), seeds=3, epochs=4)
    code = {"metrics": {"share": beside.share}}
    run_study(parse_study(settings), runs_folder=tmp_path / "whole", workers=1, **code)
    before = kill_lab(tmp_path, tmp_path / "runs", settings, "epoch", 2)
    resuming = (
        SCRIPT.replace("run_study(parse_study(json.loads(sys.argv[2]))", "resume_run('last'")
        .replace("workers=2", "workers=3")
        .replace("lab.run import run_study", "lab.resume import resume_run")
    )
    (tmp_path / "script.py").write_text(resuming)
    for _ in range(2):
        recorded = sum(len(t.curves.get("lr", ())) for t in before.trials)
        before = kill_lab(tmp_path, tmp_path / "runs", settings, "epoch", 2)
        assert sum(len(t.curves.get("lr", ())) for t in before.trials) > recorded
    check_goes_on(tmp_path / "runs", before, tmp_path / "whole", code)


def test_a_killed_worker_costs_the_epoch_under_way(
    tmp_path: Path, beside: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fourth epoch of a cohort of three is being measured: six readings an epoch."""
    settings = study(("convolutional",), seeds=3)
    run_study(
        parse_study(settings), runs_folder=tmp_path / "whole", workers=1, metrics={"share": beside.share}
    )
    monkeypatch.setenv("FATAL", str(tmp_path / "fatal"))
    diary, deadly = Diary(), {"share": beside.deadly_share}
    run_study(parse_study(settings), runs_folder=tmp_path / "runs", workers=1, metrics=deadly, listener=diary)
    (note,) = [note for note in diary.notes if "SIGKILL" in note]
    assert "gone on with from the last checkpoint in smaller parts: " in note
    told = sorted((name, m.epoch) for m in diary.epochs for name in m.rows)
    assert told == sorted((t.identity, e) for t in load(tmp_path / "runs", "last").trials for e in range(6))
    check_same(tmp_path / "runs", tmp_path / "whole")


def test_many_tiny_trials_go_on_from_the_last_moment(tmp_path: Path, beside: ModuleType) -> None:
    """Their epochs take a few thousandths of a second: they are not begun anew, nor from long ago."""
    settings = study(("mlp",), seeds=60, epochs=600) | {"title": "tiny"}
    settings["experiment"]["metrics"] = []
    before = kill_lab(tmp_path, tmp_path / "runs", settings, "epoch", 700, CHECKPOINT_SECONDS)
    reached = {t.identity: len(t.curves.get("lr", ())) for t in before.trials}
    diary = Diary()
    resume_run(before.id, runs_folder=tmp_path / "runs", workers=2, listener=diary)
    first: dict[str, int] = {}
    for measured in diary.epochs:
        for name in measured.identities:
            first.setdefault(name, measured.epoch)
    assert sum(reached.values()) > 0
    lost = sum(reached[name] - epoch for name, epoch in first.items())
    # How much lies between a busy machine's states is not known; nobody may begin anew.
    assert min(first.values()) > 0
    assert lost < 0.9 * sum(reached.values())
    run_study(parse_study(settings), runs_folder=tmp_path / "whole", workers=2)
    check_same(tmp_path / "runs", tmp_path / "whole")
