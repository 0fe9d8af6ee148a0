"""Training from values that are given by name, against plain PyTorch loops from the same values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.data.preparation import Preparation
from ceteris.errors import CeterisError
from ceteris.lab.implementations import engine_factory
from ceteris.spec.model import ModuleModel
from ceteris.train import numerics
from ceteris.train.initial import starting_stack
from ceteris.train.loop import train_cohort
from ceteris.train.modules.user import inspect_module
from ceteris.train.plan import ModuleRequest, group_trials, module_key
from ceteris.train.streams import epoch_order
from ceteris.train.tensor.engine import TensorEngine

from .runs import Outcome, Train, plan

HASH = "a" * 64
MLP = {"kind": "mlp", "hidden": [6], "batch_norm": True}
ROWS = {"source": "digits", "rows": 200}


class Own(nn.Module):
    """One of the user's, with a buffer that is saved."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(64, 6)
        self.norm = nn.BatchNorm1d(6)
        self.last = nn.Linear(6, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.norm(self.first(x))))


def plain() -> nn.Sequential:
    return nn.Sequential(nn.Linear(64, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 10))


NAMES = {
    "mlp": ("hidden.0.linear", "hidden.0.norm", "head"),
    "sequential": ("layers.0", "layers.1", "head"),
    "own": ("first", "norm", "last"),
}
MODELS: dict[str, dict[str, Any]] = {
    "mlp": MLP,
    "sequential": {"kind": "sequential", "layers": [{"linear": 6}, "batch_norm", "relu"]},
    "own": {"kind": "module", "name": "Own", "input": "flat"},
}


def values_for(name: str) -> dict[str, np.ndarray]:
    """Numbers for every parameter and running statistic, by the names of a model."""
    random = np.random.default_rng(7)
    found = {}
    for own, module in zip(NAMES[name], (plain()[0], plain()[1], plain()[3]), strict=True):
        for leaf, tensor in (*module.named_parameters(), *module.named_buffers()):
            if tensor.is_floating_point():
                drawn = random.normal(0, 0.2, tuple(tensor.shape))
                found[f"{own}.{leaf}"] = (np.abs(drawn) if "var" in leaf else drawn).astype(np.float32)
    return found


def loop(name: str, digits: Preparation, seed: int, epochs: int) -> nn.Sequential:
    """The plain loop: the trial's rows in the trial's order, from the same values."""
    network, given = plain(), values_for(name)
    own = digits.prepare(plan("p", data=ROWS).experiment.data, seed)
    with torch.no_grad():
        for place, prefix in zip((0, 1, 3), NAMES[name], strict=True):
            tensors = (*network[place].named_parameters(), *network[place].named_buffers())
            for leaf, tensor in tensors:
                if tensor.is_floating_point():
                    tensor.copy_(torch.from_numpy(given[f"{prefix}.{leaf}"]))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for epoch in range(epochs):
        order = epoch_order(seed, 0, own.split.train, epoch)
        for rows in np.split(order, range(32, len(order), 32)):
            loss = nn.functional.cross_entropy(
                network(torch.from_numpy(own.x[rows])), torch.from_numpy(own.y[rows])
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network


def trained(name: str, digits: Preparation, engine: Callable[..., Any] | None = None) -> Outcome:
    """Train two seeds together from the values."""
    model = MODELS[name] | {"init": {"from": "given.safetensors", "content": HASH}}
    plans = [plan(f"{seed}", seed, data=ROWS, model=model, batch_size=32) for seed in (0, 4)]
    modules = {}
    own = plans[0].experiment.model
    if isinstance(own, ModuleModel):
        request = ModuleRequest(own, (8, 8), 10, True)
        modules = {module_key(plans[0].experiment, digits.dataset): inspect_module(request, Own)}
    rows = {p.identity: len(digits.prepare(p.experiment.data, p.seed).split.train) for p in plans}
    outcome = Outcome()
    numerics.prepare_process()
    try:
        for cohort in group_trials(plans, digits.dataset, rows, modules):
            train_cohort(
                cohort,
                digits,
                emit=outcome.messages.append,
                modules={"Own": Own},
                values={HASH: values_for(name)},
                engine=engine,
            )
    finally:
        torch.set_flush_denormal(False)
    return outcome


ENGINES: dict[str, tuple[str, Callable[..., Any] | None]] = {
    "compiled": ("mlp", None),
    "tensor": ("mlp", TensorEngine),
    "scratch": ("mlp", engine_factory("scratch")),
    "modules": ("sequential", None),
    "own module": ("own", None),
}


@pytest.mark.parametrize("engine", ENGINES)
def test_training_from_given_values_equals_a_plain_loop_from_them(engine: str, digits: Preparation) -> None:
    name, factory = ENGINES[engine]
    outcome = trained(name, digits, factory)
    for seed in (0, 4):
        ended = outcome.ended[f"{seed}"]
        for given, value in values_for(name).items():
            np.testing.assert_array_equal(ended.initial[given], value)
        network = loop(name, digits, seed, 2)
        for place, prefix in zip((0, 1, 3), NAMES[name], strict=True):
            for leaf, tensor in (*network[place].named_parameters(), *network[place].named_buffers()):
                if tensor.is_floating_point():
                    found = ended.final[f"{prefix}.{leaf}"]
                    np.testing.assert_allclose(found, tensor.detach(), atol=2e-5, rtol=2e-4)


def start(digits: Preparation, model: dict[str, Any], **given: Any) -> Any:
    """The stack of one trial as it begins."""
    own = plan("p", data=ROWS, model=model)
    (cohort,) = group_trials([own], digits.dataset, {"p": 160})
    return starting_stack(cohort, **({"code": {}} | given))


def test_what_is_not_taken_is_drawn_as_without_values(digits: Preparation) -> None:
    init = {"from": "given.safetensors", "content": HASH, "only": ["head.weight"], "others": "he"}
    found = start(digits, MLP | {"init": init}, values={HASH: values_for("mlp")}).member(0)
    drawn = start(digits, MLP | {"init": "he"}).member(0)
    np.testing.assert_array_equal(found.head.weight.detach(), values_for("mlp")["head.weight"])
    for name, tensor in drawn.named_parameters():
        if name != "head.weight":
            torch.testing.assert_close(found.get_parameter(name), tensor, atol=0, rtol=0)


def orthogonal(part: nn.Module) -> None:
    if isinstance(part, nn.Linear):
        nn.init.orthogonal_(part.weight)
        nn.init.constant_(part.bias, 0.5)


def test_a_function_changes_what_was_drawn_by_the_seed(digits: Preparation) -> None:
    model = MLP | {"init": {"kind": "own", "name": "orthogonal"}}
    one, again = (start(digits, model, code={"orthogonal": orthogonal}).member(0) for _ in range(2))
    weight = one.hidden[0].linear.weight.detach()
    torch.testing.assert_close(weight @ weight.T, torch.eye(6), atol=1e-5, rtol=0)
    torch.testing.assert_close(weight, again.hidden[0].linear.weight.detach(), atol=0, rtol=0)
    assert (one.head.bias == 0.5).all()

    def broken(part: nn.Module) -> None:
        raise ValueError("no such weight")

    with pytest.raises(CeterisError, match="the initialisation `orthogonal` failed with ValueError: no such"):
        start(digits, model, code={"orthogonal": broken})


def test_without_values_nothing_is_asked_for(train: Train) -> None:
    assert train(plan("t", data=ROWS, epochs=1)).ended["t"].status == "finished"
