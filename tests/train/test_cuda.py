"""The tensor engine on a real CUDA device, against the compiled engine on the processor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from ceteris.data.preparation import Preparation

from .runs import Train, plan, run_plans

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

BREADTH: list[dict[str, Any]] = [
    {"penalty": [{"kind": "l1", "weight": 1e-4}, {"kind": "l2", "form": "norm", "weight": 0.01}]},
    {"clip": {"norm": 0.5}, "schedule": {"kind": "one_cycle"}},
    {"clip": {"value": 0.01}, "schedule": {"kind": "cosine", "warmup": 0.5}},
    {"label_smoothing": 0.1, "class_weights": "balanced"},
    {"schedule": {"kind": "plateau", "patience": 0}, "early_stopping": {"patience": 2}},
    {},
]
MODELS: list[dict[str, Any]] = [
    {"kind": "mlp", "hidden": [24]},
    {"kind": "mlp", "hidden": [24, 12], "activation": "tanh", "dropout": 0.3, "batch_norm": True},
    {
        "kind": "mlp",
        "hidden": [24],
        "activation": "gelu",
        "layer_norm": True,
        "noise": 0.1,
        "drop_connect": 0.2,
    },
    {"kind": "linear"},
]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", ["sgd", "adam", "adamw"])
def test_cuda_equals_the_processor_to_rounding(
    train: Train, digits: Preparation, model: dict[str, Any], kind: str
) -> None:
    plans = [
        plan(f"t{i}", seed=i // 2, model=model, optimizer={"kind": kind, "lr": 0.002 * (i + 1)})
        for i in range(6)
    ]
    there, here = run_plans(plans, digits, device="cuda"), train(*plans)
    for one in plans:
        np.testing.assert_allclose(there.final(one.identity), here.final(one.identity), rtol=2e-3, atol=2e-4)
        for curve in ("train_loss", "val_loss", "grad_norm", "train_loss_running"):
            np.testing.assert_allclose(
                there.curve(one.identity, curve), here.curve(one.identity, curve), rtol=2e-3
            )


def test_a_member_that_diverges_on_cuda_harms_nobody(digits: Preparation) -> None:
    good = [plan(f"g{i}", seed=i, loss="mse") for i in range(3)]
    bad = plan("bad", seed=1, loss="mse", optimizer={"kind": "sgd", "lr": 1e6})
    alone = run_plans(good, digits, device="cuda")
    together = run_plans([*good, bad], digits, device="cuda")
    assert together.ended["bad"].status == "diverged"
    for one in good:
        np.testing.assert_allclose(
            together.final(one.identity), alone.final(one.identity), rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("kind", ["sgd", "adam", "rmsprop", "adagrad"])
def test_settings_of_their_own_give_the_same_on_cuda(train: Train, digits: Preparation, kind: str) -> None:
    optimizer = {"kind": kind, "lr": 0.01, "biases": {"lr": 0.005, "weight_decay": 0.1}}
    plans = [plan(f"t{i}", seed=i, optimizer=optimizer, **own) for i, own in enumerate(BREADTH)]
    there, here = run_plans(plans, digits, device="cuda"), train(*plans)
    for one in plans:
        np.testing.assert_allclose(there.final(one.identity), here.final(one.identity), rtol=2e-3, atol=2e-4)
        for curve in ("train_loss", "val_loss", "lr", "grad_norm", "train_loss_running"):
            np.testing.assert_allclose(
                there.curve(one.identity, curve), here.curve(one.identity, curve), rtol=2e-3
            )
