"""Steps on the mean gradient of several batches, against a plain torch loop in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ceteris.data.preparation import Preparation
from ceteris.nets.architecture import architecture
from ceteris.nets.stacked import StackedNetwork, initial_stack
from ceteris.spec.experiment import Experiment
from ceteris.train.cpu.engine import CompiledEngine
from ceteris.train.engine import Engine, Feed, StackSpec
from ceteris.train.hyper import LR, hyper_vectors
from ceteris.train.modules.engine import ModuleEngine
from ceteris.train.plan import separating, steps_per_epoch
from ceteris.train.tensor.engine import TensorEngine

from .runs import cohorts, plan, run_plans

ROWS, BATCH, TOGETHER, STEPS, EPOCHS = 150, 16, 3, 4, 2
"""Ten batches: three steps of three, and one of the last batch, which has six rows."""
MLP = {"kind": "mlp", "hidden": [12], "batch_norm": True, "bias": False}
ENGINES = [CompiledEngine, TensorEngine, ModuleEngine]


def experiments(count: int) -> list[Experiment]:
    rates = [0.05, 0.02][:count]
    return [
        Experiment(
            data={"source": "digits"},
            model=MLP,
            optimizer={"kind": "sgd", "lr": lr, "momentum": 0.9, "weight_decay": 1e-3},
            clip={"norm": 1.0},
            accumulate=TOGETHER,
        )
        for lr in rates
    ]


def started(kind: type, own: list[Experiment], x: np.ndarray, y: np.ndarray) -> tuple[Engine, StackedNetwork]:
    net = architecture(own[0].model, 64, 10)
    stack = initial_stack(net, [e.model for e in own], list(range(len(own))), np.float64)
    spec = StackSpec(
        net=net,
        loss="cross_entropy",
        batch_size=BATCH,
        steps=STEPS,
        experiments=tuple(own),
        rates=stack.rates,
        keys=np.zeros((len(own), net.n_slots, 2), np.uint32),
        class_weights=np.ones((len(own), 10)),
        feeds=(Feed(x, y, np.arange(len(own))),),
    )
    return (kind(spec, stack) if kind in (CompiledEngine, ModuleEngine) else kind(spec, stack, "cpu")), stack


def plain_loop(module: nn.Module, experiment: Experiment, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    settings = experiment.optimizer
    optimizer = torch.optim.SGD(
        module.parameters(), lr=settings.lr, momentum=0.9, weight_decay=settings.weight_decay
    )
    batches = list(zip(torch.from_numpy(x).split(BATCH), torch.from_numpy(y).split(BATCH), strict=True))
    for _ in range(EPOCHS):
        for begin in range(0, len(batches), TOGETHER):
            group = batches[begin : begin + TOGETHER]
            optimizer.zero_grad()
            for rows, labels in group:
                (nn.functional.cross_entropy(module(rows), labels) / len(group)).backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimizer.step()
    return torch.cat([p.detach().reshape(-1) for p in module.parameters()]).numpy()


@pytest.mark.parametrize("count", [1, 2], ids=["alone", "stacked"])
@pytest.mark.parametrize("kind", ENGINES)
def test_every_engine_equals_a_plain_loop(digits: Preparation, kind: type, count: int) -> None:
    own = experiments(count)
    x = digits.prepare(own[0].data, 0).x[:ROWS].astype(np.float64)
    y = digits.prepare(own[0].data, 0).y[:ROWS]
    engine, stack = started(kind, own, x, y)
    members = [stack.member(place).train() for place in range(count)]
    rates = hyper_vectors([e.optimizer for e in own])[:, :, LR, None]
    for epoch in range(EPOCHS):
        engine.begin_epoch(epoch, [np.arange(ROWS)], rates)
        engine.run_steps(0, STEPS, np.ones(count, dtype=np.bool_))
    assert engine.totals().rows.tolist() == [ROWS] * count
    for place, (member, experiment) in enumerate(zip(members, own, strict=True)):
        expected = plain_loop(member, experiment, x, y)
        np.testing.assert_allclose(engine.parameters()[place], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("last_batch", "steps"), [("keep", 4), ("drop", 3), ("fill", 4)])
def test_an_epoch_has_a_step_for_every_group_of_batches(last_batch: str, steps: int) -> None:
    assert steps_per_epoch(97, 10, last_batch, 3) == steps


def test_dropped_rows_take_part_in_no_step(digits: Preparation) -> None:
    # One whole batch and a smaller one: dropped, it must not join the first in its step.
    settings = {"batch_size": 1000, "last_batch": "drop"}
    outcome = run_plans([plan("two", accumulate=2, **settings), plan("one", **settings)], digits)
    np.testing.assert_array_equal(outcome.final("two"), outcome.final("one"))


def test_members_are_the_same_bits_alone_and_stacked(digits: Preparation) -> None:
    noisy = {"kind": "mlp", "hidden": [16], "dropout": 0.2, "drop_connect": 0.1}
    plans = [plan(str(seed), seed=seed, accumulate=4, model=noisy) for seed in range(3)]
    together, alone = run_plans(plans, digits), run_plans(plans[:1], digits)
    np.testing.assert_array_equal(together.final("0"), alone.final("0"))
    np.testing.assert_array_equal(together.curve("0", "train_loss"), alone.curve("0", "train_loss"))


def test_what_separates_cohorts_is_named(digits: Preparation) -> None:
    found = cohorts(
        [plan("a"), plan("b", accumulate=2), plan("c", optimizer={"kind": "sgd", "lr": 1})], digits
    )
    assert separating(found) == ("accumulate",)
    assert separating(cohorts([plan("a"), plan("b", batch_size=8, precision="bfloat16")], digits)) == (
        "batch_size",
        "precision",
    )
    assert separating(cohorts([plan("a"), plan("b", seed=1)], digits)) == ()
