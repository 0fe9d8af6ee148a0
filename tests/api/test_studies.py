"""Studies made in Python: the same as from a file, with arrays and functions of the user's own."""

import gc
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import ceteris
from ceteris.api.own_data import in_memory
from ceteris.api.studies import plan
from ceteris.spec import combinations, parse_study
from tests.api.conftest import NUMBERS, ROWS

BASE = {"data": "digits", "model": {"kind": "mlp", "hidden": [32]}}
LABELS = np.array(["no", "yes"] * 60)


def experiment(**settings: Any) -> ceteris.Experiment:
    return ceteris.Experiment(**{**BASE, **settings})


def test_paths_and_named_factors_make_one_study() -> None:
    study = ceteris.vary(
        experiment(),
        {"regularisation": {"none": {}, "dropout": {"model.dropout": 0.25}}},
        **{"optimizer.lr": [0.1, 0.01]},
    )
    assert [c.label for c in combinations(study)] == [
        "regularisation=none, optimizer.lr=0.1",
        "regularisation=none, optimizer.lr=0.01",
        "regularisation=dropout, optimizer.lr=0.1",
        "regularisation=dropout, optimizer.lr=0.01",
    ]


def test_python_and_yaml_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        "experiment: {data: digits, model: {kind: mlp, hidden: [32]}}\n"
        "vary: {optimizer.lr: [0.1, 0.01]}\nseeds: 3\n"
        "claims: [{text: x, metric: val_loss, less: [0.1, 0.01]}]\n"
    )
    claims = [ceteris.Claim(text="x", metric="val_loss", less=(0.1, 0.01))]
    study = ceteris.vary(BASE, {"optimizer.lr": [0.1, 0.01]}, seeds=3, claims=claims)
    assert study.model_dump() == parse_study(tmp_path / "s.yaml").study.model_dump()


def test_all_problems_are_raised_at_once() -> None:
    with pytest.raises(ceteris.CeterisError) as caught:
        ceteris.vary({**BASE, "epochs": 0, "batch_sise": 3}, seeds=0)
    words = str(caught.value)
    assert "epochs: 0 is not a number of epochs" in words
    assert "batch_sise: there is no such setting; did you mean `batch_size`?" in words


def test_an_unknown_path_names_the_nearest() -> None:
    with pytest.raises(
        ceteris.CeterisError, match=r"there is no setting `lr` .* did you mean `optimizer.lr`"
    ):
        ceteris.vary(experiment(), lr=[0.1, 0.2])


def test_a_factor_that_is_given_twice() -> None:
    with pytest.raises(ceteris.CeterisError, match=r"vary\.epochs: this factor is given twice"):
        ceteris.vary(experiment(), {"epochs": [1, 2]}, epochs=[3, 4])


@pytest.mark.parametrize(
    "rows",
    [
        (ROWS, LABELS),
        (ROWS.tolist(), LABELS.tolist()),
        (pd.DataFrame(ROWS, columns=list("abcd")), pd.Series(LABELS)),
        (torch.tensor(ROWS, requires_grad=True), LABELS),
    ],
)
def test_rows_of_many_kinds_are_the_same_rows(rows: Any) -> None:
    made = experiment(data=rows)
    assert made.data.source == "arrays"
    assert made.data.content == experiment(data=(ROWS, LABELS)).data.content
    dataset = in_memory("arrays", made.data.content)
    assert dataset is not None
    assert dataset.classes == ("no", "yes")


def test_rows_may_come_with_settings_and_names_of_classes() -> None:
    made = experiment(data={"source": (ROWS, [0, 1] * 60, ["left", "right"]), "scale": "standardize"})
    assert made.data.scale == "standardize"
    dataset = in_memory("arrays", made.data.content)
    assert dataset is not None
    assert dataset.classes == ("left", "right")


