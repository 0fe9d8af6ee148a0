"""How rows are dealt into folds: by properties, and against scikit-learn's splitters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold, TimeSeriesSplit

from ceteris.data.dataset import Dataset
from ceteris.data.folds import NEVER, fold_of_rows, fold_parts
from ceteris.data.preparation import Preparation
from ceteris.data.sources import load
from ceteris.data.split import split_rows
from ceteris.data.user_arrays import arrays
from ceteris.errors import CeterisError
from ceteris.spec.data import DataSpec
from ceteris.spec.folds import Folds


def spec(**fields) -> DataSpec:
    return DataSpec(source="mine", **fields)


def classes(counts) -> Dataset:
    y = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    return arrays(np.arange(len(y), dtype=np.float32), y, classes=range(len(counts)), name="mine")


def numbers(n: int, groups=None) -> Dataset:
    columns = {} if groups is None else {"subject": groups}
    return arrays(np.arange(n, dtype=np.float32), np.linspace(0, 1, n), name="mine", columns=columns)


def parts(dataset: Dataset, folds: Folds, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    return [fold_parts(dataset, folds, seed, fold) for fold in range(folds.k)]


def assert_partition(dataset: Dataset, folds: Folds, seed: int) -> None:
    n = len(dataset.x)
    both = parts(dataset, folds, seed)
    np.testing.assert_array_equal(np.sort(np.concatenate([v for _, v in both])), np.arange(n))
    for train, validation in both:
        assert (np.diff(train) > 0).all()
        assert (np.diff(validation) > 0).all()
        np.testing.assert_array_equal(np.sort(np.concatenate([train, validation])), np.arange(n))


@given(n=st.integers(2, 60), k=st.integers(2, 8), seed=st.integers(0, 99))
def test_plain_folds_hold_every_row_once_and_differ_by_a_row_at_most(n, k, seed):
    dataset, folds = numbers(max(n, k)), Folds(k=k)
    assert_partition(dataset, folds, seed)
    sizes = [len(validation) for _, validation in parts(dataset, folds, seed)]
    assert max(sizes) - min(sizes) <= 1


@given(
    counts=st.lists(st.integers(5, 20), min_size=2, max_size=4), k=st.integers(2, 5), seed=st.integers(0, 9)
)
def test_stratified_folds_share_every_class_as_evenly_as_scikit_learn_s(counts, k, seed):
    dataset, folds = classes(counts), Folds(k=k)
    assert_partition(dataset, folds, seed)
    ours = [np.bincount(dataset.y[v], minlength=len(counts)) for _, v in parts(dataset, folds, seed)]
    theirs = [
        np.bincount(dataset.y[v], minlength=len(counts))
        for _, v in StratifiedKFold(k).split(dataset.x, dataset.y)
    ]
    np.testing.assert_array_equal(np.ptp(ours, axis=0), np.ptp(theirs, axis=0))
    assert (np.ptp(ours, axis=0) <= 1).all()
    assert np.ptp(np.sum(ours, axis=1)) <= 1


@given(
    groups=st.lists(st.integers(0, 12), min_size=6, max_size=60).filter(lambda g: len(set(g)) >= 6),
    k=st.integers(2, 6),
    seed=st.integers(0, 99),
)
def test_no_group_is_both_trained_and_validated_on(groups, k, seed):
    own = np.array(groups)
    dataset, folds = numbers(len(own), own), Folds(k=k, groups="subject")
    assert_partition(dataset, folds, seed)
    sizes = []
    for train, validation in parts(dataset, folds, seed):
        assert not set(own[train]) & set(own[validation])
        sizes.append(len(validation))
    assert min(sizes) >= 1
    assert max(sizes) - min(sizes) <= np.bincount(own).max()


@given(n=st.integers(3, 80), k=st.integers(2, 9))
def test_folds_in_time_are_scikit_learn_s_and_validate_on_what_follows(n, k):
    dataset, folds = numbers(max(n, k + 1)), Folds(k=k, kind="time")
    both = parts(dataset, folds, seed=3)
    for (train, validation), (their_train, theirs) in zip(
        both, TimeSeriesSplit(k).split(dataset.x), strict=True
    ):
        np.testing.assert_array_equal(train, their_train)
        np.testing.assert_array_equal(validation, theirs)
        assert train.max() < validation.min()
    first = fold_of_rows(dataset, folds, 0) == NEVER
    assert first[: first.sum()].all()
    np.testing.assert_array_equal(np.concatenate([v for _, v in both]), np.flatnonzero(~first))


def test_each_seed_deals_anew_unless_the_split_is_fixed_or_in_time():
    dataset = load("digits")

    def validation(folds: Folds, split: str, seed: int) -> np.ndarray:
        return split_rows(dataset, DataSpec(source="digits", split=split), seed, 1, folds).validation

    five, time = Folds(k=5), Folds(k=5, kind="time")
    assert not np.array_equal(validation(five, "per-seed", 0), validation(five, "per-seed", 1))
    np.testing.assert_array_equal(validation(five, "fixed", 0), validation(five, "fixed", 1))
    np.testing.assert_array_equal(validation(time, "per-seed", 0), validation(time, "per-seed", 1))


def test_grouped_folds_are_dealt_anew_by_each_seed():
    dataset = numbers(60, np.arange(60) // 3)
    folds = Folds(k=4, groups="subject")
    assert not np.array_equal(fold_of_rows(dataset, folds, 0), fold_of_rows(dataset, folds, 1))


def test_fewer_training_rows_of_a_fold_are_part_of_more_and_leave_its_validation_rows_alone():
    dataset, five = load("digits"), Folds(k=5)
    few, many, whole = (
        split_rows(dataset, DataSpec(source="digits", rows=rows), 2, 3, five) for rows in (50, 200, None)
    )
    assert set(few.train) < set(many.train) < set(whole.train)
    assert (len(few.train), len(many.train)) == (50, 200)
    np.testing.assert_array_equal(few.validation, whole.validation)


def test_scaling_is_estimated_on_the_training_rows_of_each_fold():
    dataset, five = load("diabetes"), Folds(k=5)
    preparation = Preparation(dataset)
    shifts = []
    for fold in range(5):
        own = preparation.prepare(DataSpec(source="diabetes", scale="standardize"), 0, fold, five)
        mean = dataset.x[own.split.train].mean(axis=0)
        np.testing.assert_allclose(own.fitted["shift"], mean)
        assert not np.allclose(mean, dataset.x.mean(axis=0), rtol=1e-6)
        shifts.append(tuple(own.fitted["shift"]))
        assert set(own.train_slice) <= set(own.split.train)
    assert len(set(shifts)) == 5


def test_trials_of_one_seed_and_fold_share_what_is_prepared():
    preparation, five = Preparation(load("digits")), Folds(k=5)
    first = preparation.prepare(DataSpec(source="digits"), 0, 1, five)
    assert preparation.prepare(DataSpec(source="digits"), 0, 1, five) is first
    other = preparation.prepare(DataSpec(source="digits"), 0, 2, five)
    assert other.x is first.x  # nothing is estimated
    assert not np.array_equal(other.split.validation, first.split.validation)
    assert preparation.prepare(DataSpec(source="digits"), 0) is not first


SEVEN = np.arange(20) % 3


@pytest.mark.parametrize(
    ("dataset", "folds", "message"),
    [
        (numbers(3), Folds(k=4), "folds.k: 4 folds need at least 4 rows, and `mine` has 3"),
        (
            numbers(4),
            Folds(k=4, kind="time"),
            "folds.k: 4 folds in the order of time need at least 5 rows, and `mine` has 4",
        ),
        (
            classes([9, 3, 8]),
            Folds(k=5),
            "folds.k: 5 stratified folds need 5 rows of every class, and class `1` of `mine` has 3; use at "
            "most 3 folds, or `kind: plain`",
        ),
        (
            classes([9, 1]),
            Folds(k=2),
            "folds.k: 2 stratified folds need 2 rows of every class, and class `1` of `mine` has 1; use "
            "`kind: plain`",
        ),
        (
            numbers(9),
            Folds(k=2, kind="stratified"),
            "folds.kind: stratified folds need classes, and `mine` has numbers to predict; use `plain`",
        ),
        (
            numbers(20, SEVEN),
            Folds(k=4, groups="subject"),
            "folds.k: 4 folds need at least 4 groups, and `subject` of `mine` has 3",
        ),
        (
            numbers(20, SEVEN),
            Folds(k=2, groups="subjekt"),
            "folds.groups: there is no array with one value per row `subjekt`; did you mean `subject`? "
            "(known: subject)",
        ),
        (
            numbers(20, np.where(SEVEN == 1, np.nan, 1.0)),
            Folds(k=2, groups="subject"),
            "folds.groups: `subject` of `mine` names no group in row 1 (nan)",
        ),
    ],
)
def test_folds_that_cannot_be_dealt_are_told_in_one_sentence(dataset, folds, message):
    with pytest.raises(CeterisError) as caught:
        fold_of_rows(dataset, folds, 0)
    assert str(caught.value) == message


def test_data_without_further_arrays_has_no_groups():
    with pytest.raises(CeterisError, match=r"`mine` has no array `subject`; besides its inputs and targets"):
        fold_of_rows(numbers(20), Folds(k=2, groups="subject"), 0)


def test_folds_and_a_size_of_the_validation_split_exclude_each_other():
    with pytest.raises(CeterisError) as caught:
        split_rows(numbers(20), spec(validation=5), 0, 0, Folds(k=2))
    assert str(caught.value) == (
        "experiment.data.validation: the folds of the study say which rows validate; remove this setting, or "
        "the folds"
    )


def test_more_training_rows_than_a_fold_has_are_refused():
    with pytest.raises(CeterisError, match=r"11 training rows cannot be taken: 10 of the 20 rows of `mine`"):
        split_rows(numbers(20), spec(rows=11), 0, 0, Folds(k=2))
