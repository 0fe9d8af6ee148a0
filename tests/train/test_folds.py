"""Folds in one stack: members whose rows differ by one, alone and together, on both engines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.data import load
from ceteris.data.preparation import Preparation
from ceteris.spec.folds import Folds
from ceteris.train.engine import Engine
from ceteris.train.plan import TrialPlan
from ceteris.train.streams import epoch_order
from ceteris.train.tensor.engine import TensorEngine

from .runs import Outcome, Train, cohorts, plan, run_plans

FIVE = Folds(k=5)
NORMED = {"kind": "mlp", "hidden": [12], "batch_norm": True, "dropout": 0.2}
ADAM = {"kind": "adam", "lr": 0.01}


def fold_plans(seeds: int = 1, **settings: Any) -> list[TrialPlan]:
    return [
        plan(f"{seed}/{fold}", seed, fold, FIVE, **settings) for seed in range(seeds) for fold in range(5)
    ]


def final(outcome: Outcome, plans: list[TrialPlan]) -> dict[str, bytes]:
    return {one.identity: outcome.final(one.identity).tobytes() for one in plans}


def test_folds_that_differ_by_a_row_are_one_cohort(digits: Preparation) -> None:
    plans = fold_plans(2, model=NORMED)
    rows = {len(digits.prepare(p.experiment.data, p.seed, p.fold, p.folds).split.train) for p in plans}
    assert rows == {1149, 1150}
    (cohort,) = cohorts(plans, digits)
    assert (len(cohort.trials), cohort.steps) == (10, 36)


def test_a_fold_has_the_same_bits_alone_and_together(train: Train) -> None:
    plans = fold_plans(model=NORMED, optimizer=ADAM)
    together = train(*plans)
    for one in plans[:2]:
        assert train(one).final(one.identity).tobytes() == final(together, plans)[one.identity]
    assert len(set(final(together, plans).values())) == 5


def test_no_folds_and_one_fold_are_different_trials(train: Train) -> None:
    with_folds, without = plan("a", 0, 0, FIVE), plan("b", 0)
    outcome = train(with_folds, without)
    assert outcome.curve("a", "val_loss")[-1] != outcome.curve("b", "val_loss")[-1]


def on_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train with the tensor engine, on the processor."""

    def engine(spec: Any, stack: Any, device: str) -> Engine:
        return TensorEngine(spec, stack, device)

    monkeypatch.setattr("ceteris.train.training.built_in_engine", engine)


@pytest.mark.parametrize("last_batch", ["keep", "drop", "fill"])
@pytest.mark.parametrize(
    ("model", "optimizer"),
    [(NORMED, {"kind": "sgd", "lr": 0.1, "momentum": 0.9}), ({"kind": "mlp", "hidden": [12]}, ADAM)],
)
def test_the_tensor_engine_trains_every_fold_on_its_own_rows(
    train: Train,
    digits: Preparation,
    monkeypatch: pytest.MonkeyPatch,
    last_batch: str,
    model: dict[str, Any],
    optimizer: dict[str, Any],
) -> None:
    # 1149 and 1150 rows in batches of 50: the last batches differ, 49 and 50 rows
    plans = fold_plans(model=model, optimizer=optimizer, batch_size=50, last_batch=last_batch)
    compiled = train(*plans)
    on_torch(monkeypatch)
    torched = run_plans(plans, digits)
    for one in plans:
        np.testing.assert_allclose(
            torched.final(one.identity), compiled.final(one.identity), rtol=2e-3, atol=2e-4
        )
        for name in ("train_loss", "val_loss", "train_loss_running", "grad_norm"):
            np.testing.assert_allclose(
                torched.curve(one.identity, name), compiled.curve(one.identity, name), rtol=1e-3
            )


def test_folds_of_numbers_equal_a_plain_loop_over_their_own_rows() -> None:
    preparation = Preparation(load("diabetes"))
    settings: dict[str, Any] = {
        "data": {"source": "diabetes", "scale": "standardize"},
        "model": {"kind": "linear"},
        "optimizer": {"kind": "sgd", "lr": 0.01},
        "epochs": 3,
    }
    plans = fold_plans(**settings)
    outcome = run_plans(plans, preparation)
    for one in plans:
        own = preparation.prepare(one.experiment.data, one.seed, one.fold, one.folds)
        inputs = preparation.dataset.x.astype(np.float64)
        mean, deviation = inputs[own.split.train].mean(axis=0), inputs[own.split.train].std(axis=0)
        x = torch.from_numpy((inputs - mean) / deviation).float()
        y = torch.from_numpy(own.y)
        network = nn.Linear(x.shape[1], 1)
        with torch.no_grad():
            for parameter, name in ((network.weight, "head.weight"), (network.bias, "head.bias")):
                parameter.copy_(torch.from_numpy(outcome.ended[one.identity].initial[name]))
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
        for epoch in range(3):
            order = torch.from_numpy(epoch_order(one.seed, one.fold, own.split.train, epoch))
            for rows in order.split(32):
                optimizer.zero_grad()
                nn.functional.mse_loss(network(x[rows]), y[rows]).backward()
                optimizer.step()
        validation = torch.from_numpy(own.split.validation)
        with torch.no_grad():
            loss = nn.functional.mse_loss(network(x[validation]), y[validation])
        np.testing.assert_allclose(outcome.curve(one.identity, "val_loss")[-1], float(loss), rtol=1e-4)
        np.testing.assert_allclose(
            outcome.ended[one.identity].final["head.weight"], network.weight.detach().numpy(), rtol=1e-4
        )
