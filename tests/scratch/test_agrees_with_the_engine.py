"""From scratch and built in: the same weights after an epoch of real rows from the same start."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ceteris.data import load
from ceteris.data.preparation import Preparation
from ceteris.draws import stream_key, uniforms
from ceteris.scratch import functions, networks
from ceteris.scratch.training import train_epoch
from ceteris.train.streams import epoch_order
from tests.train.runs import plan, run_plans

SOFTMAX = {"model": {"kind": "linear", "init": {"kind": "normal", "std": 0.01}}}
ONE_HIDDEN = {"model": {"kind": "mlp", "hidden": [256], "init": {"kind": "normal", "std": 0.01}}}
TWO_HIDDEN = {"model": {"kind": "mlp", "hidden": [256, 256], "dropout": [0.2, 0.5]}}
SEED, ROWS, SIZE = 2, 3000, 256


DIGITS = {"source": "digits"}
FASHION = {"source": "fashion-mnist", "rows": ROWS, "validation": 500}


@pytest.fixture(scope="module")
def digits() -> Preparation:
    return Preparation(load("digits"))


@pytest.fixture(scope="module")
def fashion() -> Preparation:
    if "CETERIS_DATA" not in os.environ:
        pytest.skip("CETERIS_DATA names no folder with real rows")
    return Preparation(load("fashion-mnist", Path(os.environ["CETERIS_DATA"])))


CASES: dict[str, tuple[dict[str, Any], float, float]] = {
    "softmax regression": (SOFTMAX, 0.1, 0.0),
    "mlp": (ONE_HIDDEN, 0.1, 0.0),
    "mlp with weight decay": (ONE_HIDDEN, 0.1, 0.01),
    "mlp with dropout": (TWO_HIDDEN, 0.5, 0.0),
}


@pytest.mark.parametrize("case", CASES)
def test_weights_agree_after_an_epoch_of_digits(case: str, digits: Preparation) -> None:
    check_agreement(digits, DIGITS, *CASES[case])


@pytest.mark.real_data
@pytest.mark.parametrize("case", CASES)
def test_weights_agree_after_an_epoch_of_real_rows(case: str, fashion: Preparation) -> None:
    check_agreement(fashion, FASHION, *CASES[case])


def check_agreement(
    rows: Preparation, data: dict[str, Any], settings: dict[str, Any], lr: float, decay: float
) -> None:
    """Train built in and by the functions alone, and compare weights and running loss."""
    optimizer = {"kind": "sgd", "lr": lr, "weight_decay": decay}
    one = plan("built in", seed=SEED, data=data, optimizer=optimizer, batch_size=SIZE, epochs=1, **settings)
    outcome = run_plans([one], rows)
    initial, final = outcome.ended["built in"].initial, outcome.ended["built in"].final
    own = rows.prepare(one.experiment.data, SEED, 0, None)
    order = epoch_order(SEED, 0, own.split.train, 0)
    found, running = trained(initial, own, order, settings["model"].get("dropout", []), lr, decay)
    for name, tensor in found.items():
        error = np.linalg.norm(tensor - final[name]) / np.linalg.norm(final[name])
        assert error < 1e-5, f"{name}: {error}"
    assert running == pytest.approx(outcome.curve("built in", "train_loss_running")[0], rel=1e-5)


def trained(
    initial: Any, own: Any, order: np.ndarray, rates: list[float], lr: float, decay: float
) -> tuple[dict[str, np.ndarray], float]:
    """Train from scratch for an epoch; return the parameters by name and the running loss."""
    parameters = {name: torch.tensor(array, requires_grad=True) for name, array in initial.items()}
    flat = list(parameters.values())
    layers = list(zip(flat[::2], flat[1::2], strict=True))
    x, y, numbers = torch.from_numpy(own.x), torch.from_numpy(own.y), torch.from_numpy(order)
    drawn = [
        uniforms(stream_key(SEED, "dropout", f"hidden.{place}"), len(order), 256)
        for place in range(len(rates))
    ]
    done = 0

    def loss_of(rows: torch.Tensor) -> torch.Tensor:
        nonlocal done
        masks = [torch.from_numpy(own_draw[done : done + len(rows)]) for own_draw in drawn]
        done += len(rows)
        return functions.cross_entropy(networks.mlp(x[rows], layers, rates, masks), y[rows])

    running = train_epoch(loss_of, flat, numbers, SIZE, lr, decay)
    return {name: tensor.detach().numpy() for name, tensor in parameters.items()}, running
