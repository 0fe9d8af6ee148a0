"""Steps that are recorded once and repeated give the bits of steps that are done one by one."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.data.preparation import Preparation
from ceteris.nets.stacked import StackedNetwork
from ceteris.spec.folds import Folds
from ceteris.spec.model import ModuleModel
from ceteris.train.engine import StackSpec
from ceteris.train.modules.stacked import StackedModuleEngine
from ceteris.train.tensor.engine import TensorEngine
from ceteris.train.tensor.runners import PlainRunner

from .recording import ForbiddenError, Tape, TapeRunner
from .runs import Outcome, plan, run_plans
from .step_cases import CASES, LOWERED, MLP, OF_MODULES, plans_of
from .test_modules_stacked import MEMBERS, spec_for, trained, user_stack
from .test_modules_user import Small


def with_runner(kind: Callable[[], Any], made: list[Any]) -> Callable[..., TensorEngine]:
    def engine(spec: StackSpec, stack: StackedNetwork, device: str) -> TensorEngine:
        made.append(kind())
        engine = StackedModuleEngine if spec.runs_as_module else TensorEngine
        return engine(spec, stack, device, made[-1])

    return engine


def assert_equal(one: Outcome, other: Outcome) -> None:
    assert one.ended.keys() == other.ended.keys()
    for name, ended in one.ended.items():
        assert ended.diverged_step == other.ended[name].diverged_step
        np.testing.assert_array_equal(one.final(name), other.final(name))
    for mine, theirs in zip(one.epochs, other.epochs, strict=True):
        assert mine.names == theirs.names
        for name, row in mine.rows.items():
            np.testing.assert_array_equal(row, theirs.rows[name])


@pytest.mark.parametrize("case", [*CASES, *OF_MODULES, *LOWERED], ids=str)
def test_repeated_steps_have_the_bits_of_steps_one_by_one(digits: Preparation, case: str) -> None:
    plans, made = plans_of((CASES | OF_MODULES | LOWERED)[case]), list[Any]()
    apart = run_plans(plans, digits, engine=with_runner(lambda: PlainRunner("asked for"), []))
    repeated = run_plans(plans, digits, engine=with_runner(TapeRunner, made))
    assert_equal(apart, repeated)
    assert all(runner.repeated > 0 for runner in made)


def test_last_batches_of_different_lengths_are_repeated_too(digits: Preparation) -> None:
    folds, made = Folds(k=4), list[Any]()
    model = MLP | {"batch_norm": True}
    plans = [
        plan(f"f{fold}", fold=fold, folds=folds, model=model, epochs=6, batch_size=64) for fold in range(4)
    ]
    apart = run_plans(plans, digits, engine=with_runner(lambda: PlainRunner("asked for"), []))
    repeated = run_plans(plans, digits, engine=with_runner(TapeRunner, made))
    assert_equal(apart, repeated)
    assert made
    assert all(runner.repeated > 0 for runner in made)


def test_a_recording_notices_a_number_of_pythons_that_changes() -> None:
    total, added = torch.zeros(3), 1.0
    with Tape() as tape:
        total += added
    added = 2.0
    tape.repeat()
    assert total.tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize(
    "step",
    [
        torch.ones(()).item,
        lambda: torch.ones(3)[torch.ones(3) > 0],
        lambda: torch.ones(3).to("meta"),
        lambda: torch.ones(3) + torch.tensor([1.0, 2.0, 3.0]),
        lambda: bool(torch.ones(3).sum() > 0),
    ],
)
def test_what_waits_for_a_device_cannot_be_recorded(step: Callable[[], object]) -> None:
    with pytest.raises(ForbiddenError), Tape():
        step()


class Counting(Small):
    """Counts its batches in Python, which a recorded step would not."""

    batches = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.batches += 1
        return super().forward(x)


class Rolling(Small):
    """Draws from Python's generator."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) * (0.5 + random.random())


@pytest.mark.parametrize(
    ("factory", "reason"),
    [
        (Small, ""),
        (Counting, "a forward pass changes the attribute `batches`"),
        (Rolling, "a forward pass changes Python's `random`"),
    ],
)
def test_modules_that_count_or_draw_in_python_are_not_recorded(
    digits: Preparation, factory: type[nn.Module], reason: str
) -> None:
    model = ModuleModel(name="Own")
    net, stack = user_stack(factory, model)
    spec, own = spec_for(net, [model.model_dump()] * MEMBERS, stack, digits)
    engine = StackedModuleEngine(spec, stack, "cpu", TapeRunner())
    assert engine.not_recorded == reason
    trained(engine, spec, own)
