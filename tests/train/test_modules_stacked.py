"""Modules stacked through ``torch.func`` against the same modules one after another (on the processor)."""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.data.preparation import Preparation
from ceteris.errors import CeterisError
from ceteris.nets.architecture import Architecture, architecture
from ceteris.nets.stacked import StackedNetwork, initial_stack
from ceteris.spec.experiment import Experiment
from ceteris.spec.model import ModuleModel
from ceteris.train.engine import Feed, StackSpec
from ceteris.train.hyper import LR, hyper_vectors
from ceteris.train.modules.engine import ModuleEngine
from ceteris.train.modules.stacked import StackedModuleEngine
from ceteris.train.modules.user import initial_modules, inspect_module
from ceteris.train.plan import ModuleRequest
from ceteris.train.streams import epoch_order, place_keys

from .digit_stacks import stack_spec
from .test_modules_user import Small

SEED, STEPS, MEMBERS = 4, 10, 3
CNN = {"kind": "cnn", "convolutions": [4, 6], "hidden": [12], "batch_norm": True}


def spec_for(
    net: Architecture, models: list[dict[str, Any]], stack: StackedNetwork, digits: Preparation
) -> tuple[StackSpec, Any]:
    experiments = tuple(
        Experiment(
            data="digits", model=model, optimizer={"kind": "sgd", "lr": 0.01 * (i + 1), "momentum": 0.9}
        )
        for i, model in enumerate(models)
    )
    own = digits.prepare(experiments[0].data, SEED)
    places = [("dropout", "hidden.0")] if stack.rates.shape[1] else []
    keys = np.stack([place_keys(SEED, places)] * len(models))
    feed = Feed(own.x, own.y, np.arange(len(models)))
    spec = stack_spec(net, stack, experiments, [feed], STEPS, keys=keys)
    return spec, own


def cnn_stack(models: list[dict[str, Any]]) -> tuple[Architecture, StackedNetwork]:
    specs = [Experiment(data="digits", model=model).model for model in models]
    net = architecture(specs[0], 64, 10, (8, 8))
    return net, initial_stack(net, specs, [SEED] * len(specs))


def user_stack(factory: type[nn.Module], model: ModuleModel) -> tuple[Architecture, StackedNetwork]:
    net = inspect_module(ModuleRequest(model, (8, 8), 10, classes=True), factory)
    return net, initial_modules(net, {model.name: factory}, [model] * MEMBERS, [SEED] * MEMBERS)


def trained(engine: Any, spec: StackSpec, own: Any) -> Any:
    everyone = np.ones(len(spec.experiments), dtype=np.bool_)
    order = epoch_order(SEED, 0, own.split.train, 0)
    engine.begin_epoch(0, [order], hyper_vectors(spec.optimizers)[:, :, LR, None])
    engine.run_steps(0, STEPS, everyone)
    return engine.evaluate([own.split.validation], everyone, keep_outputs=False)[0]


def compare(make_stack: Any, models: list[dict[str, Any]], digits: Preparation) -> StackedModuleEngine:
    net, stack = make_stack()
    spec, own = spec_for(net, models, stack, digits)
    apart, (_, second) = ModuleEngine(spec, stack), make_stack()
    together = StackedModuleEngine(spec, second, "cpu")
    expected, found = trained(apart, spec, own), trained(together, spec, own)
    np.testing.assert_allclose(together.parameters(), apart.parameters(), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(together.buffers(), apart.buffers(), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    return together


def test_stacked_cnns_equal_those_one_after_another(digits: Preparation) -> None:
    models = [CNN | {"dropout": rate} for rate in (0.0, 0.3, 0.6)]
    assert compare(lambda: cnn_stack(models), models, digits).reason == ""


def test_stacked_modules_of_the_users_equal_those_one_after_another(digits: Preparation) -> None:
    model = ModuleModel(name="Small", arguments={"dropout": 0.3})
    models = [model.model_dump()] * MEMBERS
    assert compare(lambda: user_stack(Small, model), models, digits).reason == ""


class Random(Small):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(nn.functional.dropout(x, 0.1, self.training))


class Branching(Small):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(-x if x.mean().item() < 0 else x)


@pytest.mark.parametrize("factory", [Random, Branching])
def test_what_does_not_vectorise_runs_one_after_another_with_the_reason(
    factory: type[nn.Module], digits: Preparation
) -> None:
    model = ModuleModel(name="Own")
    together = compare(lambda: user_stack(factory, model), [model.model_dump()] * MEMBERS, digits)
    assert together.reason.startswith("RuntimeError: vmap")


class Drawing(Small):
    """Scales its inputs by what it draws from a generator of its own, which ``vmap`` does not see."""

    generator: Any
    draw: Callable[[Any], float]

    def __init__(self) -> None:
        super().__init__()
        self.own = deepcopy(type(self).generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x * (1 + type(self).draw(self.own)) if self.training else x)


@pytest.mark.parametrize(
    ("generator", "draw"),
    [
        (np.random.default_rng(0), lambda own: float(own.random())),
        (np.random.RandomState(0), lambda own: float(own.rand())),
        (random.Random(0), lambda own: own.random()),
    ],
    ids=["Generator", "RandomState", "Random"],
)
def test_what_draws_from_a_generator_of_its_own_runs_one_after_another(
    generator: Any, draw: Callable[[Any], float], digits: Preparation
) -> None:
    factory = type("Own", (Drawing,), {"generator": generator, "draw": staticmethod(draw)})
    model = ModuleModel(name="Own")
    together = compare(lambda: user_stack(factory, model), [model.model_dump()] * MEMBERS, digits)
    assert together.reason == "it draws from the generator in the attribute `own`"


class DrawingTensors(Small):
    """Draws tensors from a generator of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.own = torch.Generator().manual_seed(0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x * torch.rand(1, generator=self.own))


def test_what_draws_tensors_from_a_generator_of_its_own_runs_one_after_another(digits: Preparation) -> None:
    model = ModuleModel(name="Own")
    together = compare(lambda: user_stack(DrawingTensors, model), [model.model_dump()] * MEMBERS, digits)
    assert together.reason.startswith("RuntimeError: vmap")


class Averaging(Small):
    """Follows the mean of its inputs in a buffer, by a new tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * x.mean()
        return super().forward(x)


class Switching(Small):
    """Has two layers at its end, of which the data chooses one."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(10, 10), nn.Linear(10, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.first if x.std().item() < 0.45 else self.second)(super().forward(x))


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        (Averaging, "`Own` puts a new tensor in the place of its buffer `mean`, which is lost on a device"),
        (Switching, "which parameters of `Own` take part changes from step to step"),
    ],
)
def test_what_would_be_lost_on_a_device_is_refused(
    factory: type[nn.Module], words: str, digits: Preparation
) -> None:
    model = ModuleModel(name="Own")
    net, stack = user_stack(factory, model)
    spec, own = spec_for(net, [model.model_dump()] * MEMBERS, stack, digits)
    trained(ModuleEngine(spec, stack), spec, own)
    with pytest.raises(CeterisError, match=words):
        trained(StackedModuleEngine(spec, user_stack(factory, model)[1], "cpu"), spec, own)
