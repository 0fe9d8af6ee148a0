"""However wrong a specification is, it ends as a study or in sentences, never in a traceback."""

import contextlib
import copy
from collections.abc import Mapping
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
    seed_list,
    study_from_dict,
    study_to_dict,
    study_to_yaml,
)
from ceteris.spec.document import parse_document, read_document

FULL: dict[str, Any] = {
    "title": "t",
    "experiment": {
        "data": {"source": "digits", "scale": "unit", "validation": 0.2, "rows": 100},
        "model": {
            "kind": "mlp",
            "hidden": [64, 32],
            "dropout": [0.1, 0.2],
            "noise": 0.1,
            "init": {"kind": "normal"},
        },
        "optimizer": {
            "kind": "sgd",
            "lr": 0.1,
            "momentum": 0.9,
            "nesterov": True,
            "biases": {"weight_decay": 0},
        },
        "penalty": [{"kind": "l1", "weight": 1e-4}, {"kind": "l2", "form": "norm", "weight": 1, "on": "all"}],
        "schedule": {"kind": "plateau", "metric": "val_f1", "factor": 0.5, "warmup": 0.5},
        "clip": {"norm": 1.0},
        "label_smoothing": 0.1,
        "class_weights": [1, 2],
        "early_stopping": {"patience": 3},
        "metrics": ["f1"],
    },
    "vary": {
        "optimizer.lr": [0.1, 0.01],
        "what": {
            "none": {},
            "drop": {"model.dropout": 0.25, "epochs": 40},
            "adam": {"optimizer.kind": "adam"},
        },
    },
    "combine": [{"optimizer.lr": 0.1, "what": "none"}],
    "seeds": [3, 4],
    "claims": [
        {"text": "a", "metric": "val_loss", "factor": "optimizer.lr", "less": [0.1, 0.01]},
        {"text": "b", "metric": "val_f1", "at": "epochs_until", "reach": 1, "within": {"low": 0}},
        {
            "text": "c",
            "metric": "gap_loss",
            "interaction": {"factors": {"optimizer.lr": [0.1, 0.01], "what": ["none", "drop"]}},
        },
    ],
}
SOURCES = st.deferred(
    lambda: st.sampled_from([FULL, *(read_document(path).data for path in named_paths().values())])
)
TEXTS = [path.read_text() for path in named_paths().values()]
WORDS = [
    *("kind", "label", "patch", "levels", "name", "margin", "low", "factors", "", "sgd", "mlp", "linear"),
    *("optimizer.lr", "model.hidden.0", "model.hidden.9", "optimizer.kind", "experiment.epochs", "model"),
    *(
        "data",
        "model.init",
        "cross",
        "zip",
        "none",
        "a.b:C",
        "0",
        "0.1",
        "val_loss",
        "std/x",
        "\ud800",
        "\x00",
    ),
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 70),
    st.integers(),
    st.just(10**400),
    st.floats(),
    st.sampled_from(WORDS),
    st.text(max_size=8),
)
VALUES = st.recursive(
    SCALARS | st.sampled_from([b"x", {1, 2}, object(), 1j, float, Path("x")]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | SCALARS, inner, max_size=3)
    ),
    max_leaves=6,
)


def judged(source: Any, **options: Any) -> Study | None:
    """Return the study, after everything that a study is used for, or None if it was refused."""
    study, error = None, None
    try:
        study = parse_study(source, **options).study
    except CeterisError as refused:
        error = refused
    if study is None:
        assert error is not None
        assert error.problems
        assert all(problem.message and "\n" not in str(problem) for problem in error.problems)
        return None
    assert combinations(study)
    assert seed_list(study)
    assert study_from_dict(study_to_dict(study)) == study
    assert parse_study(study_to_dict(study), allow_code=True).study == study
    return study


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    study = copy.deepcopy(draw(SOURCES))
    for _ in range(draw(st.integers(1, 3))):
        node: Any = study
        while True:
            keys = list(node) if isinstance(node, Mapping) else list(range(len(node)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(node[key], dict | list) and draw(st.integers(0, 3)):
                node = node[key]
                continue
            match draw(st.sampled_from(["replace", "remove", "add", "rename"])):
                case "replace":
                    node[key] = draw(VALUES)
                case "remove":
                    del node[key]
                case "add" if isinstance(node, dict):
                    node[draw(st.sampled_from(WORDS))] = draw(VALUES)
                case "rename" if isinstance(node, dict):
                    node[draw(st.sampled_from(WORDS) | st.text(max_size=4))] = node.pop(key)
            break
    return study


@settings(max_examples=400)
@given(mutated())
def test_mutated_mapping_ends_in_a_study_or_in_sentences(source: dict[str, Any]) -> None:
    judged(source, allow_code=True)


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from([*FULL, *WORDS]), VALUES, max_size=6))
def test_random_mapping_ends_in_a_study_or_in_sentences(source: dict[str, Any]) -> None:
    judged(source)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@settings(max_examples=150)
@given(
    text=st.sampled_from(TEXTS),
    cuts=st.lists(
        st.tuples(
            st.integers(0, 10_000),
            st.integers(0, 12),
            st.text(":-{}[]&*!|>%@`#'\"\t\n ,?x1\x00é", max_size=4),
        ),
        min_size=1,
        max_size=3,
    ),
)
def test_mutated_text_ends_in_a_study_or_in_sentences(
    text: str, cuts: list[tuple[int, int, str]], folder: Path
) -> None:
    for start, length, replacement in cuts:
        at = start % len(text)
        text = text[:at] + replacement + text[at + length :]
    path = folder / "study.yaml"
    path.write_text(text)
    study = judged(path)
    if study is not None:
        again = folder / "again.yaml"
        again.write_text(study_to_yaml(study))
        assert parse_study(again).study == study


@settings(max_examples=100)
@given(content=st.binary(max_size=60))
def test_any_bytes_end_in_data_or_in_sentences(content: bytes, folder: Path) -> None:
    path = folder / "bytes.yaml"
    path.write_bytes(content)
    assert judged(path) is None


@settings(max_examples=150)
@given(
    path=st.sampled_from([*WORDS, "epochs", "model.dropout", "data.scale"]),
    value=st.text("[]{},:0123456789.e-'\"abn&*! ", max_size=8),
    seeds=st.none() | st.integers(-1, 3),
    epochs=st.none() | st.integers(-1, 3),
)
def test_any_option_ends_in_a_study_or_in_sentences(
    path: str, value: str, seeds: int | None, epochs: int | None
) -> None:
    options = {"seeds": seeds, "epochs": epochs, "allow_code": True}
    judged(FULL, sets=[f"{path}={value}"], **options)
    judged(FULL, varies=[f"{path}={value}"], **options)


@settings(max_examples=60)
@given(st.text("[{- a:\n", max_size=200))
def test_brackets_of_any_depth_end_in_data_or_in_sentences(text: str) -> None:
    with contextlib.suppress(CeterisError):
        parse_document(text)
