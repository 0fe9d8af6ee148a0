"""The catalogue's convolutional network on real Fashion-MNIST rows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ceteris.data import load
from ceteris.data.preparation import Preparation

from .runs import plan, run_plans

CNN = {
    "kind": "cnn",
    "convolutions": [32, 64, 128],
    "hidden": [512, 512],
    "batch_norm": True,
    "dropout": 0.4,
}


@pytest.mark.slow
@pytest.mark.skipif("CETERIS_DATA" not in os.environ, reason="CETERIS_DATA names no folder with real rows")
def test_the_cnn_of_the_catalogue_learns_two_thousand_rows() -> None:
    preparation = Preparation(load("fashion-mnist", Path(os.environ["CETERIS_DATA"])))
    trial = plan(
        "cnn",
        data={"source": "fashion-mnist", "scale": "symmetric", "rows": 2000, "validation": 1000},
        model=CNN,
        optimizer={"kind": "sgd", "lr": 0.01, "momentum": 0.9},
        batch_size=64,
        epochs=4,
    )
    outcome = run_plans([trial], preparation)
    assert outcome.curve("cnn", "val_accuracy")[-1] > 0.78
    assert outcome.curve("cnn", "train_loss")[-1] < outcome.curve("cnn", "train_loss")[0]
    assert outcome.ended["cnn"].final["convolutions.2.convolution.weight"].shape == (128, 64, 3, 3)
