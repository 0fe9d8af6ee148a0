from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits

from ceteris.data.bundled import BUNDLED_SOURCES, carve_test_rows
from ceteris.data.dataset import Rows
from ceteris.data.sources import load, load_test


def test_of_the_digits_360_are_test_rows_and_1437_training_rows():
    dataset, (x_test, y_test) = load("digits"), load_test("digits")
    assert dataset.x.shape == (1437, 8, 8)
    assert x_test.shape == (360, 8, 8)
    assert dataset.value_range == (0.0, 16.0)
    assert dataset.x.max() == 16
    assert set(np.bincount(y_test)) <= {35, 36, 37}


def test_every_digit_is_in_exactly_one_of_the_two_parts():
    dataset, (x_test, y_test) = load("digits"), load_test("digits")
    whole = load_digits()
    ours = np.concatenate([dataset.x, x_test]).reshape(1797, 64)
    labels = np.concatenate([dataset.y, y_test])
    order = np.lexsort((labels, *ours.T))
    theirs = np.lexsort((whole.target, *whole.data.T))
    np.testing.assert_array_equal(ours[order], whole.data[theirs])
    np.testing.assert_array_equal(labels[order], whole.target[theirs])


def test_the_test_rows_of_the_digits_never_change():
    """A change here would let training rows of old records into new test rows."""
    assert load("digits").content.startswith("870a5bdd497898b5")


def test_descriptions_say_the_true_numbers_of_rows():
    for source in BUNDLED_SOURCES:
        data = source.read(None, None)
        assert data.test is not None
        assert f"{len(data.train.x):,} " in source.description
        assert f"{len(data.test.x):,} test rows" in source.description
        if data.classes:
            assert f"{len(data.classes)} classes" in source.description


def test_diabetes_comes_as_it_was_measured():
    """scikit-learn's default scales it by all rows, the validation rows among them (law 5)."""
    dataset = load("diabetes")
    raw = load_diabetes(scaled=False).data
    assert dataset.task == "regression"
    assert {tuple(row) for row in dataset.x} <= {tuple(row) for row in raw}


@pytest.mark.parametrize(("name", "classes"), [("iris", "setosa"), ("breast-cancer", "benign")])
def test_classes_have_their_names(name, classes):
    assert classes in load(name).classes


def test_carving_depends_on_the_name_and_on_nothing_else():
    rows = Rows(np.arange(50)[:, None], np.arange(50) % 2)
    train, test = carve_test_rows(rows, "a", "classification")
    again, _ = carve_test_rows(rows, "a", "classification")
    other, _ = carve_test_rows(rows, "b", "classification")
    assert len(test.x) == 10
    np.testing.assert_array_equal(train.x, again.x)
    assert not np.array_equal(train.x, other.x)
