"""Studies written out and read back are the same studies."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ceteris.errors import CeterisError
from ceteris.spec import (
    Study,
    combinations,
    named_paths,
    parse_study,
    study_from_dict,
    study_to_dict,
    study_to_yaml,
)

from .sources import small, written

RATES = st.floats(1e-8, 100)
OPTIMIZERS = st.one_of(
    st.sampled_from(["sgd", "adam", "adamw"]),
    st.fixed_dictionaries({"kind": st.just("sgd")}, optional={"lr": RATES, "momentum": st.floats(0, 1)}),
    st.fixed_dictionaries({"kind": st.just("rmsprop")}, optional={"biases": st.just({"lr": 0.5})}),
    st.fixed_dictionaries({"kind": st.just("adamw")}, optional={"weight_decay": st.floats(0, 1)}),
)
PENALTY = st.fixed_dictionaries(
    {"kind": st.sampled_from(["l1", "l2"]), "weight": st.floats(0, 9)},
    optional={"form": st.sampled_from(["sum", "mean"]), "on": st.sampled_from(["weights", "all"])},
)
EXPERIMENTS = st.fixed_dictionaries(
    {
        "data": st.just("digits") | st.fixed_dictionaries({"source": st.text("añ中 :#'-1", min_size=1)}),
        "model": st.just("linear")
        | st.fixed_dictionaries(
            {"kind": st.just("mlp"), "hidden": st.lists(st.integers(1, 99), max_size=3)},
            optional={"dropout": st.floats(0, 0.9), "init": st.sampled_from(["he", "zeros"])},
        ),
    },
    optional={
        "penalty": st.just("none") | st.lists(PENALTY, min_size=1, max_size=2) | PENALTY,
        "schedule": st.sampled_from(["cosine", "one_cycle", {"kind": "step", "step_size": 2}]),
        "clip": st.just({}) | st.fixed_dictionaries({"value": RATES}),
        "class_weights": st.sampled_from(["balanced", [1, 2.5], None]),
        "early_stopping": st.fixed_dictionaries({}, optional={"patience": st.integers(1, 9)}),
        "optimizer": OPTIMIZERS,
        "epochs": st.integers(1, 10**6),
        "loss": st.just("mse"),
    },
)
PATCHES = st.fixed_dictionaries({}, optional={"epochs": st.integers(1, 9), "data.rows": st.none()})
LABELS = st.text("aB1. =,中'\"~{", min_size=1, max_size=5)
FACTORS = st.fixed_dictionaries(
    {},
    optional={
        "optimizer.lr": st.lists(RATES, min_size=1, max_size=3, unique_by=lambda rate: format(rate, "g")),
        "batch_size": st.dictionaries(LABELS, st.integers(1, 99), min_size=1, max_size=3),
        "my own": st.dictionaries(LABELS, PATCHES, min_size=1, max_size=3),
        "optimizer.kind": st.just(["sgd"]),
    },
)
STUDIES = st.fixed_dictionaries(
    {"experiment": EXPERIMENTS},
    optional={
        "title": st.text("aB1. =,中'\"~{\n"),
        "vary": FACTORS,
        "seeds": st.integers(1, 9) | st.lists(st.integers(0, 2**31 - 1), min_size=1, unique=True, max_size=4),
        "claims": st.just(
            [{"text": "in: bounds", "metric": "val_loss", "within": {"low": -1e-7, "high": 1}}]
        ),
    },
)


def study_of(source: dict[str, Any]) -> Study | None:
    """Return the study, or None where its parts do not fit each other."""
    try:
        return parse_study(source).study
    except CeterisError:
        return None


@settings(max_examples=150)
@given(STUDIES)
def test_dict_and_yaml_round_trip(source: dict[str, Any]) -> None:
    study = study_of(source)
    if study is None:
        return
    data = json.loads(json.dumps(study_to_dict(study), allow_nan=False))
    assert study_from_dict(data) == study
    assert parse_study(data).study == study
    assert combinations(study_from_dict(data)) == combinations(study)


@settings(max_examples=100)
@given(source=STUDIES)
def test_yaml_round_trip(source: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    study = study_of(source)
    if study is not None:
        path = written(tmp_path_factory.getbasetemp(), study_to_yaml(study))
        assert parse_study(path).study == study


def test_a_long_text_keeps_its_two_spaces(tmp_path: Path) -> None:
    words = ("word " * 30).strip()
    for at in range(85, 105):  # where a line is broken
        note = f"{words[:at]}  {words[at:]}"
        study = parse_study(small(note=note)).study
        assert parse_study(written(tmp_path, study_to_yaml(study))).study.note == note


@pytest.mark.parametrize("name", list(named_paths()))
def test_named_studies_round_trip(name: str, tmp_path: Path) -> None:
    study = parse_study(name).study
    assert study_from_dict(study_to_dict(study)) == study
    assert parse_study(written(tmp_path, study_to_yaml(study))).study == study


def test_yaml_is_as_short_as_a_person_would_write_it() -> None:
    source = small(title="Rates", vary={"optimizer.lr": [0.1, 0.01], "how": {"a": {}, "b": {"epochs": 3}}})
    source["claims"][0]["factor"] = "optimizer.lr"
    assert study_to_yaml(parse_study(source).study) == (
        "title: Rates\n"
        "experiment:\n"
        "  data: digits\n"
        "  model:\n"
        "    kind: mlp\n"
        "    hidden: [64, 32]\n"
        "  optimizer: {kind: sgd, lr: 0.1, momentum: 0.9}\n"
        "vary:\n"
        "  optimizer.lr: [0.1, 0.01]\n"
        "  how:\n"
        "    a: {}\n"
        "    b: {epochs: 3}\n"
        "claims:\n"
        "- text: a\n"
        "  metric: val_loss\n"
        "  factor: optimizer.lr\n"
        "  less: ['0.1', '0.01']\n"
    )


def test_what_is_no_recorded_study_is_refused() -> None:
    with pytest.raises(CeterisError, match="experiment: this setting is missing"):
        study_from_dict({"title": "x"})


def test_a_study_prints_as_its_yaml() -> None:
    study = parse_study(small()).study
    assert str(study) == study_to_yaml(study)
    assert "experiment:" in str(study)


def test_tabs_in_long_texts_survive(tmp_path: Path) -> None:
    study = parse_study(small(note="a \t\tb c" * 20)).study
    assert parse_study(written(tmp_path, study_to_yaml(study))).study.note == study.note
