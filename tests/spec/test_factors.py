"""Factors from the forms of ``vary``, and how their levels are combined."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ceteris.errors import CeterisError
from ceteris.spec import (
    SGD,
    Adam,
    Factor,
    Level,
    Study,
    combinations,
    format_label,
    make_factor,
    parse_study,
    seed_list,
)

from .sources import refusal, small


def varied(vary: Any, **more: Any) -> Study:
    return parse_study(small(vary=vary, claims=[], **more)).study


def labels(study: Study) -> list[str]:
    return [combination.label for combination in combinations(study)]


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (32, "32"),
        (1000000, "1000000"),
        (0.1, "0.1"),
        (1e-5, "1e-05"),
        (10000.0, "10000"),
        (True, "true"),
        (False, "false"),
        (None, "none"),
        ("unit", "unit"),
        ([64, 32], "[64, 32]"),
        ((), "[]"),
        ({"kind": "sgd", "lr": 0.1}, "sgd lr=0.1"),
        ({}, "{}"),
    ],
)
def test_label_of_a_value(value: object, label: str) -> None:
    assert format_label(value) == label


def test_list_of_values_is_a_level_each() -> None:
    factor = varied({"optimizer.lr": [0.1, 1e-2]}).vary[0]
    assert factor == Factor(
        name="optimizer.lr",
        levels=(
            Level(label="0.1", patch={"optimizer.lr": 0.1}),
            Level(label="0.01", patch={"optimizer.lr": 0.01}),
        ),
    )


@pytest.mark.parametrize("values", [np.array([16, 32]), range(16, 48, 16), torch.tensor([16, 32])])
def test_arrays_and_ranges_are_lists_of_values(values: Any) -> None:
    assert make_factor("batch_size", values) == make_factor("batch_size", [16, 32])


def test_labelled_patches_may_change_several_settings() -> None:
    study = varied({"regularisation": {"none": None, "dropout": {"model.dropout": 0.25, "epochs": 40}}})
    none, dropout = combinations(study)
    assert (none.label, none.experiment) == ("none", study.experiment)
    assert dropout.coordinates == {"regularisation": "dropout"}
    assert (dropout.experiment.model.dropout, dropout.experiment.epochs) == (0.25, 40)


def test_labelled_values_of_a_path() -> None:
    study = varied({"data.rows": {"all": None, "few": 100}})
    assert labels(study) == ["all", "few"]
    assert [c.experiment.data.rows for c in combinations(study)] == [None, 100]


def test_labelled_patches_under_a_path_are_patches_of_whole_paths() -> None:
    study = varied({"optimizer": {"sgd": {"optimizer": "sgd"}, "fast": {"optimizer.lr": 0.5}}})
    assert [c.experiment.optimizer for c in combinations(study)] == [SGD(), SGD(lr=0.5, momentum=0.9)]


def test_whole_parts_as_levels() -> None:
    study = varied({"optimizer": ["adam", {"kind": "sgd", "lr": 0.5}], "model.hidden": [[8], 4, []]})
    assert labels(study)[0] == "optimizer=adam, model.hidden=[8]"
    assert labels(study)[-1] == "optimizer=sgd lr=0.5, model.hidden=[]"
    assert combinations(study)[0].experiment.optimizer == Adam()
    assert combinations(study)[1].experiment.model.hidden == (4,)


def test_paths_may_start_with_experiment() -> None:
    assert varied({"experiment.epochs": [1, 2]}).vary == varied({"epochs": [1, 2]}).vary
    assert varied({"x": {"a": {"experiment.epochs": 1}}}).vary[0].levels[0].patch == {"epochs": 1}


def test_recorded_form_is_read_too() -> None:
    study = varied([{"name": "x", "levels": [{"label": "a", "patch": {"epochs": 1}}]}])
    assert study.vary == varied({"x": {"a": {"epochs": 1}}}).vary


def test_changed_kind_is_resolved_and_does_not_depend_on_what_the_base_spelled_out() -> None:
    base = {"data": "digits", "model": "linear", "optimizer": {"kind": "adam", "lr": 0.5}}
    study = parse_study({"experiment": base, "vary": {"optimizer.kind": ["adam", "adamw", "sgd"]}}).study
    assert study.vary[0].levels[2].patch == {"optimizer": {"kind": "sgd", "lr": 0.5}}
    decays = [combination.experiment.optimizer.weight_decay for combination in combinations(study)]
    assert decays == [0, 0.01, 0]
    again = Study.model_validate(study.model_dump(mode="json"))
    assert combinations(again) == combinations(study)
    assert combinations(parse_study(again).study) == combinations(study)


@pytest.mark.parametrize(
    ("vary", "line"),
    [
        ({"optimizer.lr": []}, "vary.optimizer.lr: the list of levels is empty; give at least one"),
        ({"x": {}}, "vary.x: the list of levels is empty; give at least one"),
        ({"optimizer.lr": 0.1}, "vary.optimizer.lr: 0.1 is not a list of levels; write [0.1, ...]"),
        ({"lr": [0.1]}, "vary.lr: there is no setting `lr` in an experiment; did you mean `optimizer.lr`?"),
        ({"banana": [1]}, "a factor with a name of your own needs labelled levels, {label: {path: value}}"),
        ({"banana": 1}, "vary.banana: 1 is not a list of values or a mapping of labels to patches"),
        (
            {"optimizer.momentum": [0, 0]},
            "vary.optimizer.momentum: two levels are called `0`; decimals have a point, as in 0.1",
        ),
        ({"optimizer.lr": [0.1, 0.1]}, "vary.optimizer.lr: two levels are called `0.1`"),
        ({"optimizer.lr": [0.1, -1]}, "vary.optimizer.lr.1: -1 is not a learning rate; it must be above 0"),
        ({"x": {"a": 5}}, "vary.x.a: 5 is not a patch; a level is {label: {path: value, ...}}"),
        (
            {"optimizer": {"sgd": {"kind": "sgd"}}},
            "vary.optimizer.sgd.kind: a level is {label: {path: value}}, so "
            "write the whole path, `optimizer.kind`",
        ),
        (
            {"x": {"a": {"model.droput": 0.5}}},
            "vary.x.a.model.droput: there is no setting `model.droput` in an "
            "experiment; did you mean `model.dropout`?",
        ),
        (
            {"x": {"a": {"model": {"dropout": 0.5}}}},
            "vary.x.a.model: this replaces the whole model, so it needs a `kind`; "
            "to change one setting of it, write `model.dropout`",
        ),
        (
            {"optimizer": ["adam", {"kind": "sgd", "lr": -1}]},
            "vary.optimizer.1.lr: -1 is not a learning rate; it must be above 0",
        ),
        (
            {"optimizer.kind": ["sgd", "adam"]},
            "vary.optimizer.kind.1: with the level `adam`, experiment.optimizer.momentum: "
            "there is no such setting for `adam`",
        ),
        ({"model.hidden.5": [1]}, "vary.model.hidden.5.0: there is no item 5 in `model.hidden`"),
        ({"x": {"": {}}}, "vary.x: a level needs a label"),
        ({"": {"a": {}}}, "vary: a factor needs a name"),
        (7, "vary: 7 is not a mapping of factors; write `vary: {optimizer.lr: [0.1, 0.01]}`"),
        ([1], "vary.0: a factor in a list is {name: ..., levels: [{label: ..., patch: {path: value}}, ...]}"),
        (
            {"a": {"x": {"epochs": 1}}, "b": {"y": {"epochs": 2}}},
            "vary.b: `a` and `b` both set epochs; one factor must do it",
        ),
        (
            {"epochs": list(range(1, 60)), "batch_size": list(range(1, 60))},
            "vary: the factors make 3,481 combinations",
        ),
    ],
)
def test_wrong_factor_is_one_line(vary: Any, line: str) -> None:
    lines = refusal(small(vary=vary, claims=[]))
    assert len(lines) == 1
    assert line in lines[0]


def test_levels_that_only_fail_together_are_told_with_their_combination() -> None:
    lines = refusal(small(vary={"model.dropout": [[0.1, 0.2], 0], "model.hidden": [[2, 2], [1]]}, claims=[]))
    assert lines == [
        "vary.model.dropout.0: with model.dropout=[0.1, 0.2], model.hidden=[1]: this is a list of 2 for "
        "a network of 1 hidden layer; give one value for all or one for each"
    ]


def test_crossed_factors_change_the_first_slowest() -> None:
    study = varied({"epochs": [1, 2], "batch_size": [3, 4]})
    assert labels(study) == [
        "epochs=1, batch_size=3",
        "epochs=1, batch_size=4",
        "epochs=2, batch_size=3",
        "epochs=2, batch_size=4",
    ]
    assert [(c.experiment.epochs, c.experiment.batch_size) for c in combinations(study)] == [
        (1, 3),
        (1, 4),
        (2, 3),
        (2, 4),
    ]


def test_zipped_factors_go_level_by_level() -> None:
    study = varied({"epochs": [1, 2], "batch_size": [3, 4]}, combine="zip")
    assert [c.coordinates for c in combinations(study)] == [
        {"epochs": "1", "batch_size": "3"},
        {"epochs": "2", "batch_size": "4"},
    ]


def test_listed_combinations_are_taken_in_their_order() -> None:
    rows = [{"batch_size": 4, "epochs": 1}, {"epochs": 2, "batch_size": 3}]
    study = varied({"epochs": [1, 2], "batch_size": [3, 4]}, combine=rows)
    assert labels(study) == ["epochs=1, batch_size=4", "epochs=2, batch_size=3"]


@pytest.mark.parametrize("combine", ["cross", "zip"])
def test_without_factors_there_is_the_base(combine: str) -> None:
    (only,) = combinations(varied(None, combine=combine))
    assert (only.label, only.coordinates) == ("base", {})


@pytest.mark.parametrize(
    ("combine", "line"),
    [
        ("zip", "combine: zipped factors need equally many levels, but `epochs` has 2, `batch_size` has 1"),
        ([], "combine: the list of combinations is empty; give at least one"),
        ([{"epochs": 1}], "combine.0: the level of `batch_size` is missing"),
        ([{"epochs": 9, "batch_size": 3}], "combine.0.epochs: there is no level `9` (known: 1, 2)"),
        (
            [{"epochs": 1, "batchsize": 3, "batch_size": 3}],
            "combine.0.batchsize: there is no factor `batchsize`; did you mean `batch_size`?",
        ),
        ([{"epochs": 1, "batch_size": 3}] * 2, "combine.1: this combination is listed twice"),
        (3, "combine: 3 is not a way to combine factors; it must be one of cross, zip, or a list"),
    ],
)
def test_wrong_combination_is_one_line(combine: Any, line: str) -> None:
    lines = refusal(small(vary={"epochs": [1, 2], "batch_size": [3]}, claims=[], combine=combine))
    assert len(lines) == 1
    assert line in lines[0]


def test_levels_with_equal_experiments_are_fine() -> None:
    study = varied({"nothing": {"a": {}, "b": {}}})
    a, b = combinations(study)
    assert a.experiment == b.experiment
    assert a.label != b.label


def test_seed_list() -> None:
    assert seed_list(varied(None, seeds=3)) == (0, 1, 2)
    assert seed_list(varied(None, seeds=[7, 3])) == (7, 3)
    assert seed_list(varied(None)) == (0, 1, 2, 3, 4)


def test_factors_made_in_python() -> None:
    study = Study(experiment=small()["experiment"], vary={"optimizer": [SGD(lr=0.1), Adam()]})
    assert study.vary == (make_factor("optimizer", [SGD(lr=0.1), Adam()]),)
    assert labels(study) == ["sgd lr=0.1", "adam"]
    assert parse_study(study).study == study
    with pytest.raises(CeterisError, match=r"Study\.vary: epoch: there is no setting `epoch`"):
        Study(experiment=small()["experiment"], vary={"epoch": [1]})
    with pytest.raises(CeterisError, match="the list of levels is empty"):
        make_factor("epochs", [])
    with pytest.raises(CeterisError, match="two levels are called `a`"):
        Factor(name="x", levels=(Level(label="a", patch={}), Level(label="a", patch={})))


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=5, unique=True), st.integers(1, 4))
def test_crossing_makes_every_combination_once(sizes: list[int], count: int) -> None:
    study = varied({"batch_size": sizes, "epochs": list(range(1, count + 1))})
    found = combinations(study)
    assert len({combination.label for combination in found}) == len(sizes) * count == len(found)
    for combination in found:
        assert combination.coordinates["batch_size"] == str(combination.experiment.batch_size)
        assert combination.coordinates["epochs"] == str(combination.experiment.epochs)
