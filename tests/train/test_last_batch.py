"""What becomes of the smaller batch at the end of an epoch, held to a plain loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.data import load
from ceteris.data.preparation import Preparation
from ceteris.train.streams import epoch_order, filled

from .runs import plan, run_plans

ROWS, BATCH = 282, 40  # seven whole batches, and two rows more


def batches(order: torch.Tensor, last_batch: str) -> list[torch.Tensor]:
    found = list(order.split(BATCH))
    if last_batch == "drop":
        found.pop()
    if last_batch == "fill":
        found[-1] = torch.cat([found[-1], order[: BATCH - len(found[-1])]])
    return found


@pytest.mark.parametrize("last_batch", ["keep", "drop", "fill"])
def test_each_way_equals_a_plain_loop(last_batch: str) -> None:
    settings: dict[str, Any] = {
        "data": {"source": "diabetes", "scale": "standardize"},
        "model": {"kind": "linear"},
        "optimizer": {"kind": "sgd", "lr": 0.01},
        "batch_size": BATCH,
        "last_batch": last_batch,
        "epochs": 3,
    }
    preparation = Preparation(load("diabetes"))
    one = plan("one", **settings)
    own = preparation.prepare(one.experiment.data, one.seed)
    outcome = run_plans([one], preparation)
    network = nn.Linear(10, 1)
    with torch.no_grad():
        network.weight.copy_(torch.from_numpy(outcome.ended["one"].initial["head.weight"]))
        network.bias.copy_(torch.from_numpy(outcome.ended["one"].initial["head.bias"]))
    x, y = torch.from_numpy(own.x), torch.from_numpy(own.y)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    seen = 0
    for epoch in range(3):
        order = torch.from_numpy(epoch_order(one.seed, one.fold, own.split.train, epoch))
        assert len(order) == ROWS
        for rows in batches(order, last_batch):
            optimizer.zero_grad()
            nn.functional.mse_loss(network(x[rows]), y[rows]).backward()
            optimizer.step()
            seen += len(rows)
    assert seen == 3 * {"keep": ROWS, "drop": 280, "fill": 320}[last_batch]
    np.testing.assert_allclose(
        outcome.ended["one"].final["head.weight"], network.weight.detach().numpy(), rtol=1e-4
    )


def test_a_convolutional_network_takes_full_batches_only() -> None:
    small = {"kind": "cnn", "convolutions": [4], "hidden": [], "batch_norm": True}
    data = {"source": "digits", "rows": 65, "validation": 100}
    preparation = Preparation(load("digits"))
    # a last batch of one row, which batch norm could not normalise, is filled up to 16
    one = plan("one", data=data, model=small, batch_size=16, last_batch="fill", epochs=2)
    outcome = run_plans([one], preparation)
    assert np.isfinite(outcome.curve("one", "val_loss")).all()
    assert outcome.progress[-1].steps == 5


def test_filling_repeats_the_rows_that_the_epoch_began_with() -> None:
    order = np.array([4, 2, 9, 7, 1])
    assert filled(order, 3).tolist() == [4, 2, 9, 7, 1, 4]
    assert filled(order, 5).tolist() == [4, 2, 9, 7, 1]
