"""Activations and losses: their series, derivatives and ranges, against torch and closed forms."""

import math

import numpy as np
import pytest
import torch

from ceteris.functions.activations import ACTIVATIONS
from ceteris.functions.cost import costs
from ceteris.functions.entry import Function, likelihood, sampled
from ceteris.functions.losses import losses
from ceteris.functions.page import curves_of, page_of, table_of
from ceteris.spec.model import MLP

BY_NAME = {one.name: one for one in (*ACTIVATIONS, *losses())}


@pytest.mark.parametrize("one", [one for one in ACTIVATIONS if one.series], ids=lambda one: one.name)
def test_the_series_at_zero_is_right_to_its_order(one: Function) -> None:
    """The error of the cubic falls at least as the fourth power of the distance."""
    for x in (0.1, 0.05):
        cubic = sum(c * x**k for k, c in enumerate(one.series))
        assert abs(float(one.compute(torch.tensor(x, dtype=torch.float64))) - cubic) < 0.2 * x**4 + 1e-12


@pytest.mark.parametrize("one", [*ACTIVATIONS, *losses(0.5)], ids=lambda one: one.name)
def test_the_derivative_is_the_slope_of_the_curve(one: Function) -> None:
    curve = sampled(one, -3.0, 3.0, 6002)  # an even number: no point lies on the kink at 0
    step = curve.x[1] - curve.x[0]
    middle = (curve.y[2:] - curve.y[:-2]) / (2 * step)
    smooth = np.abs(middle - curve.slope[1:-1]) < 1e-4
    assert (~smooth).sum() <= 4, "only beside a kink may they differ"


@pytest.mark.parametrize("one", ACTIVATIONS, ids=lambda one: one.name)
def test_outputs_keep_to_the_range_that_is_told(one: Function) -> None:
    bounds = [float(part.replace("inf", "1e300")) for part in one.range.strip("[]()").split(",")]
    values = sampled(one, -10.0, 10.0).y
    assert values.min() >= bounds[0] - 1e-2
    assert values.max() <= bounds[1] + 1e-12
    assert one.zero_centred == (values.min() < -1e-3 and values.max() > 1e-3)


def test_every_activation_of_a_network_is_there() -> None:
    for name in (one.name for one in ACTIVATIONS if one.name != "softmax"):
        assert MLP(hidden=[2], activation=name).activation == name


def test_values_of_the_catalogue() -> None:
    def value(name: str, x: float) -> float:
        return float(BY_NAME[name].compute(torch.tensor(x, dtype=torch.float64)))

    assert value("smooth_l1", 0.6) == pytest.approx(0.18)
    assert value("l1", -0.1) == pytest.approx(0.1)
    assert value("l2", 0.1) == pytest.approx(0.01)
    assert value("cross_entropy", math.log(0.7 / 0.3)) == pytest.approx(0.3567, abs=5e-5)
    assert value("softmax", 1.3) == pytest.approx(value("sigmoid", 1.3))
    assert value("huber", 3.0) == pytest.approx(2.5)


def test_the_likelihood_of_cross_entropy_is_the_probability() -> None:
    curve = sampled(BY_NAME["cross_entropy"], -4, 4)
    np.testing.assert_allclose(likelihood(curve.y), 1 / (1 + np.exp(-curve.x)))


def test_an_exponential_costs_more_than_a_comparison() -> None:
    measured = costs([BY_NAME["relu"], BY_NAME["tanh"]])
    assert measured["tanh"] > measured["relu"] > 0


@pytest.mark.parametrize("kind", ["activations", "losses"])
def test_the_page_holds_every_function_and_its_curves(kind: str) -> None:
    rows = table_of(kind)  # type: ignore[arg-type]  # a Literal, which a parameter of a test is not
    page = page_of(kind, rows)  # type: ignore[arg-type]
    assert page.count("<polyline") == len(rows) * (2 * 3 if kind == "activations" else 3)
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    for row, curve in zip(rows, curves_of(kind), strict=True):  # type: ignore[arg-type]
        assert row["name"] == curve["name"]
        assert f"<td>{row['name']}</td>" in page
