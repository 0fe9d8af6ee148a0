"""What other libraries call a setting is told by our name, and every name of ours is one."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import torch

from ceteris.errors import CeterisError
from ceteris.spec.experiment import Experiment
from ceteris.spec.losses import LossName
from ceteris.spec.other_names import OTHER_NAMES, OTHER_VALUES, known_as, value_known_as
from ceteris.spec.parse import parse_study
from ceteris.spec.patch import path_problem
from ceteris.spec.paths import kind_name, members, setting_paths
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
    ("setting", "line"),
    [
        ({"optimizer": torch.optim.AdamW}, "given by its name, not as code; here `AdamW` is called `adamw`"),
        ({"optimizer": "RMSprop"}, "there is no optimizer `RMSprop`; here it is called `rmsprop`"),
        ({"loss": torch.nn.BCEWithLogitsLoss()}, "`BCEWithLogitsLoss` is called `binary_cross_entropy`"),
        ({"loss": lambda outputs, targets: 0}, "not as code; it is one of auto, cross_entropy, nll"),
        (
            {"schedule": "CosineAnnealingLR"},
            "there is no schedule `CosineAnnealingLR`; here it is called `cosine`",
        ),
        ({"model": {"kind": "mlp", "activation": torch.nn.LeakyReLU}}, "is called `leaky_relu`"),
    ],
)
def test_a_choice_that_torch_calls_otherwise_is_told_by_our_name(setting: Any, line: str) -> None:
    with pytest.raises(CeterisError) as refused:
        Experiment(**{"data": "digits", "model": "linear", **setting})
    assert line in str(refused.value)


def test_every_choice_of_ours_is_one() -> None:
    schedules = [kind_name(kind) for kind in members(Experiment.model_fields["schedule"].annotation)]
    losses = get_args(LossName)
    assert set(OTHER_VALUES) <= {*losses, *schedules, "bfloat16", "float16"}
    assert value_known_as("SmoothL1Loss", losses) == "smooth_l1"


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
