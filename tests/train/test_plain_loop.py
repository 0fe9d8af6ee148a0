"""A cohort's members against an independent plain PyTorch loop from the same initial weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.data.preparation import Preparation
from ceteris.nets.architecture import architecture
from ceteris.nets.stacked import initial_stack
from ceteris.spec.experiment import Experiment
from ceteris.train.cpu.engine import CompiledEngine
from ceteris.train.engine import Engine, Feed, StackSpec
from ceteris.train.hyper import LR, hyper_vectors
from ceteris.train.streams import epoch_order
from ceteris.train.tensor.engine import TensorEngine

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "leaky_relu": nn.LeakyReLU}
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"kind": "sgd", "lr": 0.05},
    "momentum": {"kind": "sgd", "lr": 0.02, "momentum": 0.9, "weight_decay": 1e-3},
    "dampened": {"kind": "sgd", "lr": 0.05, "momentum": 0.8, "dampening": 0.3},
    "nesterov": {"kind": "sgd", "lr": 0.02, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-2},
    "adam": {"kind": "adam", "lr": 1e-3, "weight_decay": 1e-3},
    "adam-betas": {"kind": "adam", "lr": 3e-3, "beta1": 0.8, "beta2": 0.99, "eps": 1e-6},
    "adamw": {"kind": "adamw", "lr": 1e-3, "weight_decay": 0.05},
}
STEPS_PER_EPOCH = 36


def torch_optimizer(parameters: Any, spec: dict[str, Any]) -> torch.optim.Optimizer:
    options = {k: v for k, v in spec.items() if k not in {"kind", "beta1", "beta2"}}
    if spec["kind"] == "sgd":
        return torch.optim.SGD(parameters, **options)
    options["betas"] = (spec.get("beta1", 0.9), spec.get("beta2", 0.999))
    return {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[spec["kind"]](parameters, **options)


def plain_network(experiment: Experiment, n_in: int, n_out: int, member: nn.Module) -> nn.Sequential:
    """Build the network by hand and copy the initial tensors in order."""
    layers: list[nn.Module] = []
    width = n_in
    for hidden in experiment.model.hidden:
        layers.append(nn.Linear(width, hidden))
        if experiment.model.batch_norm:
            layers.append(nn.BatchNorm1d(hidden))
        layers.append(ACTIVATIONS[experiment.model.activation]())
        width = hidden
    network = nn.Sequential(*layers, nn.Linear(width, n_out)).to(next(member.parameters()).dtype)
    with torch.no_grad():
        for own, start in zip(network.parameters(), member.parameters(), strict=True):
            own.copy_(start)
    return network


def plain_loop(network: nn.Module, spec: dict[str, Any], x: Any, y: Any, order: Any, steps: int) -> None:
    """The usual loop, with torch.optim, over the rows that the stream names."""
    optimizer = torch_optimizer(network.parameters(), spec)
    loss_function = nn.CrossEntropyLoss() if y.dtype == torch.int64 else nn.MSELoss()
    network.train()
    for step in range(steps):
        rows = order(step)
        optimizer.zero_grad()
        loss = loss_function(network(x[rows]), y[rows])
        loss.backward()
        optimizer.step()


def run_engine(
    kind: str, experiments: list[Experiment], seed: int, preparation: Preparation, steps: int, dtype: type
) -> tuple[Engine, Any, Any]:
    own = preparation.prepare(experiments[0].data, seed)
    classes = len(preparation.dataset.classes)
    net = architecture(experiments[0].model, own.x.shape[1], classes)
    stack = initial_stack(net, [e.model for e in experiments], [seed] * len(experiments), dtype)
    start = [stack.member(i) for i in range(len(experiments))]
    spec = StackSpec(
        net=net,
        loss="cross_entropy",
        batch_size=32,
        steps=STEPS_PER_EPOCH,
        experiments=tuple(experiments),
        rates=stack.rates,
        keys=np.zeros((len(experiments), net.n_slots, 2), np.uint32),
        class_weights=np.ones((len(experiments), net.n_out)),
        feeds=(Feed(own.x.astype(dtype), own.y, np.arange(len(experiments))),),
    )
    engine = CompiledEngine(spec, stack) if kind == "compiled" else TensorEngine(spec, stack, "cpu")
    everyone = np.ones(len(experiments), dtype=np.bool_)
    for epoch in range(-(-steps // STEPS_PER_EPOCH)):
        order = epoch_order(seed, 0, own.split.train, epoch)
        engine.begin_epoch(epoch, [order], hyper_vectors(spec.optimizers)[:, :, LR, None])
        engine.run_steps(0, min(STEPS_PER_EPOCH, steps - epoch * STEPS_PER_EPOCH), everyone)
    return engine, own, start


def experiment(optimizer: dict[str, Any], **model: Any) -> Experiment:
    return Experiment(
        data={"source": "digits"}, model={"kind": "mlp", "hidden": [24]} | model, optimizer=optimizer
    )


def compare(
    kind: str,
    experiments: list[Experiment],
    specs: list[dict[str, Any]],
    digits: Preparation,
    dtype: type,
    rtol: float,
) -> None:
    steps = 200
    seed = 3
    engine, own, start = run_engine(kind, experiments, seed, digits, steps, dtype)
    x = torch.from_numpy(own.x.astype(dtype))
    y = torch.from_numpy(own.y)

    def order(step: int) -> torch.Tensor:
        epoch, inside = divmod(step, STEPS_PER_EPOCH)
        rows = epoch_order(seed, 0, own.split.train, epoch)
        return torch.from_numpy(rows[inside * 32 : (inside + 1) * 32])

    for place, (one, spec) in enumerate(zip(experiments, specs, strict=True)):
        network = plain_network(one, 64, 10, start[place])
        plain_loop(network, spec, x, y, order, steps)
        expected = torch.cat([p.detach().reshape(-1) for p in network.parameters()]).numpy()
        found = engine.parameters()[place]
        error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
        assert error < rtol, f"{spec}: {error}"


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("engine", ["compiled", "tensor"])
def test_members_with_settings_of_their_own_equal_plain_loops(
    engine: str, activation: str, digits: Preparation
) -> None:
    for family in ("sgd", "adam"):
        specs = [s for s in OPTIMIZERS.values() if s["kind"].startswith(family)]
        experiments = [experiment(s, activation=activation) for s in specs]
        compare(engine, experiments, specs, digits, np.float32, 1e-4)


@pytest.mark.parametrize("name", list(OPTIMIZERS))
@pytest.mark.parametrize("engine", ["compiled", "tensor"])
def test_float64_agrees_with_torch_optim_to_rounding(engine: str, name: str, digits: Preparation) -> None:
    """In float64 a unit at a kink by rounding is too rare to matter, so every activation agrees."""
    spec = OPTIMIZERS[name]
    for activation in ACTIVATIONS:
        compare(engine, [experiment(spec, activation=activation)], [spec], digits, np.float64, 1e-9)


@pytest.mark.parametrize("engine", ["compiled", "tensor"])
def test_batch_norm_equals_torch(engine: str, digits: Preparation) -> None:
    spec = OPTIMIZERS["momentum"]
    one = experiment(spec, hidden=[24, 12], batch_norm=True)
    compare(engine, [one], [spec], digits, np.float64, 1e-8)


@pytest.mark.parametrize("engine", ["compiled", "tensor"])
def test_running_statistics_equal_torch(engine: str, digits: Preparation) -> None:
    spec = OPTIMIZERS["sgd"]
    one = experiment(spec, batch_norm=True)
    run, own, start = run_engine(engine, [one], 3, digits, 30, np.float64)
    network = plain_network(one, 64, 10, start[0])
    order = epoch_order(3, 0, own.split.train, 0)
    x = torch.from_numpy(own.x.astype(np.float64))
    plain_loop(
        network, spec, x, torch.from_numpy(own.y), lambda s: torch.from_numpy(order[s * 32 : s * 32 + 32]), 30
    )
    expected = np.concatenate([network[1].running_mean.numpy(), network[1].running_var.numpy()])
    np.testing.assert_allclose(run.buffers()[0], expected, rtol=1e-9)
