"""Studies that vary the parameters of their data: each level reads its own rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ceteris
from ceteris.errors import CeterisError


def study(**changes: Any) -> dict[str, Any]:
    experiment = {
        "data": {"source": "linear-regression", "scale": "none"},
        "model": {"kind": "linear", "init": {"kind": "normal", "std": 0.01}},
        "optimizer": {"kind": "sgd", "lr": 0.03},
        "loss": "mse_half",
        "batch_size": 10,
        "epochs": 3,
    }
    return {"experiment": experiment, "vary": {"data.parameters.noise": [0, 0.01]}, "seeds": 2, **changes}


def test_the_true_coefficients_are_recovered_within_a_hundredth(tmp_path: Path) -> None:
    claims = [
        {"text": "w is found.", "metric": "weight_error", "within": {"levels": [0.01], "high": 0.01}},
        {"text": "b is found.", "metric": "bias_error", "within": {"levels": [0.01], "high": 0.01}},
    ]
    result = ceteris.run(study(claims=claims), runs_dir=tmp_path, progress=False)
    for trial in result.trials:
        weights = trial.weights()
        distance = np.abs(weights["head.weight"].ravel() - [2, -3.4]).max()
        assert trial.metrics["weight_error"] == pytest.approx(distance, rel=1e-6)
        assert trial.metrics["bias_error"] == pytest.approx(
            abs(float(weights["head.bias"][0]) - 4.2), rel=1e-4
        )
        assert distance < 0.01
    facts = result.run.facts
    assert facts["truth"]["weights"] == [2.0, -3.4]
    again = ceteris.resume(result.id, runs_dir=tmp_path, progress=False)
    assert [trial.metrics for trial in again.trials] == [trial.metrics for trial in result.trials]


def test_levels_with_other_test_rows_are_not_judged_together(tmp_path: Path) -> None:
    result = ceteris.run(study(), runs_dir=tmp_path, progress=False)
    with pytest.raises(CeterisError, match="tested on different rows"):
        result.test()


def test_features_of_the_same_rows_are_judged_together(tmp_path: Path) -> None:
    experiment = {
        "data": {"source": "polynomial", "scale": "none"},
        "model": {"kind": "linear", "bias": False},
        "optimizer": {"kind": "sgd", "lr": 0.01},
        "epochs": 40,
        "batch_size": 10,
    }
    varied = {"experiment": experiment, "vary": {"data.parameters.features": [2, 4]}, "seeds": 2}
    found = ceteris.run(varied, runs_dir=tmp_path, progress=False).test()
    assert found.chosen == "4"
    losses = {level.level: level.test["test_loss"].mean for level in found.selection.levels}
    assert losses["4"] < losses["2"] / 4


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            {"source": "polynomial", "parameters": {"featurs": 3}},
            "there is no such setting; did you mean `features`?",
        ),
        (
            {"source": "polynomial", "parameters": {"std": -1}},
            "experiment.data.parameters.std: -1 is not a standard",
        ),
        (
            {"source": "digits", "parameters": {"n": 3}},
            "experiment.data.parameters: `digits` has no parameters",
        ),
    ],
)
def test_wrong_parameters_are_told_in_one_line(data: dict[str, Any], words: str, tmp_path: Path) -> None:
    wrong = {"experiment": {"data": data, "model": "linear"}, "vary": {"optimizer.lr": [0.1, 0.01]}}
    with pytest.raises(CeterisError) as told:
        ceteris.run(wrong, runs_dir=tmp_path, progress=False)
    assert words in str(told.value)
    assert len(told.value.problems) == 1
