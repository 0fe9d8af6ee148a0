"""Patches of an experiment by dotted paths."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceteris.errors import CeterisError
from ceteris.spec import MLP, SGD, Adam, AdamW, DataSpec, Experiment, apply_patch
from ceteris.spec.init import ConstantInit, DefaultInit, NormalInit
from ceteris.spec.paths import setting_paths

BASE = Experiment(
    data=DataSpec(source="digits", rows=100),
    model=MLP(hidden=(64, 32), dropout=(0.1, 0.2)),
    optimizer=Adam(lr=0.01),
)


def patched(patch: dict[str, Any]) -> Experiment:
    return apply_patch(BASE, patch)


@pytest.mark.parametrize(
    ("patch", "path", "value"),
    [
        ({"optimizer.lr": 0.5}, "optimizer", Adam(lr=0.5)),
        ({"optimizer": "sgd"}, "optimizer", SGD()),
        ({"optimizer": {"kind": "sgd", "lr": 0.2}}, "optimizer", SGD(lr=0.2)),
        ({"optimizer": SGD(lr=0.3)}, "optimizer", SGD(lr=0.3)),
        ({"optimizer.kind": "sgd"}, "optimizer", SGD(lr=0.01)),
        ({"optimizer.kind": "adamw"}, "optimizer", AdamW(lr=0.01)),
        ({"optimizer.momentum": 0.9, "optimizer.kind": "sgd"}, "optimizer", SGD(lr=0.01, momentum=0.9)),
        ({"optimizer.lr": 0.5, "optimizer": "sgd"}, "optimizer", SGD(lr=0.5)),
        ({"model.hidden.0": 5}, "model.hidden", (5, 32)),
        ({"model.dropout.1": 0.5}, "model.dropout", (0.1, 0.5)),
        ({"model.init": "normal"}, "model.init", NormalInit()),
        ({"model.init.kind": "constant", "model.init.value": 3}, "model.init", ConstantInit(value=3)),
        ({"model.hidden": [8], "model.dropout": 0}, "model.hidden", (8,)),
        ({"data": "mnist"}, "data", DataSpec(source="mnist")),
        ({"data.scale": "none"}, "data", DataSpec(source="digits", rows=100, scale="none")),
        ({"data.rows": None}, "data", DataSpec(source="digits")),
        ({"epochs": 3, "batch_size": 7}, "batch_size", 7),
        ({}, "epochs", 10),
    ],
)
def test_patch_replaces_what_its_path_names(patch: dict[str, Any], path: str, value: object) -> None:
    part: object = patched(patch)
    for name in path.split("."):
        part = getattr(part, name)
    assert part == value


def test_patch_leaves_everything_else_and_the_base() -> None:
    before = BASE.model_dump()
    after = patched({"optimizer.lr": 0.5}).model_dump()
    assert after.pop("optimizer") == Adam(lr=0.5).model_dump()
    assert BASE.model_dump() == before
    before.pop("optimizer")
    assert after == before


def test_a_part_left_to_its_default_can_be_patched() -> None:
    plain = Experiment(data="digits", model="linear")
    assert apply_patch(plain, {"optimizer.lr": 0.5}).optimizer == Adam(lr=0.5)
    assert apply_patch(plain, {"model.init.kind": "he"}).model.init.kind == "he"
    assert plain.model.init == DefaultInit()


@pytest.mark.parametrize(
    ("patch", "line"),
    [
        (
            {"optimizer.lrr": 1},
            "optimizer.lrr: there is no setting `optimizer.lrr` in an "
            "experiment; did you mean `optimizer.lr`?",
        ),
        ({"lr": 1}, "lr: there is no setting `lr` in an experiment; did you mean `optimizer.lr`?"),
        (
            {"banana": 1},
            "banana: there is no setting `banana` in an experiment (known: data, model, precision, loss,",
        ),
        (
            {"model.hidden.x": 1},
            "there is no setting `model.hidden.x` in an experiment; did you mean `model.hidden`?",
        ),
        ({"epochs.0": 1}, "there is no setting `epochs.0` in an experiment; did you mean `epochs`?"),
        (
            {"model.hidden.5": 1},
            "model.hidden.5: there is no item 5 in `model.hidden`, which has 2, counted from 0",
        ),
        (
            {"model.dropout": 0.1, "model.dropout.0": 1},
            "model.dropout.0: `model.dropout` is not a list here, so it has no item 0",
        ),
        ({"optimizer.lr": -1}, "experiment.optimizer.lr: -1 is not a learning rate; it must be above 0"),
        ({"optimizer.momentum": 0.9}, "experiment.optimizer.momentum: there is no such setting for `adam`"),
        (
            {"model.hidden": [8]},
            "experiment.model.dropout: this is a list of 2 for a network of 1 hidden layer",
        ),
        ({"model.kind": "linear"}, "experiment.model.hidden: there is no such setting for `linear`"),
    ],
)
def test_wrong_patch_is_refused(patch: dict[str, Any], line: str) -> None:
    with pytest.raises(CeterisError) as caught:
        patched(patch)
    assert line in str(caught.value)


def test_new_kind_keeps_what_was_set_and_names_what_it_lacks() -> None:
    base = Experiment(data="digits", model="linear", optimizer={"kind": "adam", "lr": 0.5, "beta1": 0.8})
    with pytest.raises(CeterisError, match=r"optimizer\.beta1: there is no such setting for `sgd`"):
        apply_patch(base, {"optimizer.kind": "sgd"})
    same = Experiment(data="digits", model="linear", optimizer={"kind": "adam", "lr": 0.5, "beta1": 0.9})
    assert apply_patch(same, {"optimizer.kind": "sgd"}).optimizer == SGD(lr=0.5)


SIMPLE = {
    "epochs": st.integers(1, 50),
    "batch_size": st.integers(1, 50),
    "optimizer.lr": st.floats(1e-6, 10),
    "optimizer.weight_decay": st.floats(0, 1),
    "model.activation": st.sampled_from(["relu", "tanh"]),
    "data.label_noise": st.floats(0, 1),
}


@given(st.fixed_dictionaries({}, optional=SIMPLE), st.fixed_dictionaries({}, optional=SIMPLE))
def test_patching_twice_is_patching_once_with_both(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert apply_patch(patched(first), second) == patched({**first, **second})


@given(st.fixed_dictionaries({}, optional=SIMPLE))
def test_patching_twice_with_the_same_changes_nothing(patch: dict[str, Any]) -> None:
    assert apply_patch(patched(patch), patch) == patched(patch)


def test_every_path_of_the_base_can_be_set_to_its_own_value() -> None:
    settings = BASE.model_dump()
    for path in setting_paths(Experiment):
        part: Any = settings
        for name in path.split("."):
            part = part.get(name, ...) if isinstance(part, dict) else ...
        if part is not ...:
            assert patched({path: part}) == BASE, path
