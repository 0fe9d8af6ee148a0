"""The variance of the gradient between steps against a plain loop, and probes of layers switched off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.data.preparation import Preparation
from ceteris.lab.scratch_engine import ScratchEngine
from ceteris.nets.architecture import architecture
from ceteris.nets.module import Network, load_tensors
from ceteris.spec.probes import FAMILIES, probe_parts
from ceteris.train.messages import EpochMeasured
from ceteris.train.streams import epoch_order

from .runs import Outcome, Train, plan
from .test_probes import ENGINES

MODEL: dict[str, Any] = {"kind": "mlp", "hidden": [12]}
SETTINGS: dict[str, Any] = {
    "model": MODEL,
    "data": {"source": "digits", "rows": 300},
    "optimizer": {"kind": "sgd", "lr": 0.1},
    "penalty": {"kind": "l2", "weight": 0.01},
    "epochs": 2,
}
NOISE: dict[str, Any] = {"gradient_noise": True}


def plain_noise(digits: Preparation, start: Any, **changes: Any) -> dict[str, list[float]]:
    """Train plainly; return half the mean squared distance of adjacent gradients, by parameter and epoch."""
    experiment = plan("a", **SETTINGS | changes).experiment
    prepared = digits.prepare(experiment.data, 0)
    network = Network(architecture(experiment.model, 64, 10))
    load_tensors(network, start)
    x, y = torch.from_numpy(prepared.x), torch.from_numpy(prepared.y)
    curves: dict[str, list[float]] = {}
    for epoch in range(experiment.epochs):
        steps: dict[str, list[np.ndarray]] = {name: [] for name, _ in network.named_parameters()}
        order = epoch_order(0, 0, prepared.split.train, epoch)
        size = experiment.batch_size * experiment.accumulate
        every = max(1, len(order) // size // 100)
        for begin in range(0, len(order), size):
            batches = np.split(
                order[begin : begin + size],
                range(experiment.batch_size, len(order[begin : begin + size]), experiment.batch_size),
            )
            losses = [nn.functional.cross_entropy(network(x[rows]), y[rows]) for rows in batches]
            loss = torch.stack(losses).mean()
            network.zero_grad()
            loss.backward(retain_graph=True)
            for name, parameter in network.named_parameters():
                steps[name].append(parameter.grad.double().numpy().copy())
            penalty = 0.01 * sum(p.square().sum() for n, p in network.named_parameters() if "weight" in n)
            penalty.backward()
            with torch.no_grad():
                for parameter in network.parameters():
                    parameter.sub_(0.1 * parameter.grad)
        for name, gradients in steps.items():
            distances = np.square(np.diff(gradients, axis=0)).reshape(len(gradients) - 1, -1).sum(axis=1)
            curves.setdefault(name, []).append(float(distances[::every].mean()) / 2)
    return curves


MANY_STEPS: dict[str, Any] = {"data": {"source": "digits", "rows": 210}, "batch_size": 1, "epochs": 1}


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        *((name, {}) for name in (*ENGINES, "scratch")),
        ("compiled", {"accumulate": 2}),
        *((name, MANY_STEPS) for name in ("compiled", "modules", "tensors")),
    ],
)
def test_noise_is_that_of_a_plain_loop(
    name: str, changes: dict[str, Any], digits: Preparation, train: Train
) -> None:
    engine = (
        (lambda s, k, d: ScratchEngine(s, k, "cpu"))
        if name == "scratch"
        else lambda s, k, d: ENGINES[name](s, k)
    )
    outcome = train(plan("a", probes=NOISE, **SETTINGS | changes), engine=engine)
    expected = plain_noise(digits, outcome.ended["a"].initial, **changes)
    for parameter, curve in expected.items():
        found = outcome.curve("a", f"gradient_noise/{parameter}")
        np.testing.assert_allclose(found, curve, rtol=2e-4, err_msg=parameter)
    total = outcome.curve("a", "gradient_noise")
    np.testing.assert_allclose(total, np.sum(list(expected.values()), axis=0), rtol=2e-4)


ON_REQUEST = {"gradient_noise", "std_over_outputs", "std_over_inputs"}
"""Families of probes that are not on by default."""


def names(outcome: Outcome) -> tuple[str, ...]:
    return next(m.names for m in outcome.messages if isinstance(m, EpochMeasured))


@pytest.mark.parametrize("model", [MODEL, {"kind": "cnn", "convolutions": [3], "hidden": [5]}])
def test_measuring_more_or_less_changes_no_bit_of_training(model: dict[str, Any], train: Train) -> None:
    settings = {**SETTINGS, "model": model, "clip": {"norm": 0.5}}
    plain = train(plan("a", **settings))
    for probes in (NOISE, {"layers": False}, {"layers": False, **NOISE}):
        other = train(plan("a", probes=probes, **settings))
        assert other.final("a").tobytes() == plain.final("a").tobytes()
        shared = [name for name in names(plain) if name in names(other)]
        assert {"train_loss", "val_accuracy", "grad_norm", "weight_norm"} <= set(shared)
        for name in shared:
            assert other.curve("a", name).tobytes() == plain.curve("a", name).tobytes(), name
        families = {probe[0] for name in names(other) if (probe := probe_parts(name)) is not None}
        noise = {"gradient_noise"} if "gradient_noise" in probes else set()
        layers = FAMILIES.keys() - ON_REQUEST if probes.get("layers", True) else set()
        assert families == noise | layers


def test_noise_alone_and_among_others_is_equal_bit_for_bit(train: Train) -> None:
    own = plan("a", seed=1, probes=NOISE, **SETTINGS)
    others = [
        plan("b", seed=2, probes=NOISE, **SETTINGS),
        plan("c", seed=1, probes=NOISE, **{**SETTINGS, "optimizer": {"kind": "sgd", "lr": 1e30}}),
    ]
    alone, among = train(own), train(*others, own)
    assert alone.curve("a", "gradient_noise").tobytes() == among.curve("a", "gradient_noise").tobytes()
    assert among.ended["c"].status == "diverged"


def test_the_noise_of_a_single_step_is_not_known(train: Train) -> None:
    outcome = train(plan("a", probes=NOISE, batch_size=300, **SETTINGS))
    assert np.isnan(outcome.curve("a", "gradient_noise")).all()
