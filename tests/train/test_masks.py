"""Dropout and drop-connect as every engine trains with them: share, mean, and masks of two rates nested.

One step on one row shows the mask: a weight moves by the gradient behind it times the number before it, which
is 0 where the unit (or the weight) was dropped and 1 / (1 - p) times as large as without where it was kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import nn

from ceteris.lab.scratch_engine import ScratchEngine
from ceteris.nets.architecture import Architecture, architecture, random_places
from ceteris.nets.stacked import StackedNetwork, initial_stack
from ceteris.spec.experiment import Experiment
from ceteris.spec.model import ModuleModel
from ceteris.train.cpu.engine import CompiledEngine
from ceteris.train.engine import Engine, Feed, StackSpec
from ceteris.train.modules.engine import ModuleEngine
from ceteris.train.modules.stacked import StackedModuleEngine
from ceteris.train.modules.user import initial_modules, inspect_module
from ceteris.train.plan import ModuleRequest
from ceteris.train.streams import place_keys
from ceteris.train.tensor.engine import TensorEngine

INPUTS, UNITS, RATE, SEED = 24, 400, 0.01, 5
RATES = (0.0, 0.2, 0.5, 0.8)
ENGINES: dict[str, Callable[[StackSpec, StackedNetwork], Engine]] = {
    "compiled": CompiledEngine,
    "tensor": lambda spec, stack: TensorEngine(spec, stack, "cpu"),
    "module": ModuleEngine,
    "stacked modules": lambda spec, stack: StackedModuleEngine(spec, stack, "cpu"),
    "scratch": lambda spec, stack: ScratchEngine(spec, stack, "cpu"),
}
IN_FLOAT32 = ("stacked modules", "scratch")
Mask = NDArray[np.floating]


class Own(nn.Module):
    """The same network as a user writes it."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(INPUTS, UNITS), nn.Sigmoid(), nn.Dropout(p), nn.Linear(UNITS, 1))

    def forward(self, x: Any) -> Any:
        return self.body(x)


def one_step(name: str, net: Architecture, stack: StackedNetwork, models: list[Any]) -> tuple[Any, Any]:
    """Do one step on one row; return every member's tensors before and after it, by name."""
    experiments = tuple(
        Experiment(
            data="arrays", model=model, optimizer={"kind": "sgd", "lr": RATE}, loss="mse", batch_size=1
        )
        for model in models
    )
    members = len(models)
    number = stack.parameters.dtype
    spec = StackSpec(
        net=net,
        loss="mse",
        batch_size=1,
        steps=1,
        experiments=experiments,
        rates=stack.rates,
        keys=np.stack([place_keys(SEED, random_places(net))] * members),
        class_weights=np.ones((members, 1)),
        feeds=(Feed(row()[None].astype(number), np.full((1, 1), 9.0, number), np.arange(members)),),
    )
    before = stack.parameters.copy()
    engine = ENGINES[name](spec, stack)
    engine.begin_epoch(3, [np.zeros(1, np.int64)], np.full((members, 3, 1), RATE))
    engine.run_steps(0, 1, np.ones(members, np.bool_))

    def named(parameters: NDArray[np.floating]) -> list[dict[str, NDArray[np.floating]]]:
        return [
            {t.name: own[t.offset : t.offset + t.size].reshape(t.shape) for t in net.parameters}
            for own in parameters.astype(np.float64)
        ]

    return named(before), named(engine.parameters())


def row() -> NDArray[np.float64]:
    return np.random.default_rng(0).uniform(0.5, 1.5, INPUTS)


def built_in(
    models: list[dict[str, Any]], number: Any = np.float64
) -> tuple[Architecture, StackedNetwork, list[Any]]:
    specs = [Experiment(data="arrays", model=model).model for model in models]
    net = architecture(specs[0], INPUTS, 1)
    return net, initial_stack(net, specs, [SEED] * len(specs), number), models


def of_the_users() -> tuple[Architecture, StackedNetwork, list[Any]]:
    models = [ModuleModel(name="Own", arguments={"p": p}) for p in RATES]
    net = inspect_module(ModuleRequest(models[0], (INPUTS,), 1, classes=False), Own)
    return net, initial_modules(net, {"Own": Own}, models, [SEED] * len(models)), models


def dropout_masks(name: str, made: Any, hidden: str, head: str) -> list[Mask]:
    """What every member's hidden units were multiplied by."""
    net, stack, models = made
    masks = []
    for start, end in zip(*one_step(name, net, stack, models), strict=True):
        units = 1 / (1 + np.exp(-start[f"{hidden}.weight"] @ row() - start[f"{hidden}.bias"]))
        moved = end[f"{head}.weight"] - start[f"{head}.weight"]
        masks.append(moved[0] / (end[f"{head}.bias"] - start[f"{head}.bias"]) / units)
    return masks


def check(masks: list[Mask], rounding: float) -> None:
    """Hold masks of the rates above, drawn from the same uniforms, to what is promised of them."""
    for p, mask in zip(RATES, masks, strict=True):
        kept = mask > 0.5
        np.testing.assert_allclose(mask, kept / (1 - p), atol=rounding / (1 - p))
        deviation = 5 * np.sqrt(p * (1 - p) / mask.size)
        assert abs((~kept).mean() - p) <= deviation
        assert abs(mask.mean() - 1) <= deviation / (1 - p) + rounding / (1 - p)
    for fewer, more in zip(masks[1:], masks[:-1], strict=True):
        assert not (fewer[more < 0.5] > 0.5).any(), "what a low rate drops a high rate drops too"


@pytest.mark.parametrize("engine", ENGINES)
def test_dropout_of_built_in_networks(engine: str) -> None:
    model = {"kind": "mlp", "hidden": [UNITS], "activation": "sigmoid"}
    number, rounding = (np.float32, 1e-3) if engine in IN_FLOAT32 else (np.float64, 1e-9)
    made = built_in([model | {"dropout": p} for p in RATES], number)
    check(dropout_masks(engine, made, "hidden.0.linear", "head"), rounding)


@pytest.mark.parametrize("engine", ["module", "stacked modules"])
def test_dropout_of_the_users_networks(engine: str) -> None:
    check(dropout_masks(engine, of_the_users(), "body.0", "body.3"), 1e-3)


@pytest.mark.parametrize("engine", ["compiled", "tensor", "scratch"])
def test_drop_connect(engine: str) -> None:
    model = {"kind": "mlp", "hidden": [UNITS // INPUTS], "activation": "sigmoid"}
    net, stack, models = built_in([model | {"drop_connect": p} for p in RATES])
    masks = []
    for start, end in zip(*one_step(engine, net, stack, models), strict=True):
        name = "hidden.0.linear"
        weight, bias = (end[f"{name}.{own}"] - start[f"{name}.{own}"] for own in ("weight", "bias"))
        masks.append(weight / bias[:, None] / row())
    check(masks, 1e-3 if engine in IN_FLOAT32 else 1e-9)


def test_all_engines_draw_one_mask_for_a_seed() -> None:
    model = {"kind": "mlp", "hidden": [UNITS], "activation": "sigmoid"}
    expected, *others = (
        dropout_masks(
            name, built_in([model | {"dropout": p} for p in RATES], np.float32), "hidden.0.linear", "head"
        )
        for name in ENGINES
    )
    for found in others:
        for mask, own in zip(found, expected, strict=True):
            np.testing.assert_array_equal(mask > 0.5, own > 0.5)
