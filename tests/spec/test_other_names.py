"""What other libraries call a setting is told by our name, and every name of ours is one."""

from __future__ import annotations

from typing import Any

import pytest

from ceteris.errors import CeterisError
from ceteris.spec.experiment import Experiment
from ceteris.spec.other_names import OTHER_NAMES, known_as
from ceteris.spec.parse import parse_study
from ceteris.spec.patch import path_problem
from ceteris.spec.paths import setting_paths
from ceteris.spec.study import Study


def test_every_name_of_ours_is_a_setting_and_no_other_name_is_ours() -> None:
    ours = {path.rpartition(".")[2] for path in setting_paths(Experiment)} | set(Study.model_fields)
    assert set(OTHER_NAMES) <= ours
    others = [other for names in OTHER_NAMES.values() for other in names]
    assert len(others) == len(set(others))
    assert known_as("learning_rate", ["lr"]) == "lr"
    assert known_as("learning_rate", ["momentum"]) is None
    assert known_as("lr", ["lr"]) is None


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("optimizer.learning_rate", "optimizer.lr"),
        ("learning_rate", "optimizer.lr"),
        ("optimizer.weigth_decay", "optimizer.weight_decay"),
        ("model.units", "model.hidden"),
        ("max_epochs", "epochs"),
        ("lr", "optimizer.lr"),
        ("modle.hidden", "model.hidden"),
        ("data.row", "data.rows"),
    ],
)
def test_a_path_by_another_name_is_told_by_ours(path: str, meant: str) -> None:
    assert path_problem(path) == f"there is no setting `{path}` in an experiment; did you mean `{meant}`?"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"max_epochs": 3}, "experiment.max_epochs: there is no such setting; did you mean `epochs`?"),
        (
            {"optimizer": {"kind": "adam", "learning_rate": 0.1}},
            "experiment.optimizer.learning_rate: there is no such setting for `adam`; did you mean `lr`?",
        ),
        (
            {"model": {"kind": "mlp", "hidden_layer_sizes": [8]}},
            "experiment.model.hidden_layer_sizes: there is no such setting for `mlp`; did you mean `hidden`?",
        ),
    ],
)
def test_a_setting_by_another_name_is_told_by_ours_and_not_as_missing(
    changes: dict[str, Any], line: str
) -> None:
    base = {"data": "digits", "model": {"kind": "mlp", "hidden": [8]}, "optimizer": "adam"}
    with pytest.raises(CeterisError) as caught:
        parse_study({"experiment": base | changes})
    assert str(caught.value) == line
