"""Targets on other scales: estimated on training rows alone, and back again; against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.preprocessing import StandardScaler

from ceteris.data import Preparation, arrays
from ceteris.data.target_scaling import fit_targets
from ceteris.spec.data import DataSpec

from .conftest import refusal

RANDOM = np.random.default_rng(3)
Y = np.exp(RANDOM.normal(12, 0.4, (50, 2)))
ROWS = arrays(RANDOM.normal(size=(50, 3)), Y)


def prepared(scale: str, seed: int = 0):
    return Preparation(ROWS).prepare(DataSpec(source="arrays", target_scale=scale), seed)


@pytest.mark.parametrize("scale", ["standardize", "log", "log_standardize"])
def test_targets_are_scaled_by_their_training_rows_and_come_back(scale):
    found = prepared(scale)
    expected = np.log(Y) if scale.startswith("log") else Y
    if scale.endswith("standardize"):
        expected = StandardScaler().fit(expected[found.split.train]).transform(expected)
    np.testing.assert_allclose(found.y, expected, rtol=1e-5, atol=1e-6)
    assert found.y.dtype == np.float32
    np.testing.assert_allclose(found.in_units(found.y), Y, rtol=1e-5)
    np.testing.assert_array_equal(found.measured, Y.astype(np.float32))


def test_validation_rows_decide_nothing():
    split = prepared("log_standardize").split
    changed = Y.copy()
    changed[split.validation] *= 7
    other = fit_targets(arrays(ROWS.x, changed), "log_standardize", split.train)
    assert other is not None
    assert other.as_json() == prepared("log_standardize").fitted["target"]


def test_the_mean_of_logs_is_what_scikit_learn_makes_of_it():
    split = prepared("log").split
    scaling = fit_targets(ROWS, "log", split.train)
    oracle = TransformedTargetRegressor(DummyRegressor(), func=np.log, inverse_func=np.exp)
    oracle.fit(ROWS.x[split.train], Y[split.train])
    assert scaling is not None
    mean = scaling.scaled(Y)[split.train].mean(axis=0, keepdims=True)
    np.testing.assert_allclose(scaling.restored(mean), oracle.predict(ROWS.x[:1]), rtol=1e-5)


def test_without_a_scale_nothing_changes():
    found = prepared("none")
    assert found.targets is None
    assert "target" not in found.fitted
    assert found.y is found.measured
    outputs = np.ones((3, 2), np.float32)
    assert found.in_units(outputs) is outputs


def test_what_has_no_scale_is_refused():
    classes = arrays(ROWS.x, np.arange(50) % 2, name="pets")
    assert refusal(lambda: fit_targets(classes, "log", np.arange(9))) == (
        "experiment.data.target_scale: `pets` has classes, which have no scale; leave this out"
    )
    signed = arrays(ROWS.x, Y[:, 0] - Y[:, 0].min(), name="prices")
    assert refusal(lambda: fit_targets(signed, "log_standardize", np.arange(9))) == (
        "experiment.data.target_scale: `prices` has targets down to 0, and only numbers above 0 have a "
        "logarithm; use `standardize`"
    )


def test_targets_that_are_all_alike_are_not_divided_by_nothing():
    alike = arrays(ROWS.x, np.full(50, 5.0))
    scaling = fit_targets(alike, "standardize", np.arange(9))
    assert scaling is not None
    np.testing.assert_array_equal(scaling.scaled(alike.y), np.zeros((50, 1)))
