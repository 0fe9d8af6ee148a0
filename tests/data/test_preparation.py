from __future__ import annotations

import gc
import json

import numpy as np
import pytest

from ceteris.data.preparation import Preparation, prepare_rows
from ceteris.data.sources import load
from ceteris.data.user_arrays import arrays
from ceteris.errors import CeterisError
from ceteris.spec.data import DataSpec


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def spec(**fields) -> DataSpec:
    return DataSpec(source="digits", **fields)


def test_rows_come_flat_and_in_float32(digits):
    prepared = Preparation(digits).prepare(spec(), 0)
    assert prepared.x.shape == (1437, 64)
    assert prepared.x.dtype == np.float32
    assert prepared.x.flags.c_contiguous
    assert prepared.y.dtype == np.int64
    np.testing.assert_array_equal(prepared.y, digits.y)


@pytest.mark.parametrize("scale", ["unit", "none", "symmetric", 4.0])
def test_what_estimates_nothing_is_shared_by_all_seeds(digits, scale):
    preparation = Preparation(digits)
    first, second = (preparation.prepare(spec(scale=scale), seed) for seed in (0, 1))
    assert first.x is second.x
    assert first.y is second.y
    assert first.key == second.key
    assert not np.array_equal(first.split.train, second.split.train)


def test_what_is_estimated_is_shared_within_a_seed_only(digits):
    preparation = Preparation(digits)
    first, again, other = (preparation.prepare(spec(scale="standardize"), seed) for seed in (0, 0, 1))
    assert first.x is again.x
    assert first.key == again.key
    assert first.x is not other.x
    assert first.key != other.key


def test_ways_to_scale_that_come_to_the_same_share_their_array(digits):
    preparation = Preparation(digits)
    unit, divided = preparation.prepare(spec(), 0), preparation.prepare(spec(scale=16), 0)
    assert unit.x is divided.x
    assert unit.key == divided.key


@pytest.mark.parametrize("fields", [{"scale": "none"}, {"label_noise": 0.1}, {"scale": "standardize"}])
def test_other_arrays_have_another_key(digits, fields):
    preparation = Preparation(digits)
    assert preparation.prepare(spec(), 0).key != preparation.prepare(spec(**fields), 0).key


def test_equal_keys_come_from_equal_data_only(digits):
    other = arrays(digits.x, digits.y[::-1].copy())
    assert Preparation(digits).prepare(spec(), 0).key == Preparation(digits).prepare(spec(), 0).key
    assert Preparation(digits).prepare(spec(scale="none"), 0).key != (
        Preparation(other).prepare(spec(scale="none"), 0).key
    )


def test_noisy_labels_are_shared_within_a_seed(digits):
    preparation = Preparation(digits)
    first, again, other = (preparation.prepare(spec(label_noise=0.1), seed) for seed in (0, 0, 1))
    assert first.y is again.y
    assert first.key == again.key
    assert first.key != other.key
    assert first.x is other.x


def test_estimated_inputs_are_let_go_when_no_trial_holds_them(digits):
    preparation = Preparation(digits)
    for seed in range(5):
        preparation.prepare(spec(scale="standardize"), seed)
    gc.collect()
    assert len(preparation._in_use) == 0


@pytest.mark.parametrize(("rows", "expected"), [(None, 287), (300, 287), (100, 100)])
def test_the_training_slice_is_as_large_as_the_validation_rows_or_all(digits, rows, expected):
    prepared = Preparation(digits).prepare(spec(rows=rows), 0)
    assert len(prepared.train_slice) == expected
    assert set(prepared.train_slice) <= set(prepared.split.train)
    assert (np.diff(prepared.train_slice) > 0).all()
    again = Preparation(digits).prepare(spec(rows=rows), 0)
    np.testing.assert_array_equal(prepared.train_slice, again.train_slice)


def test_the_training_slice_holds_the_classes_in_proportion(digits):
    prepared = Preparation(digits).prepare(spec(), 0)
    assert np.ptp(np.bincount(digits.y[prepared.train_slice])) <= 3


def test_numbers_to_predict_are_kept_as_they_are():
    diabetes = load("diabetes")
    prepared = Preparation(diabetes).prepare(spec(scale="standardize"), 0)
    assert prepared.y.shape == (353, 1)
    assert prepared.y.dtype == np.float32
    np.testing.assert_array_equal(prepared.y[:, 0], diabetes.y.astype(np.float32))


def test_what_was_found_is_plain_json(digits):
    prepared = Preparation(digits).prepare(spec(label_noise=0.1), 0)
    assert json.loads(json.dumps(prepared.fitted)) == {
        "scale": "unit",
        "shift": 0.0,
        "divisor": 16.0,
        "estimated": False,
        "noisy_labels": 115,
    }


def test_further_rows_are_prepared_as_the_training_rows_were(digits):
    prepared = Preparation(digits).prepare(spec(scale="standardize"), 2)
    fitted = json.loads(json.dumps(prepared.fitted))
    np.testing.assert_array_equal(prepare_rows(digits.x[:10], fitted), prepared.x[:10])


def test_other_data_than_the_records_is_refused(digits):
    Preparation(digits).prepare(spec(content=digits.content), 0)
    with pytest.raises(CeterisError) as caught:
        Preparation(digits).prepare(spec(content="ab" * 32), 0)
    assert str(caught.value) == (
        "experiment.data.content: the record was made with data of SHA-256 abababababab..., and `digits` "
        f"(bundled with scikit-learn) now has {digits.content[:12]}...: a repetition needs the same data"
    )
