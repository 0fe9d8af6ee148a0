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
