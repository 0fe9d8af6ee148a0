"""Small real runs that several tests look at."""

from pathlib import Path

import numpy as np
import pytest

import ceteris
from ceteris.api.result import Result

ROWS = np.random.default_rng(0).normal(size=(120, 4))
NUMBERS = ROWS @ np.array([1.0, -2.0, 0.5, 0.0]) + 1.0


@pytest.fixture(scope="session")
def runs_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of records."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def result(runs_dir: Path) -> Result:
    """A small study on the digits with a claim, run from Python."""
    experiment = ceteris.Experiment(
        data="digits", model={"kind": "mlp", "hidden": [8], "batch_norm": True}, optimizer="sgd", epochs=2
    )
    study = ceteris.vary(
        experiment,
        {"optimizer.lr": [0.5, 0.001]},
        title="A small one",
        seeds=3,
        claims=[{"text": "The small rate ends higher.", "metric": "val_loss", "greater": [0.001, 0.5]}],
    )
    return ceteris.run(study, runs_dir=runs_dir, progress=False)
