"""What a run comes to in Python: verdicts, frames, networks, JSON, text, HTML."""

import dataclasses
import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch

import ceteris
from ceteris.api.result import Result
from ceteris.api.trial import Trial
from ceteris.data import Preparation, load
from ceteris.spec.data import DataSpec


def test_a_claim_is_judged(result: Result) -> None:
    (verdict,) = result.verdicts
    assert verdict.text == "The small rate ends higher."
    assert verdict.verdict == "supported"
    assert verdict.low is not None
    assert verdict.low > 0
    assert result.claims == result.verdicts


def test_the_table_has_a_row_per_level(result: Result) -> None:
    table = result.table()
    assert list(table.index) == ["0.5", "0.001"]
    assert list(table.columns[:7]) == [
        "planned",
        "finished",
        "diverged",
        "val_accuracy",
        "val_accuracy_low",
        "val_accuracy_high",
        "val_accuracy_best",
    ]
    own = [trial.metrics["val_loss"] for trial in result.trials if trial.level == "0.5"]
    assert table.loc["0.5", "val_loss"] == pytest.approx(np.mean(own))


def test_curves_are_long(result: Result) -> None:
    curves = result.curves()
    assert list(curves.columns) == ["level", "seed", "fold", "epoch", "metric", "value"]
    own = curves.query("level == '0.5' and seed == 1 and metric == 'val_loss'")
    assert list(own.epoch) == [1, 2]
    assert np.array_equal(own.value, result.trial(0.5, seed=1).curves["val_loss"])


@pytest.mark.parametrize("level", [0.5, 0.001])
def test_a_network_gives_the_recorded_numbers(result: Result, level: float) -> None:
    trial = result.trial(level, seed=2)
    dataset = load("digits")
    split = Preparation(dataset).prepare(DataSpec(source="digits"), seed=2).split
    inputs = trial.prepare(dataset.x[split.validation])
    outputs = trial.network()(inputs)
    targets = torch.from_numpy(dataset.y[split.validation])
    assert torch.nn.functional.cross_entropy(outputs, targets).item() == pytest.approx(
        trial.metrics["val_loss"], rel=1e-5
    )
    accuracy = (outputs.argmax(1) == targets).double().mean().item()
    assert accuracy == pytest.approx(trial.metrics["val_accuracy"])


def test_initial_networks_of_one_seed_are_the_same_and_training_changed_them(result: Result) -> None:
    first, second = (result.trial(level, seed=0) for level in (0.5, 0.001))
    assert torch.equal(first.network("initial").head.weight, second.network("initial").head.weight)
    assert not torch.equal(first.network("initial").head.weight, first.network().head.weight)
    assert not first.network().training


def test_a_state_of_a_network_that_there_is_not(result: Result) -> None:
    with pytest.raises(ceteris.CeterisError, match="'best' is not a state of a network; it is `final` or"):
        result.trials[0].network("best")  # type: ignore[arg-type]  # the mistake that is tested


def test_rows_of_another_shape_are_refused(result: Result) -> None:
    with pytest.raises(ceteris.CeterisError, match=r"`x` has rows of shape \(3,\); those of `digits` are"):
        result.trials[0].prepare(np.zeros((2, 3)))


def test_the_best_trial(result: Result) -> None:
    best = result.best()
    assert best.metrics["val_accuracy"] == max(trial.metrics["val_accuracy"] for trial in result.trials)
    assert result.best("val_loss").metrics["val_loss"] == min(t.metrics["val_loss"] for t in result.trials)
    with pytest.raises(ceteris.CeterisError, match="there is no metric `val_los`; did you mean `val_loss`"):
        result.best("val_los")


def test_a_level_or_seed_that_there_is_not(result: Result) -> None:
    with pytest.raises(ceteris.CeterisError, match=r"no level `0\.3`; did you mean `0\.5`\? \("):
        result.trial(0.3)
    with pytest.raises(ceteris.CeterisError, match=r"level `0\.5` has no trial with seed 9, fold 0"):
        result.trial(0.5, seed=9)


def test_the_dictionary_is_that_of_the_command_line(result: Result) -> None:
    schema = json.loads(files("ceteris.cli").joinpath("output.schema.json").read_text())
    found = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    jsonschema.validate(found, schema)
    assert Path(found["report"]).is_file()


def test_it_prints_as_a_terminal_of_80_columns_shows_it(result: Result) -> None:
    text = repr(result)
    assert text.startswith(f"A small one\nrun {result.id}: finished, 6 of 6 trials, ")
    assert "supported  The small rate ends higher." in text
    assert max(map(len, text.splitlines())) <= 80
    assert repr(result.trial(0.5)).startswith("<Trial 0.5 seed 0: finished, val_loss=")


def test_it_displays_in_a_notebook(result: Result) -> None:
    html = result._repr_html_()
    assert "The small rate ends higher." in html
    assert "<script" not in html


def test_results_are_frozen(result: Result) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.run = result.run  # type: ignore[misc]  # the mistake that is tested
    assert isinstance(result.trials[0], Trial)


def test_a_run_is_found_again(result: Result, runs_dir: Path) -> None:
    assert ceteris.load_run(result.id, runs_dir=runs_dir).to_dict() == result.to_dict()
    assert result.id in [run.id for run in ceteris.list_runs(runs_dir=runs_dir)]
    with pytest.raises(ceteris.CeterisError, match="there is no run `nope` in"):
        ceteris.load_run("nope", runs_dir=runs_dir)


def test_without_records_there_are_no_runs(tmp_path: Path) -> None:
    assert ceteris.list_runs(runs_dir=tmp_path) == ()
    with pytest.raises(ceteris.CeterisError, match="there are no records in"):
        ceteris.load_run(runs_dir=tmp_path)


def test_a_report_is_written_where_it_is_asked_for(result: Result, tmp_path: Path) -> None:
    assert result.report(tmp_path / "r.html") == tmp_path / "r.html"
    assert (tmp_path / "r.html").stat().st_size > 10_000
    (tmp_path / "file").touch()
    with pytest.raises(ceteris.CeterisError, match=r"the report cannot be written to .*/file/r\.html: "):
        result.report(tmp_path / "file" / "r.html")


@pytest.mark.slow
def test_extending_corrects_for_the_earlier_look(runs_dir: Path) -> None:
    study = ceteris.vary(
        {"data": "iris", "model": "linear", "epochs": 1},
        batch_size=[8, 16],
        seeds=2,
        claims=[{"text": "They differ.", "metric": "val_loss", "differ": [8, 16]}],
    )
    first = ceteris.run(study, runs_dir=runs_dir, progress=False)
    again = ceteris.extend(first.id, seeds=3, runs_dir=runs_dir, progress=False)
    assert len(again.trials) == 6
    assert again.verdicts[0].looks == 1
    for before in first.trials:
        after = again.trial(before.level, before.seed)
        assert np.array_equal(after.curves["val_loss"], before.curves["val_loss"])
    assert len(ceteris.resume(first.id, runs_dir=runs_dir, progress=False).trials) == 6


def test_a_level_may_be_named_by_what_the_result_tells_of_it(result: Result) -> None:
    first = result.levels[0]
    trial = result.trial(first, seed=1)
    assert (trial.level, trial.seed) == (first.level, 1)
    assert result.predict("test", first).level == result.predict("test", trial).level == first.level
