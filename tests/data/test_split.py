from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceteris.data.preparation import Preparation
from ceteris.data.sources import load
from ceteris.data.split import split_rows
from ceteris.data.user_arrays import arrays
from ceteris.errors import CeterisError
from ceteris.spec.data import DataSpec
from ceteris.spec.folds import Folds


def spec(**fields) -> DataSpec:
    return DataSpec(source="digits", **fields)


def rows_of(counts, **fields):
    """A data set with so many rows of each class."""
    y = np.repeat(np.arange(len(counts)), counts)
    return arrays(np.arange(len(y), dtype=np.float32), y, name="mine")


@given(
    counts=st.lists(st.integers(2, 30), min_size=1, max_size=5),
    seed=st.integers(0, 1000),
    mode=st.sampled_from(["per-seed", "fixed"]),
    data=st.data(),
)
def test_every_row_is_in_one_part_at_most_and_every_class_in_both(counts, seed, mode, data):
    dataset = rows_of(counts)
    classes, n = len(counts), sum(counts)
    validation = data.draw(st.integers(classes, n - classes))
    rows = data.draw(st.none() | st.integers(classes, n - validation))
    split = split_rows(dataset, spec(split=mode, validation=validation, rows=rows), seed)
    assert len(split.validation) == validation
    assert len(split.train) == (n - validation if rows is None else rows)
    assert not set(split.train) & set(split.validation)
    for part in (split.train, split.validation):
        assert part.dtype == np.int64
        assert (np.diff(part) > 0).all()
        assert set(dataset.y[part]) == set(range(classes))


@given(st.integers(0, 50), st.integers(2, 15), st.integers(2, 15))
def test_a_smaller_training_set_is_part_of_a_larger_one(seed, a, b):
    dataset = rows_of([12, 12])
    smaller, larger = (split_rows(dataset, spec(rows=n), seed).train for n in sorted((a, b)))
    assert set(smaller) <= set(larger)


def test_the_digits_are_split_four_to_one():
    split = split_rows(load("digits"), spec(), 0)
    assert (len(split.train), len(split.validation)) == (1150, 287)


def test_each_seed_draws_its_own_split_unless_it_is_fixed():
    dataset = load("digits")
    drawn = [split_rows(dataset, spec(), seed).validation for seed in (0, 1)]
    fixed = [split_rows(dataset, spec(split="fixed"), seed).validation for seed in (0, 1)]
    assert not np.array_equal(*drawn)
    np.testing.assert_array_equal(*fixed)
    np.testing.assert_array_equal(fixed[1], drawn[0])


def test_the_same_seed_draws_the_same_split():
    first, second = (split_rows(load("digits"), spec(rows=200), 7) for _ in range(2))
    np.testing.assert_array_equal(first.train, second.train)
    np.testing.assert_array_equal(first.validation, second.validation)


def test_fewer_training_rows_leave_the_validation_rows_alone():
    dataset = load("digits")
    np.testing.assert_array_equal(
        split_rows(dataset, spec(rows=100), 3).validation, split_rows(dataset, spec(), 3).validation
    )


def test_fewer_rows_of_a_fixed_split_are_drawn_by_the_seed():
    dataset = load("digits")
    first, second = (split_rows(dataset, spec(split="fixed", rows=100), seed).train for seed in (0, 1))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(("validation", "expected"), [(0.25, 20), (7, 7), (0.001, 2), (None, 16)])
def test_validation_is_a_share_or_a_count(validation, expected):
    dataset = rows_of([40, 40])
    if validation == 0.001:
        with pytest.raises(CeterisError, match=r"1 validation row of `mine` cannot hold"):
            split_rows(dataset, spec(validation=validation), 0)
        return
    assert len(split_rows(dataset, spec(validation=validation), 0).validation) == expected


def test_numbers_to_predict_are_split_without_classes():
    split = split_rows(load("diabetes"), spec(validation=1), 0)
    assert (len(split.train), len(split.validation)) == (352, 1)


