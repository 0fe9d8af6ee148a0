"""Folds in a study: the short form, the full one, and what is told about mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ceteris.errors import CeterisError
from ceteris.spec.dump import study_from_dict, study_to_dict, study_to_yaml
from ceteris.spec.folds import Folds
from ceteris.spec.parse import parse_study
from ceteris.spec.study import Study

BASE: dict[str, Any] = {"experiment": {"data": "digits", "model": {"kind": "mlp", "hidden": [4]}}}


def study(folds: Any) -> Study:
    return parse_study(BASE | {"folds": folds}).study


def test_a_number_is_short_for_the_mapping():
    assert study(5).folds == study({"k": 5}).folds == Folds(k=5)
    assert study(None).folds is None
    assert parse_study(BASE).study.folds is None


@pytest.mark.parametrize(
    ("folds", "task", "kind"),
    [
        (Folds(k=5), "classification", "stratified"),
        (Folds(k=5), "regression", "plain"),
        (Folds(k=5, groups="subject"), "classification", "grouped"),
        (Folds(k=5, kind="time"), "classification", "time"),
    ],
)
def test_the_kind_follows_from_the_data_unless_it_is_given(folds: Folds, task: str, kind: str):
    assert folds.kind_for(task) == kind
    assert folds.resolved(task).kind == kind


@pytest.mark.parametrize(
    ("folds", "line"),
    [
        (5, "folds: 5"),
        ({"k": 3, "kind": "time"}, "folds: {k: 3, kind: time}"),
        ({"k": 3, "groups": "subject"}, "folds: {k: 3, groups: subject}"),
    ],
)
def test_folds_are_written_out_and_read_back(tmp_path: Path, folds: Any, line: str):
    made, file = study(folds), tmp_path / "study.yaml"
    file.write_text(study_to_yaml(made))
    assert line in file.read_text().splitlines()
    assert parse_study(file).study == made == study_from_dict(study_to_dict(made))


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        (1, "folds.k: 1 is not a number of folds; it must be a whole number from 2 to 1,000"),
        (2.5, "folds.k: 2.5 is not a number of folds; it must be a whole number from 2 to 1,000"),
        (True, "folds: true is not a number of folds; give one, or a mapping with `k` and `kind`"),
        ("five", "folds: 'five' is not a number of folds; give one, or a mapping with `k` and `kind`"),
        ({"kind": "time"}, "folds.k: this setting is missing; it must be a whole number from 2 to 1,000"),
        (
            {"k": 3, "kind": "tim"},
            "folds.kind: there is no kind of folds `tim`; did you mean `time`? (known: stratified, plain, "
            "grouped, time)",
        ),
        ({"k": 3, "kinds": "time"}, "folds.kinds: there is no such setting; did you mean `kind`?"),
        (
            {"k": 3, "kind": "grouped"},
            "folds: grouped folds need `groups`, the name of the array that holds each row's group",
        ),
        (
            {"k": 3, "kind": "time", "groups": "subject"},
            "folds.groups: time folds have no groups; remove this, or use `kind: grouped`",
        ),
    ],
)
def test_mistakes_are_told_in_one_sentence(folds: Any, message: str):
    with pytest.raises(CeterisError) as caught:
        study(folds)
    assert str(caught.value) == message
