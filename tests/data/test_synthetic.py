"""Synthetic data sets: drawn as their formulas say, with draws that no other parameter shifts."""

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from ceteris.data import Preparation, load
from ceteris.data.sources import load_test
from ceteris.errors import CeterisError
from ceteris.spec.data import DataSpec
from ceteris.spec.synthetic import SYNTHETIC


def drawn(source: str, **parameters: Any) -> Any:
    return load(DataSpec(source=source, parameters=parameters).reading)


def test_linear_rows_give_the_true_coefficients_back_by_least_squares() -> None:
    data = drawn("linear-regression")
    assert data.x.shape == (1000, 2)
    design = np.column_stack([data.x, np.ones(len(data.x))])
    found, residual, *_ = np.linalg.lstsq(design, data.y, rcond=None)
    np.testing.assert_allclose(found, [2, -3.4, 4.2], atol=0.002)
    assert np.sqrt(residual[0] / 1000) == pytest.approx(0.01, rel=0.1)
    assert data.truth == {"weights": [2.0, -3.4], "bias": 4.2, "noise": 0.01}


def test_the_sine_is_drawn_as_numpys_legacy_generator_draws_it() -> None:
    data = drawn("sine")
    np.random.seed(42)  # the note's own way
    x = np.random.uniform(0, 10, 100)
    y = np.sin(x) + 0.1 * np.random.randn(100)
    np.testing.assert_array_equal(data.x[:, 0], x)
    np.testing.assert_array_equal(data.y, y)
    assert len(load_test("sine")[0]) == 100


def test_polynomial_rows_are_the_terms_of_its_formula() -> None:
    data = drawn("polynomial", features=5, noise=0)
    x = data.x[:, 1]
    np.testing.assert_allclose(data.x[:, 3], x**3 / 6)
    np.testing.assert_allclose(data.x[:, 4], x**4 / 24)
    np.testing.assert_allclose(data.y, 5 + 1.2 * x - 3.4 * x**2 / 2 + 5.6 * x**3 / 6)
    assert data.truth["weights"] == [5.0, 1.2, -3.4, 5.6, 0.0]
    split = Preparation(data).prepare(DataSpec(source="polynomial"), 0).split
    assert (len(split.train), len(split.validation)) == (100, 100)


def test_high_dimensional_rows_leave_twenty_to_train_on() -> None:
    data = drawn("high-dimensional", noise=0)
    np.testing.assert_allclose(data.y, 0.05 + 0.01 * data.x.sum(axis=1))
    split = Preparation(data).prepare(DataSpec(source="high-dimensional"), 3).split
    assert (len(split.train), len(split.validation)) == (20, 100)


def test_no_line_parts_xor_and_one_parts_the_separable_points() -> None:
    xor, apart = drawn("xor"), drawn("separable", margin=0.2)
    assert (np.abs(xor.x) >= 0.1).all()
    np.testing.assert_array_equal(xor.y, xor.x[:, 0] * xor.x[:, 1] > 0)
    assert {tuple(corner) for corner in np.sign(xor.x)} == set(product((-1.0, 1.0), repeat=2))
    away = apart.x @ np.array(apart.truth["normal"])
    np.testing.assert_array_equal(apart.y, away > 0)
    assert np.abs(away).min() >= 0.2 - 1e-12


def test_blobs_lie_around_their_centres() -> None:
    data = drawn("blobs", classes=4, n=4000, spread=0.1)
    means = np.stack([data.x[data.y == label].mean(axis=0) for label in range(4)])
    np.testing.assert_allclose(means, data.truth["centres"], atol=0.02)


@given(features=st.integers(1, 12), noise=st.floats(0, 1), seed=st.integers(0, 5))
def test_other_parameters_do_not_shift_draws(features: int, noise: float, seed: int) -> None:
    plain = drawn("polynomial", seed=seed, features=4)
    other = drawn("polynomial", seed=seed, features=features, noise=noise)
    shared = min(features, 4)
    np.testing.assert_array_equal(plain.x[:, :shared], other.x[:, :shared])


@pytest.mark.parametrize("source", SYNTHETIC)
def test_another_seed_is_another_data_set_and_the_same_seed_the_same(source: str) -> None:
    one, same, other = drawn(source), drawn(source), drawn(source, seed=7)
    assert one.content == same.content
    assert one.content != other.content, "of labelled points, the points near them"


@pytest.mark.parametrize(
    ("function", "exact"), [("sin", np.sin), ("cos", np.cos), ("exp", np.exp), ("cubic", None)]
)
def test_true_weights_of_other_functions_are_those_of_their_taylor_series(function: str, exact: Any) -> None:
    data = drawn("polynomial", function=function, features=18, noise=0, n=40)
    series = data.x @ np.array(data.truth["weights"])
    np.testing.assert_allclose(data.y, series, rtol=1e-6, atol=1e-6)
    if exact is not None:
        np.testing.assert_array_equal(data.y, exact(data.x[:, 1]))


def is_parted(x: Any, y: Any) -> bool:
    """Tell by a linear programme whether a hyperplane parts two classes: t (w x + b) >= 1 for all rows."""
    signed = np.column_stack([x, np.ones(len(x))]) * np.where(y, 1.0, -1.0)[:, None]
    found = linprog(np.zeros(signed.shape[1]), A_ub=-signed, b_ub=-np.ones(len(x)), bounds=(None, None))
    return bool(found.status == 0)


@pytest.mark.parametrize(("points", "dimension"), [(3, 2), (4, 2), (4, 3), (2, 1)])
def test_so_many_labellings_are_parted_as_covers_formula_counts(points: int, dimension: int) -> None:
    labellings = ["".join(labels) for labels in product("+-", repeat=points)]
    sets = [drawn("labelled-points", labels=labels, dimension=dimension) for labels in labellings]
    for labels, data in zip(labellings, sets, strict=True):
        assert "".join("-+"[label] for label in data.y) == labels
        assert len(np.unique(data.x, axis=0)) == points
    # Cover 1965: of n points in general position, 2 sum over k <= d of C(n - 1, k) labellings.
    expected = 2 * sum(math.comb(points - 1, k) for k in range(dimension + 1))
    assert sum(is_parted(data.x, data.y) for data in sets) == expected


def test_more_labels_than_corners_are_refused() -> None:
    with pytest.raises(CeterisError, match=r"parameters.labels: 5 points are labelled, and a cube of 2 dim"):
        DataSpec(source="labelled-points", parameters={"labels": "+-+-+"})
    with pytest.raises(CeterisError, match=r"parameters.labels: '\+0' is not a labelling"):
        DataSpec(source="labelled-points", parameters={"labels": "+0"})
