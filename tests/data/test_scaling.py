"""Every way to scale, against scikit-learn and plain float32 arithmetic."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from ceteris.data.scaling import fit_scaling, is_estimated, scaled, scaling_from_json
from ceteris.data.sources import load
from ceteris.data.user_arrays import arrays
from ceteris.errors import CeterisError

IMAGES = arrays(np.arange(256, dtype=np.uint8).repeat(4).reshape(32, 4, 8), np.arange(32) % 2)
TABLE = load("wine")
TRAIN = np.arange(0, 142, 2)


def prepared(dataset, scale, train=TRAIN):
    return scaled(dataset.x, fit_scaling(dataset, scale, train))


def test_unit_divides_images_by_255_to_the_last_bit():
    expected = IMAGES.x.reshape(32, -1).astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(prepared(IMAGES, "unit"), expected)


def test_unit_divides_the_digits_by_16():
    digits = load("digits")
    np.testing.assert_array_equal(prepared(digits, "unit"), digits.x.reshape(-1, 64) / np.float32(16))


def test_symmetric_is_unit_moved_to_minus_one_to_one():
    expected = (IMAGES.x.reshape(32, -1) / 255 - 0.5) / 0.5
    np.testing.assert_allclose(prepared(IMAGES, "symmetric"), expected, rtol=0, atol=1e-7)
    assert prepared(IMAGES, "symmetric").min() == -1
    assert prepared(IMAGES, "symmetric").max() == 1


def test_none_changes_nothing_but_the_type():
    np.testing.assert_array_equal(prepared(IMAGES, "none"), IMAGES.x.reshape(32, -1))
    np.testing.assert_array_equal(prepared(TABLE, "none"), TABLE.x.astype(np.float32))


@pytest.mark.parametrize("divisor", [2, 255.0, 2_550_000.0])
def test_a_number_divides(divisor):
    expected = IMAGES.x.reshape(32, -1).astype(np.float32) / np.float32(divisor)
    np.testing.assert_array_equal(prepared(IMAGES, divisor), expected)


def test_standardize_is_scikit_learns_fitted_on_the_training_rows():
    expected = StandardScaler().fit(TABLE.x[TRAIN]).transform(TABLE.x)
    np.testing.assert_allclose(prepared(TABLE, "standardize"), expected, rtol=1e-5, atol=1e-6)


def test_unit_of_a_table_is_scikit_learns_min_max_scaler_on_the_training_rows():
    expected = MinMaxScaler().fit(TABLE.x[TRAIN]).transform(TABLE.x)
    np.testing.assert_allclose(prepared(TABLE, "unit"), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(prepared(TABLE, "symmetric"), 2 * expected - 1, rtol=1e-5, atol=1e-6)


def test_unit_of_images_without_a_known_range_takes_all_values_together():
    images = arrays(np.linspace(-3, 5, 96).reshape(6, 4, 4), [0, 1] * 3)
    out = scaled(images.x, fit_scaling(images, "unit", np.arange(6)))
    assert (out.min(), out.max()) == (0, 1)
    assert out[0].max() < 0.2


@pytest.mark.parametrize("scale", ["unit", "standardize", "symmetric"])
def test_a_constant_feature_stays_finite(scale):
    x = np.column_stack([np.full(10, 0.1), np.arange(10)])
    dataset = arrays(x, [0.5] * 10)
    scaling = fit_scaling(dataset, scale, np.arange(10))
    out = scaled(dataset.x, scaling)
    assert np.isfinite(out).all()
    assert np.ptp(out[:, 0]) == 0
    if scale == "standardize":
        assert scaling.as_json()["divisor"][0] == 1.0


@pytest.mark.parametrize("scale", ["unit", "standardize", "symmetric"])
def test_validation_rows_do_not_decide_the_scale(scale):
    """Law 5: outliers outside the training rows change nothing."""
    x = TABLE.x.copy()
    x[1::2] *= 1000
    spoiled = arrays(x, TABLE.y)
    np.testing.assert_array_equal(prepared(spoiled, scale)[TRAIN], prepared(TABLE, scale)[TRAIN])


@pytest.mark.parametrize("scale", ["unit", "none", 3.0, "standardize", "symmetric"])
@pytest.mark.parametrize("dataset", [IMAGES, TABLE, load("diabetes")], ids=lambda d: d.name)
def test_the_fitted_numbers_are_json_and_prepare_further_rows_alike(scale, dataset):
    scaling = fit_scaling(dataset, scale, np.arange(20))
    again = scaling_from_json(json.loads(json.dumps(scaling.as_json())))
    np.testing.assert_array_equal(scaled(dataset.x[5:9], again), scaled(dataset.x, scaling)[5:9])
    assert again.estimated == is_estimated(dataset, scale)


shapes = st.tuples(st.integers(2, 12), st.integers(1, 4))
tables = st.one_of(
    hnp.arrays(st.sampled_from([np.uint8, np.int32, np.bool_]), shapes),
    hnp.arrays(np.float32, shapes, elements=st.floats(-(2.0**99), 2.0**99, width=32)),
    hnp.arrays(np.float64, shapes, elements=st.floats(-1e30, 1e30)),
)


@given(tables, st.sampled_from(["unit", "none", "standardize", "symmetric", 10.0]))
def test_whatever_comes_in_contiguous_float32_rows_come_out(x, scale):
    dataset = arrays(x, np.arange(len(x)) * 0.5)
    out = scaled(dataset.x, fit_scaling(dataset, scale, np.arange(len(x))))
    assert out.dtype == np.float32
    assert out.flags.c_contiguous
    assert out.shape == x.shape
    assert np.isfinite(out).all()


def test_a_divisor_that_leaves_the_range_of_float32_is_told():
    for dataset in (IMAGES, TABLE):
        with pytest.raises(CeterisError) as caught:
            prepared(dataset, 1e-300)
        assert str(caught.value) == (
            "experiment.data.scale: the scaled inputs leave the range of a 32-bit float (3.4e38)"
        )
