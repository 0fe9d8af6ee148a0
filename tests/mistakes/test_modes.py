"""Mistake 2 of the catalogue: training mode that an evaluation ends for good.

From the second batch on, batch norm would then normalise by what it remembers instead of by the batch. Every
engine is held to a plain loop that sets the mode again, and the same loop with the mistake ends elsewhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.data import Preparation, load
from ceteris.lab.scratch_engine import ScratchEngine
from ceteris.nets.stacked import initial_stack
from ceteris.spec.model import ModuleModel
from ceteris.train.loop import train_cohort
from ceteris.train.modules.stacked import StackedModuleEngine
from ceteris.train.modules.user import initial_modules, inspect_module
from ceteris.train.plan import ModuleRequest, TrialPlan, group_trials, module_key, network
from ceteris.train.streams import epoch_order
from ceteris.train.tensor.engine import TensorEngine
from tests.train.runs import Outcome, plan

EPOCHS, SIZE, LR = 3, 64, 0.05
BUILT_IN: dict[str, dict[str, Any]] = {
    "mlp": {"kind": "mlp", "hidden": [8], "batch_norm": True},
    "cnn": {"kind": "cnn", "convolutions": [3], "hidden": [6], "batch_norm": True},
}


class Own(nn.Module):
    """A network as users write them, with batch norm inside."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.body(x.flatten(1))
        return outputs


@pytest.fixture(scope="module")
def digits() -> Preparation:
    return Preparation(load("digits"))


def trained(one: TrialPlan, digits: Preparation, engine: Any) -> Outcome:
    """Train a trial by an engine, with its evaluations after every epoch."""
    rows = {one.identity: len(digits.prepare(one.experiment.data, one.seed).split.train)}
    own = {}
    if isinstance(one.experiment.model, ModuleModel):
        request = ModuleRequest(one.experiment.model, (8, 8), 10, classes=True)
        own[module_key(one.experiment, digits.dataset)] = inspect_module(request, Own)
    (cohort,) = group_trials([one], digits.dataset, rows, own)
    outcome = Outcome()
    train_cohort(cohort, digits, modules={"Own": Own}, engine=engine, emit=outcome.messages.append)
    return outcome


def plain_loop(module: nn.Module, one: TrialPlan, digits: Preparation, *, mistaken: bool) -> dict[str, Any]:
    """Train by hand with an evaluation after every batch; return the tensors of its state."""
    own = digits.prepare(one.experiment.data, one.seed)
    x, y = torch.from_numpy(own.x), torch.from_numpy(own.y)
    x = x if isinstance(module, Own) else x.reshape(len(x), -1)
    optimizer = torch.optim.SGD(module.parameters(), lr=LR)
    module.train()
    for epoch in range(EPOCHS):
        for rows in torch.from_numpy(epoch_order(one.seed, 0, own.split.train, epoch)).split(SIZE):
            if not mistaken:
                module.train()
            optimizer.zero_grad()
            nn.functional.cross_entropy(module(x[rows]), y[rows]).backward()
            optimizer.step()
            module.eval()
    return {name: tensor.detach().numpy() for name, tensor in module.state_dict().items()}


ENGINES: dict[str, tuple[str, Any]] = {
    "compiled": ("mlp", None),
    "tensor": ("mlp", TensorEngine),
    "scratch": ("mlp", ScratchEngine),
    "module": ("cnn", None),
    "stacked modules": ("cnn", StackedModuleEngine),
    "module of the user's own": ("own", None),
    "stacked modules of the user's own": ("own", StackedModuleEngine),
}


@pytest.mark.parametrize("name", ENGINES)
def test_batch_norm_trains_on_its_batches_after_every_evaluation(name: str, digits: Preparation) -> None:
    kind, engine = ENGINES[name]
    model = BUILT_IN.get(kind, {"kind": "module", "name": "Own"})
    data = {"source": "digits", "rows": 256}
    sgd = {"kind": "sgd", "lr": LR}
    one = plan(name, 3, data=data, model=model, optimizer=sgd, batch_size=SIZE, epochs=EPOCHS)
    found = trained(one, digits, engine).ended[name].final

    def start() -> nn.Module:
        spec = one.experiment.model
        if not isinstance(spec, ModuleModel):
            return initial_stack(network(one.experiment, digits.dataset, {}), [spec], [3]).member(0)
        net = inspect_module(ModuleRequest(spec, (8, 8), 10, classes=True), Own)
        return initial_modules(net, {"Own": Own}, [spec], [3]).modules[0]

    assert furthest(found, plain_loop(start(), one, digits, mistaken=False)) < 1e-4
    assert furthest(found, plain_loop(start(), one, digits, mistaken=True)) > 1e-2


def furthest(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> float:
    """The largest distance of any number, running means and variances included."""
    names = [name for name in expected if not name.endswith("num_batches_tracked")]
    return max(float(np.abs(found[name] - expected[name]).max()) for name in names)
