"""Networks of the user's own from Python: classes of a script, closures, references, records."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ceteris
from ceteris.api import own_code
from ceteris.api.own_modules import named_modules
from ceteris.lab.own_modules import factory_hash, load, pack

STUDY: dict[str, Any] = {
    "experiment": {"data": "digits", "model": "linear", "epochs": 1, "optimizer": {"kind": "sgd", "lr": 0.1}},
    "seeds": 1,
}
SCRIPT = """
import sys
import ceteris
from torch import nn

class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))
    def forward(self, x):
        return self.body(x)

def test(result):
    trial = result.trials[0]
    assert type(trial.network()).__name__ == "Net"
    print(trial.metrics["val_loss"], trial.network().body[1].weight.shape)

experiment = ceteris.Experiment(data="digits", model=Net, epochs=1)
varied = [{"width": 8}, {"width": 12}]
study = ceteris.vary(experiment, {"model.arguments": varied}, seeds=1)
test(ceteris.run(study, workers=1, progress=False))
"""


def as_mlp(width: int) -> Any:
    from torch import nn

    return lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))


def test_what_makes_a_network_travels_with_what_it_closes_over() -> None:
    loaded = load(pack({"net": as_mlp(7)}), ())
    assert loaded.problems == []
    assert loaded.factories["net"]()[1].out_features == 7
    assert loaded.hashes == {"net": factory_hash(as_mlp(7))}
    assert factory_hash(as_mlp(7)) != factory_hash(as_mlp(8))


def test_references_that_lead_nowhere_are_told() -> None:
    loaded = load(b"", ("torch.nn:Linaer", "no.such.module:Net", "math:pi"))
    told = [problem.message for problem in loaded.problems]
    assert "did you mean `Linear`?" in told[0]
    assert "the module of `no.such.module:Net` cannot be imported (ModuleNotFoundError" in told[1]
    assert "`math:pi` is a float, not a class or function that makes a network" in told[2]


def test_a_module_that_exists_is_refused_because_it_has_weights() -> None:
    with pytest.raises(ceteris.CeterisError, match="this Sequential has weights already"):
        named_modules(as_mlp(3)())
    with pytest.raises(ceteris.CeterisError, match="a value of type int is not a network"):
        named_modules({"net": 3})  # type: ignore[dict-item]


def test_a_network_that_was_not_given_is_asked_for(tmp_path: Path) -> None:
    study = STUDY | {"experiment": STUDY["experiment"] | {"model": {"kind": "module", "name": "Net"}}}
    with pytest.raises(ceteris.CeterisError, match="`Net` is a network of your own, and it was not given"):
        ceteris.run(study, runs_dir=tmp_path, progress=False)


@pytest.mark.slow
def test_a_class_of_a_script_is_trained_and_handed_out_again(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "torch.Size([8, 64])" in done.stdout


@pytest.mark.slow
def test_a_record_needs_the_code_that_it_was_made_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = ceteris.run(STUDY, model=as_mlp(9), runs_dir=tmp_path, progress=False)
    (trial,) = result.trials
    assert trial.experiment["model"]["source"] == factory_hash(as_mlp(9))
    assert result.run.facts["modules"] == {"model": factory_hash(as_mlp(9))}
    page = Path(result.report()).read_text(encoding="utf-8")
    assert f"`model` (source SHA-256 {factory_hash(as_mlp(9))[:12]}...)" in page
    assert trial.network()[1].out_features == 9
    assert trial.prepare(np.zeros((2, 8, 8))).shape == (2, 1, 8, 8)
    with pytest.raises(ceteris.CeterisError, match="is not the one that the run was made with"):
        trial.network(model=as_mlp(10))
    monkeypatch.setattr(own_code, "_OF_RUNS", {})  # as in a new process
    with pytest.raises(ceteris.CeterisError, match="the run trains `model`, a network of your own"):
        ceteris.extend(result.id, seeds=2, runs_dir=tmp_path, progress=False)
    with pytest.raises(ceteris.CeterisError, match="the source of `model` has changed since the run"):
        ceteris.extend(result.id, seeds=2, model=as_mlp(10), runs_dir=tmp_path, progress=False)
    longer = ceteris.extend(result.id, seeds=2, model=as_mlp(9), runs_dir=tmp_path, progress=False)
    assert [trial.status for trial in longer.trials] == ["finished", "finished"]


@pytest.mark.slow
def test_a_file_may_name_code_only_where_it_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_nets.py").write_text(SCRIPT.partition("def test")[0])
    study = tmp_path / "study.yaml"
    study.write_text(
        "experiment:\n  data: digits\n  epochs: 1\n"
        "  model: {kind: module, name: 'own_nets:Net', arguments: {width: 5}}\nseeds: 1\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ceteris.CeterisError, match=r"study\.yaml:4: .*`own_nets:Net` is code of your own"):
        ceteris.run(study, runs_dir=tmp_path, progress=False)
    result = ceteris.run(study, runs_dir=tmp_path, allow_code=True, progress=False)
    assert result.trials[0].status == "finished"
    with pytest.raises(ceteris.CeterisError, match=r"code of your own, which a record does not hold"):
        result.trials[0].network()
    with pytest.raises(ceteris.CeterisError, match="trains `own_nets:Net`, which is code of your own"):
        ceteris.extend(result.id, seeds=2, runs_dir=tmp_path, progress=False)