def test_a_study_keeps_its_rows_alive_and_forgotten_rows_are_missed() -> None:
    study = ceteris.vary(experiment(data=(ROWS + 1, LABELS)), epochs=[1, 2])
    gc.collect()
    assert plan(study).dataset is not None
    settings = study.experiment.data.model_dump()
    del study
    gc.collect()
    with pytest.raises(ceteris.CeterisError, match="the arrays of this experiment are not in memory; give"):
        in_memory(settings["source"], settings["content"])


def test_equal_rows_of_two_experiments_live_as_long_as_one_of_them() -> None:
    first, second = (experiment(data=(ROWS + 2, LABELS)) for _ in range(2))
    named = experiment(data=(ROWS + 2, [0, 1] * 60, ["left", "right"]))
    del first
    gc.collect()
    for made, classes in ((second, ("no", "yes")), (named, ("left", "right"))):
        dataset = plan(ceteris.vary(made, epochs=[1, 2])).dataset
        assert dataset is not None
        assert dataset.classes == classes


def test_rows_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ceteris.CeterisError, match="`x` has 120 rows and `y` has 3; they must be as many"):
        experiment(data=(ROWS, LABELS[:3]))
    with pytest.raises(ceteris.CeterisError, match=r"arrays are given as \(X, y\) or .* here are 1 values"):
        experiment(data=[ROWS])


def top2(outputs: torch.Tensor, targets: torch.Tensor) -> float:
    return float((outputs.topk(2, dim=1).indices == targets[:, None]).any(dim=1).float().mean())


def distance(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return (outputs - targets).abs().mean()


@pytest.mark.slow
def test_own_rows_and_an_own_metric_are_trained_and_recorded(tmp_path: Path) -> None:
    made = experiment(data=(ROWS, NUMBERS), model="linear", optimizer="sgd", epochs=2, metrics=[distance])
    claim = {"text": "Slower.", "metric": "val_distance", "greater": [0.001, 0.1]}
    study = ceteris.vary(made, {"optimizer.lr": [0.1, 0.001]}, seeds=2, claims=[claim])
    result = ceteris.run(study, runs_dir=tmp_path, progress=False)
    trial = result.trials[0]
    assert {"train_distance", "val_distance"} <= set(trial.metrics)
    assert "val_accuracy" not in trial.metrics
    assert "train_distance" in repr(result)
    outputs = trial.network()(trial.prepare(ROWS))
    assert outputs.shape == (120, 1)
    again = ceteris.extend(result.id, seeds=3, metrics=[distance], runs_dir=tmp_path, progress=False)
    assert len(again.trials) == 6


@pytest.mark.slow
def test_data_and_metrics_may_be_given_to_run(tmp_path: Path) -> None:
    study = {
        "experiment": {"data": "digits", "model": "linear", "epochs": 1},
        "vary": {"batch_size": [8, 16]},
    }
    options: dict[str, Any] = {"seeds": 2, "runs_dir": tmp_path, "progress": False}
    result = ceteris.run(study, data=(ROWS, LABELS), metrics={"second": top2}, **options)
    assert result.run.facts["classes"] == ["no", "yes"]
    assert result.trials[0].metrics["val_second"] == 1.0


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ({"loss": top2}, "metrics.loss: `loss` is measured anyway; give your metric another name"),
        ([3], "metrics: a int is not a metric; give a function of"),
        ([lambda outputs, targets: 1.0], "metrics: a function without a name needs one"),
        ([top2, top2], "metrics.top2: two metrics have this name"),
        ("top2", 'metrics: give {"name": function} or'),
    ],
)
def test_metrics_that_are_none(metrics: Any, words: str) -> None:
    with pytest.raises(ceteris.CeterisError) as caught:
        ceteris.run("digits/learning-rate", metrics=metrics)
    assert words in str(caught.value)


def test_a_file_may_not_name_code_unless_it_is_allowed(tmp_path: Path) -> None:
    text = "experiment: {data: digits, model: linear, metrics: [own.module:top2]}\nvary: {epochs: [1, 2]}\n"
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(ceteris.CeterisError, match="is code of your own; it is used only from Python or"):
        ceteris.run(tmp_path / "s.yaml", runs_dir=tmp_path)


