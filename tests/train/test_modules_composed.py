"""Freely composed networks: every step against a plain loop, tied layers, and the laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.data.preparation import Preparation
from ceteris.draws import Key, stream_key, uniforms
from ceteris.nets.architecture import architecture
from ceteris.nets.module import load_tensors, to_module
from ceteris.nets.stacked import initial_stack
from ceteris.spec.experiment import Experiment
from ceteris.spec.model import SequentialModel

from .runs import Train, plan
from .test_modules_plain_loop import BATCH, OPTIMIZERS, SEED, STEPS, copied, engine_for

LAYERS: list[Any] = [
    {"conv": {"channels": 4, "kernel": 5, "stride": 2, "padding": 3, "bias": False}},
    "batch_norm",
    "relu",
    {"residual": [{"conv": 4, "name": "kept"}, "relu", {"use": "kept"}]},
    {"max_pool": {"size": 2, "stride": 1}},
    {"avg_pool": 2},
    "flatten",
    {"linear": 12},
    {"block": [{"linear": 12}, "tanh", {"dropout": 0.3}], "name": "twice"},
    "layer_norm",
    {"use": "twice"},
]
MODEL: dict[str, Any] = {"kind": "sequential", "layers": LAYERS}


class Plain(nn.Module):
    """The same network by hand, with the masks of its two dropouts given from outside."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 5, stride=2, padding=3, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.kept = nn.Conv2d(4, 4, 3, padding=1)
        self.narrow = nn.Linear(16, 12)
        self.twice = nn.Linear(12, 12)
        self.rows = nn.LayerNorm(12)
        self.head = nn.Linear(12, 10)

    def forward(self, x: torch.Tensor, masks: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        x = torch.relu(self.norm(self.first(x)))
        x = x + self.kept(torch.relu(self.kept(x)))
        x = nn.functional.avg_pool2d(nn.functional.max_pool2d(x, 2, stride=1), 2)
        x = torch.tanh(self.twice(self.narrow(x.flatten(1)))) * masks[0]
        x = torch.tanh(self.twice(self.rows(x))) * masks[1]
        out: torch.Tensor = self.head(x)
        return out


def mask(call: int, step: int) -> torch.Tensor:
    """The mask that the laws ask for; a layer's second call in a step draws from the next key."""
    k0, k1 = stream_key(SEED, "dropout", "layers.twice.2")
    drawn = uniforms(Key(k0, (k1 + call) % 2**32), BATCH, 12, epoch=0, first_row=step * BATCH)
    return torch.from_numpy((drawn >= 0.3) / 0.7)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_step_equals_that_of_a_plain_loop(digits: Preparation, name: str) -> None:
    spec, torch_optimizer = OPTIMIZERS[name]
    engine, stack, order, own = engine_for(MODEL, spec, digits, np.float64)
    network = Plain().double()
    copied(network, stack.member(0))
    optimizer = torch_optimizer(network.parameters())
    x, y = torch.from_numpy(own.x.astype(np.float64)).reshape(-1, 1, 8, 8), torch.from_numpy(own.y)
    for step in range(STEPS):
        rows = order[step * BATCH : (step + 1) * BATCH]
        optimizer.zero_grad()
        outputs = network(x[rows], (mask(0, step), mask(1, step)))
        nn.functional.cross_entropy(outputs, y[rows]).backward()
        optimizer.step()
        engine.run_steps(step, step + 1, np.ones(1, dtype=np.bool_))
        expected = torch.cat([p.detach().reshape(-1) for p in network.parameters()]).numpy()
        np.testing.assert_allclose(engine.parameters()[0], expected, rtol=1e-8, atol=1e-11)
    buffers = torch.cat([network.norm.running_mean, network.norm.running_var]).numpy()
    np.testing.assert_allclose(engine.buffers()[0], buffers, rtol=1e-9)


def test_alone_and_among_many_are_equal_bit_for_bit(train: Train) -> None:
    settings: dict[str, Any] = {"model": MODEL, "optimizer": {"kind": "adam", "lr": 0.01}, "epochs": 1}
    other = [*LAYERS[:8], {"block": [{"linear": 12}, "tanh", {"dropout": 0.6}], "name": "twice"}, *LAYERS[9:]]
    own = plan("own", seed=1, **settings)
    others = [
        plan("o0", seed=1, **(settings | {"model": {**MODEL, "layers": other}})),
        plan("o1", seed=2, **(settings | {"optimizer": {"kind": "adam", "lr": 0.1}})),
    ]
    alone, among = train(own), train(others[0], own, others[1])
    assert np.array_equal(alone.final("own"), among.final("own"))
    assert np.array_equal(alone.curve("own", "val_loss"), among.curve("own", "val_loss"))
    assert not np.array_equal(among.final("own"), among.final("o0"))


def test_it_learns_and_its_weights_hold_tied_tensors_once(train: Train) -> None:
    outcome = train(plan("own", model=MODEL, optimizer={"kind": "adam", "lr": 0.01}, epochs=5))
    assert outcome.curve("own", "val_accuracy")[-1] > 0.8
    weights = outcome.ended["own"].final
    assert not [name for name in weights if name.startswith(("layers.3.2", "layers.10"))]
    experiment = Experiment(data="digits", model=MODEL)
    net = architecture(experiment.model, 64, 10, (8, 8))
    handed = to_module(net, np.zeros(net.n_parameters), np.zeros(net.n_buffers))
    load_tensors(handed, {name: np.asarray(tensor, dtype=np.float64) for name, tensor in weights.items()})
    assert handed.layers is not None
    assert handed.get_submodule("layers.10") is handed.get_submodule("layers.twice")
    assert handed.get_submodule("layers.3.2") is handed.get_submodule("layers.3.kept")
    assert sum(p.numel() for p in handed.parameters()) == net.n_parameters


def test_the_numbers_behind_a_layer_do_not_depend_on_what_stands_before_it() -> None:
    short = [{"linear": 8, "name": "a"}, "relu", {"linear": 8, "name": "b"}]
    longer = [short[0], "batch_norm", {"linear": 8}, short[2]]
    found = []
    for layers in (short, longer):
        model = SequentialModel(layers=layers)
        net = architecture(model, 64, 10, (8, 8))
        module = initial_stack(net, [model], [3]).member(0)
        found.append({name: p.detach().numpy() for name, p in module.named_parameters()})
    for name in ("layers.a.weight", "layers.b.weight", "layers.b.bias", "head.weight"):
        assert np.array_equal(found[0][name], found[1][name])
    assert found[0]["layers.b.weight"].std() > 0
