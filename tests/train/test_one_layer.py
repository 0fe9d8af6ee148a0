"""Networks of one linear layer, whose members share products: nobody notices the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ceteris.data import arrays
from ceteris.data.preparation import Preparation
from ceteris.train.cpu.table import LINES

from .runs import Outcome, Train, plan, run_plans

LINEAR: dict[str, Any] = {"model": {"kind": "linear"}}
FURTHER: list[dict[str, Any]] = [
    {"optimizer": {"kind": "adam", "lr": 0.01}, "penalty": {"kind": "l1", "weight": 1e-4}},
    {"clip": {"norm": 0.1}, "label_smoothing": 0.1, "probes": {"gradient_noise": True}},
    {"loss": "mse", "batch_size": 50, "last_batch": "drop"},
    {"model": {"kind": "linear", "output": ["softmax"]}, "loss": "mse"},
    {"batch_size": 16, "accumulate": 3},
]


@pytest.fixture(scope="module")
def prices() -> Preparation:
    """70 features and one target, which no vector of columns divides."""
    draw = np.random.default_rng(0)
    x = draw.standard_normal((210, 70)).astype(np.float32)
    return Preparation(arrays(x, (x @ draw.standard_normal(70)).astype(np.float32), name="prices"))


def equal(one: Outcome, other: Outcome, identity: str) -> bool:
    names = {n for m in one.messages for n in getattr(m, "names", ())}
    curves = [np.array_equal(one.curve(identity, n), other.curve(identity, n), equal_nan=True) for n in names]
    return all(curves) and np.array_equal(one.final(identity), other.final(identity))


@pytest.mark.parametrize("settings", FURTHER, ids="-".join)
def test_alone_and_among_many_are_equal_bit_for_bit(train: Train, settings: dict[str, Any]) -> None:
    own = LINEAR | settings
    rates = [own.get("optimizer", {"kind": "sgd"}) | {"lr": 0.01 * (nth + 1)} for nth in range(9)]
    others = [
        plan(f"o{nth}", seed=int(nth % 5 > 0), **own | {"optimizer": rate}) for nth, rate in enumerate(rates)
    ]
    mine = plan("own", seed=1, **own)
    assert 10 * sum(own.seed == 1 for own in others) > LINES  # they do not all fit one product
    alone, among = train(mine), train(*others[:4], mine, *others[4:])
    assert equal(alone, among, "own")


def test_members_of_a_regression_are_independent_of_those_that_diverge(prices: Preparation) -> None:
    def member(nth: int) -> Any:
        rate = 1e30 if nth % 7 == 3 else 0.001 * (nth + 1)
        data = {"source": "prices"}
        return plan(f"m{nth}", **LINEAR | {"data": data, "optimizer": {"kind": "sgd", "lr": rate}})

    every = [member(nth) for nth in range(LINES + 6)]
    together = run_plans(every, prices)
    assert together.ended["m3"].status == "diverged"
    for nth in (0, 3, 4, LINES + 5):
        assert equal(run_plans([every[nth]], prices), together, f"m{nth}"), nth


def test_full_batches_descend_as_by_hand(prices: Preparation) -> None:
    settings = {"data": {"source": "prices"}, "batch_size": 10_000, "epochs": 5}
    trial = plan("t", **LINEAR | settings | {"optimizer": {"kind": "sgd", "lr": 0.1}})
    outcome = run_plans([trial], prices)
    prepared = prices.prepare(trial.experiment.data, 0)
    rows, start = prepared.split.train, outcome.ended["t"].initial
    x, y = prepared.x[rows].astype(np.float64), prepared.y[rows].astype(np.float64).reshape(-1)
    weight, bias = start["head.weight"].astype(np.float64).reshape(-1), float(start["head.bias"][0])
    for _ in range(5):
        error = x @ weight + bias - y
        weight, bias = weight - 0.2 * error @ x / len(rows), bias - 0.2 * error.mean()
    final = outcome.ended["t"].final
    assert final["head.weight"].reshape(-1) == pytest.approx(weight, rel=1e-4, abs=1e-6)
    assert final["head.bias"][0] == pytest.approx(bias, rel=1e-4, abs=1e-6)
    valid = prepared.split.validation
    error = prepared.x[valid].astype(np.float64) @ weight + bias - prepared.y[valid].reshape(-1)
    assert outcome.curve("t", "val_loss")[-1] == pytest.approx(np.mean(error**2), rel=1e-4)
