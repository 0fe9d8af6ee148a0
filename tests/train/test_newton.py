"""Newton's step: on a parabola it ends at the minimum, elsewhere it is torch's own Hessian that is solved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from ceteris.data import load
from ceteris.data.preparation import Preparation
from ceteris.scratch import linear_regression
from ceteris.train.modules.newton import newton_direction

from .runs import plan, run_plans

NEWTON: dict[str, Any] = {"kind": "newton"}
LINE: dict[str, Any] = {
    "data": {"source": "linear-regression", "scale": "none"},
    "model": {"kind": "linear", "init": {"kind": "normal", "std": 3}},
    "batch_size": 800,
    "epochs": 1,
}


@pytest.fixture(scope="module")
def line() -> Preparation:
    return Preparation(load("linear-regression"))


@pytest.mark.parametrize("loss", ["mse", "mse_half"])
def test_one_step_on_all_rows_ends_at_least_squares(line: Preparation, loss: str) -> None:
    one = plan("a", **LINE, loss=loss, optimizer=NEWTON)
    outcome = run_plans([one], line)
    prepared = line.prepare(one.experiment.data, 0)
    x, y = prepared.x[prepared.split.train].astype(np.float64), prepared.y[prepared.split.train]
    design = np.column_stack([x, np.ones(len(x))])
    solution = np.linalg.lstsq(design, y[:, 0], rcond=None)[0]
    np.testing.assert_allclose(outcome.final("a"), solution, rtol=1e-5)
    start = [torch.from_numpy(t.reshape(-1)).double() for t in outcome.ended["a"].initial.values()]
    w, b = linear_regression.newton_step(
        torch.from_numpy(x), torch.from_numpy(y[:, 0]).double(), start[0], start[1][0]
    )
    np.testing.assert_allclose(outcome.final("a"), torch.cat([w, b[None]]), rtol=1e-5)


def test_half_a_rate_goes_half_the_way(line: Preparation) -> None:
    whole = run_plans([plan("a", **LINE, optimizer=NEWTON)], line)
    half = run_plans([plan("a", **LINE, optimizer=NEWTON | {"lr": 0.5})], line)
    start = np.concatenate([t.reshape(-1) for t in half.ended["a"].initial.values()])
    np.testing.assert_allclose(half.final("a"), (start + whole.final("a")) / 2, rtol=1e-5)


@pytest.mark.parametrize("damping", [0.01, 0.3])
@pytest.mark.parametrize("extra", [{}, {"label_smoothing": 0.1, "class_weights": [1.0, 2.0, 0.5]}])
def test_steps_of_an_mlp_are_those_of_torchs_hessian(damping: float, extra: dict[str, Any]) -> None:
    wine = Preparation(load("wine"))
    optimizer = NEWTON | {"damping": damping, "lr": 0.5}
    settings: dict[str, Any] = {
        "data": {"source": "wine", "scale": "standardize"},
        "model": {"kind": "mlp", "hidden": [4], "activation": "tanh"},
        "batch_size": 114,  # all of them
        "epochs": 2,
        **extra,
    }
    one = plan("a", **settings, optimizer=optimizer)
    outcome = run_plans([one], wine)
    prepared = wine.prepare(one.experiment.data, 0)
    rows = prepared.split.train
    assert len(rows) == 114
    x, y = torch.from_numpy(prepared.x[rows]).double(), torch.from_numpy(prepared.y[rows])
    weights = torch.tensor(extra.get("class_weights", [1.0] * 3), dtype=torch.float64)
    smoothing = extra.get("label_smoothing", 0.0)

    def loss(flat: torch.Tensor) -> torch.Tensor:
        w1, b1, w2, b2 = flat.split([52, 4, 12, 3])
        hidden = torch.tanh(functional.linear(x, w1.reshape(4, 13), b1))
        outputs = functional.linear(hidden, w2.reshape(3, 4), b2)
        return functional.cross_entropy(outputs, y, weight=weights, label_smoothing=smoothing)

    flat = torch.cat([torch.from_numpy(t.reshape(-1)).double() for t in outcome.ended["a"].initial.values()])
    for _ in range(2):
        flat = flat.requires_grad_()
        (gradient,) = torch.autograd.grad(loss(flat), flat)
        curvature = torch.autograd.functional.hessian(loss, flat.detach())
        shifted = curvature + damping * torch.eye(len(flat), dtype=torch.float64)
        flat = flat.detach() - 0.5 * torch.linalg.pinv(shifted, hermitian=True) @ gradient
    np.testing.assert_allclose(outcome.final("a"), flat, rtol=1e-3, atol=1e-4)


def test_members_with_other_rates_and_dampings_are_what_they_are_alone(line: Preparation) -> None:
    settings = LINE | {"batch_size": 100, "epochs": 2}
    optimizers = [NEWTON, NEWTON | {"lr": 0.3}, NEWTON | {"damping": 2.0}]
    plans = [plan(f"{i}", seed=i % 2, **settings, optimizer=own) for i, own in enumerate(optimizers)]
    together = run_plans(plans, line)
    for one in plans:
        assert np.array_equal(together.final(one.identity), run_plans([one], line).final(one.identity))


def test_where_there_is_no_inverse_the_shortest_step_is_taken() -> None:
    curvature = torch.diag(torch.tensor([2.0, 0.0, 4.0], dtype=torch.float64))
    np.testing.assert_allclose(newton_direction(curvature, np.array([2.0, 0.0, 4.0]), 0.0), [1, 0, 1])
    np.testing.assert_allclose(newton_direction(curvature, np.array([2.0, 1.0, 4.0]), 1.0), [2 / 3, 1, 0.8])
