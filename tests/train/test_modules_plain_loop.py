"""The convolutional network against an independent plain PyTorch loop from the same initial weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.data.preparation import Preparation
from ceteris.draws import stream_key, uniforms
from ceteris.nets.architecture import architecture, random_places
from ceteris.nets.stacked import StackedNetwork, initial_stack
from ceteris.spec.experiment import Experiment
from ceteris.train.engine import Feed, StackSpec
from ceteris.train.hyper import LR, hyper_vectors
from ceteris.train.modules.engine import ModuleEngine
from ceteris.train.streams import epoch_order, place_keys

BATCH, STEPS, SEED = 32, 12, 3
CNN = {"kind": "cnn", "convolutions": [4, 6], "hidden": [20, 12]}
OPTIMIZERS: dict[str, tuple[dict[str, Any], Any]] = {
    "momentum": (
        {"kind": "sgd", "lr": 0.02, "momentum": 0.9, "weight_decay": 1e-3},
        lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9, weight_decay=1e-3),
    ),
    "adamw": (
        {"kind": "adamw", "lr": 2e-3, "weight_decay": 0.05},
        lambda p: torch.optim.AdamW(p, lr=2e-3, weight_decay=0.05),
    ),
    "rmsprop": (
        {"kind": "rmsprop", "lr": 1e-3, "momentum": 0.5},
        lambda p: torch.optim.RMSprop(p, lr=1e-3, momentum=0.5),
    ),
    "adagrad": ({"kind": "adagrad", "lr": 0.02}, lambda p: torch.optim.Adagrad(p, lr=0.02)),
}


class Masked(nn.Module):
    """Dropout by a mask that is set from outside."""

    mask: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if self.mask is None else x * self.mask


def plain_network(*, batch_norm: bool) -> nn.Sequential:
    """The network written by hand, in the catalogue's order: norm, ReLU, then pooling.

    No biases before batch norm: their gradients are rounding errors, which adaptive optimisers blow up.
    """
    layers: list[nn.Module] = []
    bias = not batch_norm
    for n_in, n_out in ((1, 4), (4, 6)):
        layers.append(nn.Conv2d(n_in, n_out, 3, padding=1, bias=bias))
        layers += [nn.BatchNorm2d(n_out)] if batch_norm else []
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    layers.append(nn.Flatten())
    for n_in, n_out in ((24, 20), (20, 12)):
        layers.append(nn.Linear(n_in, n_out, bias=bias))
        layers += [nn.BatchNorm1d(n_out)] if batch_norm else []
        layers += [nn.ReLU(), Masked()]
    return nn.Sequential(*layers, nn.Linear(12, 10, bias=bias))


def engine_for(
    model: dict[str, Any], optimizer: dict[str, Any], digits: Preparation, dtype: type
) -> tuple[ModuleEngine, StackedNetwork, np.ndarray, Any]:
    experiment = Experiment(data={"source": "digits"}, model=model, optimizer=optimizer)
    own = digits.prepare(experiment.data, SEED)
    net = architecture(experiment.model, 64, 10, (8, 8))
    stack = initial_stack(net, [experiment.model], [SEED], dtype)
    spec = StackSpec(
        net=net,
        loss="cross_entropy",
        batch_size=BATCH,
        steps=STEPS,
        experiments=(experiment,),
        rates=stack.rates,
        keys=place_keys(SEED, random_places(net))[None],
        class_weights=np.ones((1, 10)),
        feeds=(Feed(own.x.astype(dtype), own.y, np.arange(1)),),
    )
    engine = ModuleEngine(spec, stack)
    order = epoch_order(SEED, 0, own.split.train, 0)
    engine.begin_epoch(0, [order], hyper_vectors(spec.optimizers)[:, :, LR, None])
    return engine, stack, order, own


def copied(network: nn.Module, start: nn.Module) -> None:
    with torch.no_grad():
        for own, other in zip(network.parameters(), start.parameters(), strict=True):
            own.copy_(other)


def mask(role: str, width: int, rate: float, step: int) -> torch.Tensor:
    """The dropout mask that the laws ask for: kept where the shared uniform is not below the rate."""
    drawn = uniforms(stream_key(SEED, "dropout", role), BATCH, width, epoch=0, first_row=step * BATCH)
    return torch.from_numpy((drawn >= rate) / (1 - rate))


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch-norm"])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_step_equals_that_of_a_plain_loop(
    digits: Preparation, name: str, dropout: float, batch_norm: bool
) -> None:
    spec, torch_optimizer = OPTIMIZERS[name]
    model = CNN | {"batch_norm": batch_norm, "bias": not batch_norm, "dropout": dropout}
    engine, stack, order, own = engine_for(model, spec, digits, np.float64)
    network = plain_network(batch_norm=batch_norm).double()
    copied(network, stack.member(0))
    optimizer = torch_optimizer(network.parameters())
    x, y = torch.from_numpy(own.x.astype(np.float64)).reshape(-1, 1, 8, 8), torch.from_numpy(own.y)
    drops = [layer for layer in network if isinstance(layer, Masked)]
    for step in range(STEPS):
        rows = order[step * BATCH : (step + 1) * BATCH]
        if dropout:
            drops[0].mask = mask("hidden.0", 20, dropout, step)
            drops[1].mask = mask("hidden.1", 12, dropout, step)
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(x[rows]), y[rows]).backward()
        optimizer.step()
        engine.run_steps(step, step + 1, np.ones(1, dtype=np.bool_))
        expected = torch.cat([p.detach().reshape(-1) for p in network.parameters()]).numpy()
        np.testing.assert_allclose(engine.parameters()[0], expected, rtol=1e-8, atol=1e-11)
    buffers = [b for b in network.buffers() if b.is_floating_point()]
    if buffers:
        expected = torch.cat([b.reshape(-1) for b in buffers]).numpy()
        np.testing.assert_allclose(engine.buffers()[0], expected, rtol=1e-9)


def test_float32_stays_within_rounding_of_a_plain_loop(digits: Preparation) -> None:
    spec, torch_optimizer = OPTIMIZERS["momentum"]
    engine, stack, order, own = engine_for(
        CNN | {"batch_norm": True, "bias": False}, spec, digits, np.float32
    )
    network = plain_network(batch_norm=True)
    copied(network, stack.member(0))
    optimizer = torch_optimizer(network.parameters())
    x, y = torch.from_numpy(own.x).reshape(-1, 1, 8, 8), torch.from_numpy(own.y)
    for step in range(STEPS):
        rows = order[step * BATCH : (step + 1) * BATCH]
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(x[rows]), y[rows]).backward()
        optimizer.step()
    engine.run_steps(0, STEPS, np.ones(1, dtype=np.bool_))
    expected = torch.cat([p.detach().reshape(-1) for p in network.parameters()]).numpy()
    np.testing.assert_allclose(engine.parameters()[0], expected, rtol=1e-3, atol=2e-5)


def test_evaluation_uses_running_statistics_and_no_dropout(digits: Preparation) -> None:
    model = CNN | {"batch_norm": True, "dropout": 0.5}
    engine, stack, _, own = engine_for(model, OPTIMIZERS["momentum"][0], digits, np.float32)
    engine.run_steps(0, 5, np.ones(1, dtype=np.bool_))
    stack.parameters[:] = engine.parameters()
    engine.buffers()
    rows = own.split.validation
    results, outputs = engine.evaluate([rows], np.ones(1, dtype=np.bool_), keep_outputs=True)
    with torch.no_grad():
        logits = stack.member(0)(torch.from_numpy(own.x[rows]))
    labels = torch.from_numpy(own.y[rows])
    assert outputs is not None
    np.testing.assert_allclose(outputs[0], logits.numpy(), rtol=1e-4, atol=1e-5)
    assert results[0, 0] == pytest.approx(nn.functional.cross_entropy(logits, labels).item(), rel=1e-5)
    assert results[0, 1] == pytest.approx((logits.argmax(1) == labels).float().mean().item())


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_pooling_before_or_after_the_activation_is_the_network_of_the_catalogue(activation: str) -> None:
    experiment = Experiment(data="digits", model=CNN | {"activation": activation})
    net = architecture(experiment.model, 64, 10, (8, 8))
    member = initial_stack(net, [experiment.model], [0]).member(0)
    x = torch.randn(5, 64, generator=torch.Generator().manual_seed(1))
    activate = {"relu": torch.relu, "tanh": torch.tanh, "gelu": nn.functional.gelu}[activation]
    rows = x.reshape(-1, 1, 8, 8)
    for block in member.convolutions:
        rows = torch.max_pool2d(activate(block.convolution(rows)), 2)
    rows = rows.flatten(1)
    for block in member.hidden:
        rows = activate(block.linear(rows))
    torch.testing.assert_close(member(x), member.head(rows))
