"""The rise of the loss under small random changes of weights: against plain PyTorch and a closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from ceteris.data import load
from ceteris.data.preparation import Preparation
from ceteris.draws import normals, stream_key
from ceteris.nets.architecture import architecture
from ceteris.spec.data import DataSpec
from ceteris.train.messages import EpochMeasured
from ceteris.train.sharpness import direction

from .runs import Train, plan, run_plans
from .test_probes import ENGINES
from .test_requested import final_network

MODEL: dict[str, Any] = {"kind": "mlp", "hidden": [12, 7], "batch_norm": True, "dropout": 0.2}
ASKED: dict[str, Any] = {"sharpness": {"epochs": "last", "radius": 0.3, "directions": 3}}


def by_hand(network: torch.nn.Module, x: torch.Tensor, y: torch.Tensor, radius: float, count: int) -> float:
    """The same by a plain network: every row of every matrix is moved by a vector of its own length."""
    start = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
    rises = []
    with torch.no_grad():
        here = functional.cross_entropy(network(x), y).item()
        for number in range(count):
            for name, parameter in network.named_parameters():
                if parameter.ndim < 2:
                    continue
                drawn = torch.from_numpy(
                    normals(stream_key(0, "sharpness", name), *parameter.shape, epoch=number)
                )
                size = start[name].norm(dim=1, keepdim=True) / drawn.norm(dim=1, keepdim=True)
                parameter.copy_(start[name] + radius * size * drawn)
            rises.append(functional.cross_entropy(network(x), y).item() - here)
    return float(np.mean(rises))


@pytest.mark.parametrize("name", ENGINES)
def test_it_is_that_of_a_plain_network(name: str, digits: Preparation, train: Train) -> None:
    settings = {"model": MODEL, "epochs": 2, "probes": ASKED}
    asking, other = plan("a", **settings), plan("b", **settings | {"probes": {}})
    outcome = train(asking, other, engine=lambda s, k, d: ENGINES[name](s, k))
    first, last = outcome.curve("a", "sharpness")
    assert np.isnan(first), "only the last epoch was asked for"
    prepared = digits.prepare(asking.experiment.data, 0)
    rows = torch.from_numpy(prepared.train_slice)
    x, y = torch.from_numpy(prepared.x)[rows], torch.from_numpy(prepared.y)[rows]
    network = final_network(outcome, "a", digits, model=MODEL)
    assert last == pytest.approx(by_hand(network, x, y, 0.3, 3), rel=1e-3)
    assert last > 0
    told = [m for m in outcome.messages if isinstance(m, EpochMeasured) and "b" in m.identities]
    assert len(told) == 2
    assert not any("sharpness" in m.names for m in told), "what is measured does not depend on neighbours"
    tolerance = 0 if name in ("compiled", "modules") else 1e-5  # the engines of devices round by place
    np.testing.assert_allclose(outcome.final("a"), outcome.final("b"), rtol=tolerance, atol=tolerance)


def test_training_goes_on_from_where_it_was(digits: Preparation) -> None:
    every = {"sharpness": {"epochs": "all", "directions": 2}}
    settings = {"model": MODEL, "optimizer": {"kind": "adam", "lr": 0.01}, "epochs": 3}
    measured = run_plans([plan("a", **settings, probes=every)], digits)
    plain = run_plans([plan("a", **settings)], digits)
    assert np.array_equal(measured.final("a"), plain.final("a"))
    assert np.isfinite(measured.curve("a", "sharpness")).all()


def test_alone_and_stacked_it_is_the_same_to_the_bit(digits: Preparation) -> None:
    plans = [plan(f"{seed}", seed=seed, model=MODEL, epochs=1, probes=ASKED) for seed in range(3)]
    together = run_plans(plans, digits)
    for one in plans:
        alone = run_plans([one], digits).curve(one.identity, "sharpness")
        assert alone.tobytes() == together.curve(one.identity, "sharpness").tobytes()


def test_of_a_parabola_it_is_what_its_curvature_says() -> None:
    data = Preparation(load(DataSpec(source="linear-regression", parameters={"w": [1.0] * 40}).reading))
    probes = {"sharpness": {"epochs": "last", "radius": 0.1, "directions": 400}}
    settings = {"data": {"source": "linear-regression", "scale": "none"}, "model": "linear", "epochs": 40}
    one = plan("a", **settings, optimizer={"kind": "sgd", "lr": 0.02}, probes=probes)
    outcome = run_plans([one], data)
    prepared = data.prepare(one.experiment.data, 0)
    x = prepared.x[prepared.train_slice].astype(np.float64)
    w = outcome.ended["a"].final["head.weight"].astype(np.float64)
    # At the minimum a mean of squares rises by |X d|^2 / n; d is uniform on a sphere of radius 0.1 |w|.
    expected = 0.01 * np.square(w).sum() * np.square(x).sum() / x.size
    assert outcome.curve("a", "sharpness")[-1] == pytest.approx(expected, rel=0.05)


def test_a_direction_is_as_long_as_the_weights_of_each_unit() -> None:
    experiment = plan("a", model={"kind": "mlp", "hidden": [5]}).experiment
    net = architecture(experiment.model, 3, 2)
    weights = np.random.default_rng(0).normal(size=net.n_parameters)
    found = direction(net, weights, seed=4, number=1, width=net.n_in)
    for tensor in net.parameters:
        part = slice(tensor.offset, tensor.offset + tensor.size)
        moved, own = found[part].reshape(tensor.shape), weights[part].reshape(tensor.shape)
        if len(tensor.shape) == 1:
            assert (moved == 0).all()
        else:
            np.testing.assert_allclose(np.linalg.norm(moved, axis=1), np.linalg.norm(own, axis=1))
    assert not np.array_equal(found, direction(net, weights, seed=4, number=2, width=net.n_in))
