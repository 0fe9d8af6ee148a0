"""Floating-point labels are numbers to predict, and that is said."""

import numpy as np

from ceteris.data import arrays
from ceteris.lab.binding import bind
from ceteris.lab.datasets import LoadedData
from ceteris.lab.run import tell_label_like_numbers
from ceteris.spec.parse import parse_study
from tests.lab.made import Diary, settings

ROWS = np.random.default_rng(0).normal(size=(120, 3))


def told(targets: object) -> list[str]:
    diary = Diary()
    found = tell_label_like_numbers(LoadedData({"arrays": arrays(ROWS, targets)}, {}), diary)
    assert diary.notes == list(found)
    return diary.notes


def test_float_labels_are_pointed_out() -> None:
    (note,) = told(np.array([0.0, 1.0] * 60))
    assert "`y` is of a floating-point type, so its 2 different values are numbers to predict" in note
    assert "`y.astype(int)`" in note


def test_one_hot_labels_are_pointed_out() -> None:
    (note,) = told(np.eye(3)[np.arange(120) % 3])
    assert "every row of `y` has a single 1 among 3 numbers, and these are predicted as numbers" in note
    assert "`y.argmax(axis=1)`" in note


def test_labels_and_real_numbers_are_silent() -> None:
    assert told(np.eye(3)[np.arange(120) % 3] + 0.5) == []
    assert told((ROWS > 0).astype(float)) == [], "several ones in a row are several targets"
    assert told(np.array([0, 1] * 60)) == []
    assert told(ROWS[:, 0]) == []


def test_rows_of_a_single_class_are_refused() -> None:
    parsed = parse_study(settings(data="arrays") | {"seeds": 2})
    dataset = arrays(ROWS, ["no"] * 120)
    _, problems = bind(parsed, LoadedData({"arrays": dataset}, {}), [])
    assert (
        "experiment.data.source: all rows of `arrays` are of one class, `no`: there is nothing to tell "
        "apart; give rows of two or more classes"
    ) in map(str, problems)
