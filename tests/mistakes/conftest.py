"""Small real studies on the digits, in a folder of their own for each module."""

from collections.abc import Callable
from typing import Any

import pytest

import ceteris
from ceteris.api.result import Result

Run = Callable[..., Result]


@pytest.fixture(scope="package")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run an experiment on 400 digits over two seeds; ``vary`` and claims as in a study."""
    folder = tmp_path_factory.mktemp("mistakes")

    def run(vary: dict[str, Any] | None = None, **settings: Any) -> Result:
        claims, seeds = settings.pop("claims", []), settings.pop("seeds", 2)
        metrics, model = settings.pop("metrics", None), settings.pop("own_model", None)
        experiment = {
            "data": {"source": "digits", "rows": 400},
            "model": {"kind": "mlp", "hidden": [16]},
            "optimizer": {"kind": "sgd", "lr": 0.1},
            "epochs": 3,
            **settings,
        }
        study = {"experiment": experiment, "vary": vary or {}, "seeds": seeds, "claims": claims}
        return ceteris.run(study, metrics=metrics, model=model, runs_dir=folder, progress=False)

    return run


WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "still": {"optimizer.lr": 1e-12},
    "linear": {"model": "linear"},
    "dropout": {"model.hidden": [32], "model.dropout": 0.7},
    "three at once": {"model.hidden": [32], "model.dropout": 0.1, "optimizer.lr": 0.2},
    "penalty": {"penalty": {"kind": "l1", "weight": 0.01}},
    "never": {"schedule": {"kind": "step", "step_size": 50}},
    "acts": {"schedule": {"kind": "step", "step_size": 1}},
    "softmax": {"model.output": ["softmax"], "loss": "cross_entropy"},
    "cut": {"model.output": ["relu", "softmax"], "loss": "mse"},
}


@pytest.fixture(scope="package")
def ways(run: Run) -> Result:
    """One study of one seed with all the levels that tests of this folder look at."""
    return run({"way": WAYS}, seeds=1)


@pytest.fixture(scope="package")
def rates(run: Run) -> Result:
    """A study of two rates over two seeds."""
    return run({"optimizer.lr": [0.1, 0.01]})
