"""Refitting: all rows train, for as long as the choice says, and nothing is validated."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ceteris
from ceteris.api import own_code
from ceteris.api.refit import refit_study
from ceteris.api.result import Result
from ceteris.data import load
from ceteris.errors import CeterisError
from tests.api.conftest import NUMBERS, ROWS


def test_all_rows_train_and_none_validate(result: Result) -> None:
    again = result.refit("0.5", progress=False)
    rows = len(load("digits").x)
    assert (again.run.facts["train_rows"], again.run.facts["validation_rows"]) == (rows, 0)
    (trial,) = again.trials
    assert trial.experiment["optimizer"]["lr"] == 0.5
    assert trial.metrics["train_loss"] > 0
    assert "val_loss" not in trial.metrics
    assert "val_loss" not in again.levels[0].metrics
    assert again.report().is_file()
    assert again.to_dict()["trials"][0]["metrics"]["val_loss"] is None
    assert "val_loss" not in repr(again)


def test_the_network_is_that_of_a_plain_loop_over_all_rows(tmp_path: Path) -> None:
    """Full-batch gradient descent on a linear model, whose steps are a closed recursion."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3)).astype(np.float32)
    y = (x @ np.array([1.0, -2.0, 0.5]) + 0.3).astype(np.float32)
    experiment = ceteris.Experiment(
        data=(x, y),
        model="linear",
        optimizer={"kind": "sgd", "lr": 0.1},
        batch_size=8,
        epochs=3,
    ).model_copy()
    first = ceteris.run(
        ceteris.vary(experiment, {"optimizer.lr": [0.1, 0.01]}, seeds=2), runs_dir=tmp_path, progress=False
    )
    final = first.refit(0.1, seeds=2, progress=False)
    assert {trial.seed for trial in final.trials} == {0, 1}
    weights = final.trial("base").weights()["head.weight"]
    assert np.linalg.norm(weights - [1.0, -2.0, 0.5]) < np.linalg.norm(
        final.trial("base").weights("initial")["head.weight"] - [1.0, -2.0, 0.5]
    )


def test_without_a_level_the_validation_rows_choose(result: Result) -> None:
    means = {
        lr: np.mean([trial.metrics["val_accuracy"] for trial in result.trials if trial.level == lr])
        for lr in ("0.5", "0.001")
    }
    best = max(means, key=lambda lr: means[lr])
    assert refit_study(result.run).experiment.optimizer.lr == float(best)


def test_a_level_that_stopped_early_trains_for_its_median_best_epoch(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(60, 5)), rng.integers(0, 2, 60)  # nothing to learn: validation turns early
    experiment = ceteris.Experiment(
        data=rows,
        model={"kind": "mlp", "hidden": [32]},
        optimizer={"kind": "adam", "lr": 0.05},
        epochs=30,
        early_stopping={"patience": 3},
    )
    run = ceteris.run(
        ceteris.vary(experiment, {"batch_size": [8, 16]}, seeds=3), runs_dir=tmp_path, progress=False
    )
    best = [int(np.argmin(trial.curves["val_loss"])) + 1 for trial in run.trials if trial.level == "8"]
    study = refit_study(run.run, 8)
    assert study.experiment.epochs == round(float(np.median(best)))
    assert study.experiment.early_stopping.patience is None


def test_a_schedule_that_watches_validation_rows_cannot_be_refitted(tmp_path: Path) -> None:
    study = ceteris.vary(
        ceteris.Experiment(data="iris", model="linear", optimizer="sgd", epochs=2, schedule="plateau"),
        {"optimizer.lr": [0.1, 0.01]},
        seeds=1,
    )
    run = ceteris.run(study, runs_dir=tmp_path, progress=False)
    with pytest.raises(CeterisError, match=r"the schedule of level .* watches val_loss"):
        run.refit("0.1", progress=False)


@pytest.mark.parametrize(
    ("settings", "claims", "words"),
    [
        ({"schedule": "plateau"}, [], "experiment.schedule: it watches `val_loss`"),
        ({"early_stopping": {"patience": 2}}, [], "experiment.early_stopping: it watches `val_loss`"),
        (
            {},
            [{"text": "It falls.", "metric": "gap_loss", "less": [0.1, 0.01]}],
            "claims.0.metric: with `data.validation: 0`",
        ),
    ],
)
def test_what_needs_validation_rows_is_refused_without(
    settings: dict[str, object], claims: list[dict[str, object]], words: str, tmp_path: Path
) -> None:
    study = {
        "experiment": {
            "data": {"source": "iris", "validation": 0},
            "model": "linear",
            "epochs": 1,
            **settings,
        },
        "vary": {"optimizer.lr": [0.1, 0.01]},
        "seeds": 1,
        "claims": claims,
    }
    with pytest.raises(CeterisError) as told:
        ceteris.run(study, runs_dir=tmp_path, progress=False)
    assert words in str(told.value)


def test_code_of_ones_own_goes_on_with_the_arguments_of_its_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch import nn

    class Net(nn.Module):
        def __init__(self, width: int = 16) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 1))

        def forward(self, x: Any) -> Any:
            return self.body(x)

    def spread(outputs: Any, targets: Any) -> Any:
        return (outputs[:, 0] - targets).std()

    def small(module: Any) -> None:
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)

    experiment = ceteris.Experiment(data=(ROWS, NUMBERS), model=Net, metrics=[spread], epochs=1)
    study = ceteris.vary(experiment, {"model.arguments": [{"width": 7}]}, seeds=1)
    result = ceteris.run(study, initial=small, runs_dir=tmp_path, progress=False)
    result = ceteris.extend(result, seeds=2, progress=False)
    assert all("val_spread" in trial.metrics for trial in result.trials)
    monkeypatch.setattr(own_code, "_OF_RUNS", {})  # as in a new process
    with pytest.raises(CeterisError, match="give `model=Net`"):
        result.refit(progress=False)
    given = result.refit(model=Net, metrics=[spread], initial=small, progress=False)
    monkeypatch.undo()
    for again in (result.refit(progress=False), given):
        (trial,) = again.trials
        assert trial.experiment["model"]["arguments"] == {"width": 7}
        assert trial.network().body[0].out_features == 7
        assert "train_spread" in trial.metrics
        assert trial.weights("initial")["body.0.weight"].std() < 0.02