def test_workers_are_at_least_one(tmp_path: Path) -> None:
    with pytest.raises(ceteris.CeterisError, match="workers: 0 is not a number of processes"):
        ceteris.run("digits/learning-rate", workers=0, runs_dir=tmp_path)


OWN_CLAIM = {"text": "A smaller rate is worse.", "metric": "val_top2", "less": [0.001, 0.1]}


def test_a_claim_may_name_a_metric_that_is_given_when_the_study_is_run(tmp_path: Path) -> None:
    study = ceteris.vary(experiment(), {"optimizer.lr": [0.1, 0.001]}, claims=[OWN_CLAIM])
    (tmp_path / "own.yaml").write_text(
        "experiment: {data: digits, model: linear, early_stopping: {patience: 2, metric: val_top2}}\n"
        "vary: {optimizer.lr: [0.1, 0.001]}\n"
        "claims: [{text: x, metric: val_top2, less: [0.001, 0.1]}]\n"
    )
    for source in (study, tmp_path / "own.yaml"):
        planned = plan(source, metric_names=["top2"]).parsed.study
        assert planned.experiment.metrics == ("top2",)
        assert planned.claims[0].metric == "val_top2"
    assert plan(experiment_with(top2)).parsed.study.experiment.metrics == ("top2",)


def experiment_with(metric: Any) -> Any:
    made = experiment(metrics=[metric])
    return ceteris.vary(made, {"optimizer.lr": [0.1, 0.001]}, claims=[OWN_CLAIM])


def test_a_claim_on_a_metric_that_is_never_given_says_how_to_give_it() -> None:
    study = ceteris.vary(experiment(), {"optimizer.lr": [0.1, 0.001]}, claims=[OWN_CLAIM])
    with pytest.raises(ceteris.CeterisError) as caught:
        plan(study)
    assert "claims.0.metric: there is no metric `val_top2`" in str(caught.value)
    assert (
        "a metric `top2` of your own is given with the study: in Python `metrics={'top2': function}`"
        in str(caught.value)
    )


def test_a_misspelt_metric_of_a_claim_is_refused_when_the_study_is_made() -> None:
    with pytest.raises(ceteris.CeterisError, match="no metric `val_acuracy`; did you mean `val_accuracy`"):
        ceteris.vary(
            experiment(), {"optimizer.lr": [0.1, 0.001]}, claims=[{**OWN_CLAIM, "metric": "val_acuracy"}]
        )


def test_mistakes_of_python_are_told_in_its_words() -> None:
    with pytest.raises(ceteris.CeterisError, match=r"rows are given with their targets: give \(X, y\)"):
        experiment(data=ROWS)
    with pytest.raises(
        ceteris.CeterisError, match=r"a value of type Experiment is not a study; .*`ceteris\.vary\("
    ):
        plan(experiment())  # type: ignore[arg-type]  # the mistake that is tested
    with pytest.raises(ceteris.CeterisError, match="'weird name!' cannot be the name of a metric"):
        experiment(metrics={"weird name!": top2})
    with pytest.raises(ceteris.CeterisError) as caught:
        ceteris.vary(BASE, epochs=[1, 2], claims=[{"text": "A.", "metric": "val_loss", "equal": [1, 2]}])
    assert "it must be a mapping such as `{levels: [a, b], margin: 0.01}`" in str(caught.value)
    with pytest.raises(ceteris.CeterisError) as caught:
        ceteris.run("digits/learning-rate", epochs=0)
    assert str(caught.value).startswith(
        "epochs: 0 is not a number of epochs; it must be a whole number from 1"
    )


def test_an_experiment_alone_is_a_study_of_one_level(tmp_path: Path) -> None:
    alone = ceteris.run(ceteris.Experiment(data="iris", model="linear", epochs=1), runs_dir=tmp_path)
    assert [(trial.level, trial.seed) for trial in alone.trials] == [("base", seed) for seed in range(5)]
