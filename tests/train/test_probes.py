"""Probes of parameters and hidden layers, against a plain PyTorch loop with hooks."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ceteris.data.preparation import Preparation
from ceteris.nets.architecture import architecture
from ceteris.nets.module import Network, load_tensors
from ceteris.spec.probes import FAMILIES, OF_LAYERS, ON_REQUEST, probe_parts
from ceteris.train import training
from ceteris.train.cpu.engine import CompiledEngine
from ceteris.train.cpu.sums import BLOCK
from ceteris.train.engine import EVALUATION_ROWS, GRADIENT_EVERY
from ceteris.train.modules.engine import ModuleEngine
from ceteris.train.modules.stacked import StackedModuleEngine
from ceteris.train.probes import PROBE_ROWS, probe_rows
from ceteris.train.streams import epoch_order
from ceteris.train.tensor.engine import TensorEngine

from .runs import Outcome, Train, plan

MODEL: dict[str, Any] = {"kind": "mlp", "hidden": [24, 12], "batch_norm": True}
CNN: dict[str, Any] = {"kind": "cnn", "convolutions": [4, 6], "hidden": [12], "batch_norm": True}
SETTINGS: dict[str, Any] = {"epochs": 2, "optimizer": {"kind": "sgd", "lr": 0.05}}
ENGINES = {
    "compiled": CompiledEngine,
    "modules": ModuleEngine,
    "tensors": lambda spec, stack: TensorEngine(spec, stack, "cpu"),
    "stacked modules": lambda spec, stack: StackedModuleEngine(spec, stack, "cpu"),
}


def watched(network: nn.Module, kept: dict[str, Tensor]) -> None:
    for path, layer in network.named_modules():
        if path.endswith(".activation"):
            name = path.removesuffix(".activation")
            layer.register_forward_hook(lambda m, i, out, name=name: kept.__setitem__(name, out))


def plain_loop(digits: Preparation, model: dict[str, Any], start: Any) -> dict[str, list[float]]:
    """Train as the settings say; return every probe by name, a number an epoch."""
    own = plan("t", model=model, **SETTINGS).experiment
    prepared = digits.prepare(own.data, 0)
    network = Network(architecture(own.model, 64, 10, digits.dataset.shape))
    load_tensors(network, start)
    kept: dict[str, Tensor] = {}
    watched(network, kept)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    x, y = torch.from_numpy(prepared.x), torch.from_numpy(prepared.y)
    curves: dict[str, list[float]] = defaultdict(list)
    start_values: dict[str, float] = {}
    for epoch in range(own.epochs):
        steps: dict[str, list[float]] = defaultdict(list)
        network.train()
        order = epoch_order(0, 0, prepared.split.train, epoch)
        for step, begin in enumerate(range(0, len(order), own.batch_size)):
            rows = order[begin : begin + own.batch_size]
            loss = nn.functional.cross_entropy(network(x[rows]), y[rows])
            for out in kept.values():
                out.retain_grad()
            optimizer.zero_grad()
            loss.backward()
            before = {name: p.detach().clone() for name, p in network.named_parameters()}
            optimizer.step()
            if step % GRADIENT_EVERY:
                continue
            for name, p in network.named_parameters():
                steps[f"grad_norm/{name}"].append(p.grad.norm().item())
                steps[f"update_ratio/{name}"].append(((p - before[name]).norm() / p.norm()).item())
            for name, out in kept.items():
                steps[f"activation_grad_var/{name}"].append(out.grad.var(correction=0).item())
                if epoch == step == 0:
                    start_values[f"start_activation_var/{name}"] = out.var(correction=0).item()
                    start_values[f"start_activation_grad_var/{name}"] = out.grad.var(correction=0).item()
        for name, values in steps.items():
            curves[name].append(float(np.mean(values)))
        for name, value in start_values.items():
            curves[name].append(value)
        for name, p in network.named_parameters():
            curves[f"weight_norm/{name}"].append(p.norm().item())
        network.eval()
        with torch.no_grad():
            network(x[probe_rows(prepared.train_slice)])
        for name, out in kept.items():
            curves[f"activation_mean/{name}"].append(out.mean().item())
            curves[f"activation_var/{name}"].append(out.var(correction=0).item())
            curves[f"zeros/{name}"].append((out == 0).double().mean().item())
            largest = out.abs().amax(dim=(0, 2, 3)[: out.dim() - 1])
            curves[f"dead/{name}"].append((largest <= 1e-5).double().mean().item())
    return curves


def probed(outcome: Outcome) -> set[str]:
    names = {n for m in outcome.messages for n in getattr(m, "names", ())}
    return {name for name in names if probe_parts(name) is not None and not name.startswith("std/")}


@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_probes_are_those_of_a_plain_loop_with_hooks(
    train: Train, digits: Preparation, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setattr(training, "built_in_engine", lambda spec, stack, device: ENGINES[engine](spec, stack))
    model = CNN if "modules" in engine else MODEL
    outcome = train(plan("t", model=model, **SETTINGS), plan("other", seed=1, model=model, **SETTINGS))
    expected = plain_loop(digits, model, outcome.ended["t"].initial)
    unseen = {n for n in expected if engine == "stacked modules" and "activation_grad" in n}
    unseen |= {n for n in expected if engine == "stacked modules" and n.startswith("start_")}
    assert probed(outcome) == expected.keys() - unseen
    for name in sorted(expected.keys() - unseen):
        # Before batch norm a bias has no gradient but for rounding.
        noise = 2e-6 if name.endswith((".linear.bias", ".convolution.bias")) else 1e-12
        assert outcome.curve("t", name) == pytest.approx(expected[name], rel=2e-3, abs=noise), name


@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_activations_are_measured_on_the_rows_that_are_asked_for(
    train: Train, digits: Preparation, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setattr(training, "built_in_engine", lambda spec, stack, device: ENGINES[engine](spec, stack))
    settings = {"model": CNN if "modules" in engine else MODEL, "epochs": 1}
    asking = plan("t", probes={"activation_rows": "validation"}, **settings)
    outcome, other = train(asking), train(plan("t", **settings))
    prepared = digits.prepare(asking.experiment.data, 0)
    network = Network(architecture(asking.experiment.model, 64, 10, digits.dataset.shape))
    load_tensors(network, outcome.ended["t"].final)
    kept: dict[str, Tensor] = {}
    watched(network, kept)
    with torch.no_grad():
        network.eval()(torch.from_numpy(prepared.x)[probe_rows(prepared.split.validation)])
    for name, out in kept.items():
        found = outcome.curve("t", f"activation_var/{name}")
        assert found == pytest.approx([out.var(correction=0).item()], rel=1e-4)
        assert found != pytest.approx(other.curve("t", f"activation_var/{name}"), rel=1e-4)


def test_the_squares_of_the_tensors_norms_add_up_to_those_of_the_whole(train: Train) -> None:
    outcome = train(plan("t", model=MODEL, epochs=1, penalty={"kind": "l2", "weight": 0.01}))
    names = list(outcome.ended["t"].final)
    parameters = [name for name in names if "running" not in name]
    squares = sum(outcome.curve("t", f"weight_norm/{name}") ** 2 for name in parameters)
    assert np.sqrt(squares) == pytest.approx(outcome.curve("t", "weight_norm"))


@pytest.mark.parametrize("engine", ["compiled", "modules"])
def test_units_are_compared_by_the_weights_into_them_and_out_of_them(
    train: Train, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setattr(training, "built_in_engine", lambda spec, stack, device: ENGINES[engine](spec, stack))
    model = CNN if engine == "modules" else MODEL
    asking = [plan(f"{seed}", seed=seed, model=model, epochs=1, probes={"units": True}) for seed in (0, 1)]
    outcome = train(*asking)
    for own in ("0", "1"):
        matrices = {n: torch.from_numpy(w) for n, w in outcome.ended[own].final.items() if w.ndim > 1}
        assert "head.weight" in matrices
        for name, weight in matrices.items():
            for axis, over in enumerate(("outputs", "inputs")):
                expected = weight.double().var(dim=axis, correction=0).mean().sqrt().item()
                assert outcome.curve(own, f"std_over_{over}/{name}") == pytest.approx([expected])
    assert train(asking[1]).curve("1", "std_over_inputs/head.weight") == pytest.approx(
        outcome.curve("1", "std_over_inputs/head.weight"), rel=0, abs=0
    )


def test_units_that_start_alike_stay_alike_and_others_do_not(train: Train) -> None:
    alike = {"kind": "mlp", "hidden": [8], "init": {"kind": "constant", "value": 0.1}}
    for model, same in ((alike, True), ({"kind": "mlp", "hidden": [8]}, False)):
        outcome = train(plan("t", model=model, probes={"units": True}))
        for name in ("std_over_outputs/hidden.0.linear.weight", "std_over_inputs/head.weight"):
            assert (outcome.curve("t", name) < 1e-6).all() == same, name


def test_a_unit_that_never_fires_is_dead_and_a_healthy_layer_has_none(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = training.starting_stack

    def killed(*arguments: Any) -> Any:
        stack = made(*arguments)
        (bias,) = (t for t in stack.architecture.parameters if t.name == "hidden.0.linear.bias")
        stack.parameters[1, bias.offset : bias.offset + 4] = -100
        return stack

    monkeypatch.setattr(training, "starting_stack", killed)
    outcome = train(plan("a"), plan("b"))
    assert outcome.curve("a", "dead/hidden.0").tolist() == [0, 0]
    assert outcome.curve("b", "dead/hidden.0").tolist() == [4 / 16, 4 / 16]
    assert (outcome.curve("b", "zeros/hidden.0") >= 4 / 16).all()


def test_probes_alone_and_among_many_are_equal_bit_for_bit(train: Train) -> None:
    own = plan("own", seed=1, model=MODEL | {"dropout": 0.2})
    others = [plan(f"o{i}", seed=i % 2, model=MODEL | {"dropout": i / 10}) for i in range(5)]
    alone, among = train(own), train(*others[:2], own, *others[2:])
    names = probed(alone)
    assert {name.partition("/")[0] for name in names} == FAMILIES.keys() - {"std", *ON_REQUEST}
    for name in names:
        assert np.array_equal(alone.curve("own", name), among.curve("own", name)), name


OPTIMIZERS: list[dict[str, Any]] = [
    {"kind": "sgd", "lr": 0.05, "momentum": 0.9, "biases": {"lr": 0.01}},
    {"kind": "adam", "lr": 0.01},
    {"kind": "rmsprop", "lr": 0.01, "centered": True, "momentum": 0.5},
    {"kind": "adagrad", "lr": 0.01},
]


@pytest.mark.parametrize("engine", ["compiled", "modules"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda own: own["kind"])
def test_probes_change_no_bit_of_what_is_trained(
    train: Train, monkeypatch: pytest.MonkeyPatch, optimizer: dict[str, Any], engine: str
) -> None:
    monkeypatch.setattr(training, "built_in_engine", lambda spec, stack, device: ENGINES[engine](spec, stack))
    # The first tensor is larger than a block, and the measured update goes block by block.
    settings: dict[str, Any] = {"model": {"kind": "mlp", "hidden": [70]}, "optimizer": optimizer, "epochs": 1}
    assert BLOCK < 64 * 70
    probed, plain = train(plan("t", **settings)), train(plan("t", probes={"layers": False}, **settings))
    for name, value in plain.ended["t"].final.items():
        assert np.array_equal(value, probed.ended["t"].final[name]), name
    for name in ("grad_norm", "weight_norm"):
        assert np.array_equal(plain.curve("t", name), probed.curve("t", name)), name


def test_a_linear_model_has_no_hidden_layers(train: Train) -> None:
    names = probed(train(plan("t", model={"kind": "linear"})))
    assert not any(name.partition("/")[0] in OF_LAYERS for name in names)
    assert "grad_norm/head.weight" in names


@pytest.mark.parametrize("engine", ["compiled", "tensors"])
def test_an_activation_of_the_output_is_no_hidden_layer(
    train: Train, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setattr(training, "built_in_engine", lambda spec, stack, device: ENGINES[engine](spec, stack))
    model = {"kind": "mlp", "hidden": [12, 12], "residual": True, "output": ["relu"]}
    names = probed(train(plan("t", model=model, loss="mse", epochs=1)))
    assert {n for n in names if n.startswith("dead/")} == {"dead/hidden.0", "dead/hidden.1"}


def test_rows_are_spread_over_the_whole_slice() -> None:
    assert PROBE_ROWS <= EVALUATION_ROWS
    rows = probe_rows(np.arange(10_000))
    assert len(rows) == 250
    assert rows[-1] > 9_900
    assert len(probe_rows(np.arange(100))) == 100