@pytest.mark.parametrize(
    ("counts", "fields", "message"),
    [
        (
            [10, 10],
            {"validation": 20},
            "experiment.data.validation: 20 validation rows cannot be carved from the 20 rows of `mine`; "
            "at most 18 leave a row of each of its 2 classes to train on",
        ),
        (
            [10, 10],
            {"validation": 5000},
            "experiment.data.validation: 5,000 validation rows cannot be carved from the 20 rows of `mine`; "
            "at most 18 leave a row of each of its 2 classes to train on",
        ),
        (
            [10, 10, 10],
            {"validation": 2},
            "experiment.data.validation: 2 validation rows of `mine` cannot hold a row of each of its "
            "3 classes; use at least 3",
        ),
        (
            [10, 10],
            {"validation": 4, "rows": 17},
            "experiment.data.rows: 17 training rows cannot be taken: 16 of the 20 rows of `mine` are left "
            "after the split",
        ),
        (
            [10, 10],
            {"rows": 1},
            "experiment.data.rows: 1 training row of `mine` cannot hold a row of each of its 2 classes; "
            "use at least 2",
        ),
        (
            [10, 1],
            {},
            "experiment.data.source: class `1` of `mine` has 1 row, and a class needs at least 2: "
            "one to train on and one to validate on",
        ),
        (
            [1, 10, 1, 1, 1],
            {},
            "experiment.data.source: 4 classes of `mine` (`0`, `2`, `3`, ...) have 1 row, and a class needs "
            "at least 2: one to train on and one to validate on",
        ),
    ],
)
def test_impossible_sizes_are_told_in_one_sentence(counts, fields, message):
    with pytest.raises(CeterisError) as caught:
        split_rows(rows_of(counts), spec(**fields), 0)
    assert str(caught.value) == message


def test_a_single_row_to_predict_cannot_be_split():
    dataset = arrays([[1.0]], [0.5], name="one")
    with pytest.raises(CeterisError, match=r"1 validation row cannot be carved from the 1 rows of `one`"):
        split_rows(dataset, spec(), 0)


@pytest.mark.real_data
def test_fashion_mnist_is_split_50000_to_10000_evenly(real_data):
    dataset = load("fashion-mnist", real_data)
    split = split_rows(dataset, DataSpec(source="fashion-mnist"), 4)
    assert np.bincount(dataset.y[split.train]).tolist() == [5000] * 10
    assert np.bincount(dataset.y[split.validation]).tolist() == [1000] * 10


@given(
    counts=st.lists(st.integers(5, 40), min_size=2, max_size=4),
    seed=st.integers(0, 50),
    data=st.data(),
)
def test_a_balanced_validation_split_has_equally_many_rows_of_every_class(counts, seed, data):
    dataset = rows_of(counts)
    size = data.draw(st.integers(len(counts), 4 * len(counts)))
    split = split_rows(dataset, spec(validation=size, validation_balanced=True), seed)
    assert np.bincount(dataset.y[split.validation]).tolist() == [size // len(counts)] * len(counts)
    assert sorted([*split.train, *split.validation]) == list(range(sum(counts)))
    assert (np.diff(split.train) > 0).all()


def test_both_sides_of_the_gap_are_balanced():
    dataset = rows_of([200, 40])
    prepared = Preparation(dataset).prepare(spec(validation=40, validation_balanced=True), 0)
    for rows in (prepared.split.validation, prepared.train_slice):
        assert np.bincount(dataset.y[rows]).tolist() == [20, 20]
    assert set(prepared.train_slice) <= set(prepared.split.train)


@pytest.mark.parametrize(
    ("dataset", "folds", "message"),
    [
        (
            rows_of([50, 5]),
            None,
            "a balanced split of 20 validation rows takes 10 of every class, and class `1` of `mine` has 5; "
            "with `validation` of at most 8 rows one is left to train on",
        ),
        (
            arrays(np.arange(40.0), np.arange(40.0), name="mine"),
            None,
            "`mine` has numbers to predict; balancing needs classes",
        ),
        (
            rows_of([50, 50]),
            Folds(k=2),
            "with folds every row validates once, so they cannot be balanced; remove this",
        ),
    ],
)
def test_a_balanced_validation_split_that_cannot_be_had_is_told(dataset, folds, message):
    size = None if folds else 20
    with pytest.raises(CeterisError) as caught:
        split_rows(dataset, spec(validation=size, validation_balanced=True), 0, 0, folds)
    assert str(caught.value) == f"experiment.data.validation_balanced: {message}"
