"""Sources of studies for the tests of this folder."""

import copy
from pathlib import Path
from typing import Any

import pytest

from ceteris.errors import CeterisError
from ceteris.spec import parse_study

SMALL: dict[str, Any] = {
    "experiment": {
        "data": "digits",
        "model": {"kind": "mlp", "hidden": [64, 32]},
        "optimizer": {"kind": "sgd", "lr": 0.1, "momentum": 0.9},
    },
    "vary": {"optimizer.lr": [0.1, 0.01]},
    "claims": [{"text": "a", "metric": "val_loss", "less": [0.1, 0.01]}],
}


def small(**changes: Any) -> dict[str, Any]:
    """Return a small valid study with some top-level settings replaced."""
    return {**copy.deepcopy(SMALL), **changes}


def with_experiment(**changes: Any) -> dict[str, Any]:
    """Return the small study with settings of its experiment replaced."""
    study = small()
    study["experiment"] |= changes
    return study


def with_claim(**changes: Any) -> dict[str, Any]:
    """Return the small study with settings of its claim replaced, or removed by None."""
    study = small()
    claim = study["claims"][0] | changes
    study["claims"] = [{key: value for key, value in claim.items() if value is not None}]
    return study


def refusal(source: Any, **options: Any) -> list[str]:
    """Return the lines with which a study is refused."""
    with pytest.raises(CeterisError) as caught:
        parse_study(source, **options)
    return [str(problem) for problem in caught.value.problems]


def written(folder: Path, text: str) -> Path:
    """Return a file with this text."""
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return path
