"""Learning rates against torch's schedulers, epoch by epoch and step by step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from ceteris.spec.experiment import Experiment
from ceteris.train.hyper import BIASES, WEIGHTS
from ceteris.train.schedules import Schedules

from . import oracle
from .runs import Train, plan

STEPS = 5


def experiment(schedule: Any, epochs: int = 8, lr: float = 0.1, **settings: Any) -> Experiment:
    optimizer = {"kind": "sgd", "lr": lr, "biases": {"lr": lr / 2}}
    return Experiment(
        data="digits", model="linear", schedule=schedule, epochs=epochs, optimizer=optimizer, **settings
    )


def torch_optimizer(lr: float) -> torch.optim.Optimizer:
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": rate} for rate in (lr, lr / 2)]
    return torch.optim.SGD(groups)


def rates_of(schedules: Schedules, epoch: int, place: int = 0) -> np.ndarray:
    """The rates of weights and biases at every step of an epoch, (2, STEPS)."""
    rates = schedules.rates(epoch)[place, [WEIGHTS, BIASES]]
    return np.broadcast_to(rates, (2, STEPS))


GAMMA = st.floats(0.05, 0.99)
SCHEDULES = st.one_of(
    st.fixed_dictionaries({"kind": st.just("step"), "step_size": st.integers(1, 9), "gamma": GAMMA}),
    st.fixed_dictionaries(
        {
            "kind": st.just("multi_step"),
            "milestones": st.sets(st.integers(1, 9), min_size=1).map(sorted),
            "gamma": GAMMA,
        }
    ),
    st.fixed_dictionaries({"kind": st.just("exponential"), "gamma": GAMMA}),
    st.fixed_dictionaries(
        {"kind": st.just("cosine"), "min_lr": st.floats(0, 0.01)}, optional={"period": st.integers(1, 9)}
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("one_cycle"),
            "pct_start": st.floats(0.1, 0.45),
            "anneal": st.sampled_from(["cos", "linear"]),
            "div_factor": st.floats(1.5, 50),
            "three_phase": st.booleans(),
        }
    ),
)


@settings(max_examples=60)
@given(schedule=SCHEDULES, epochs=st.integers(1, 9), lr=st.floats(1e-4, 1))
@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")
def test_rates_are_those_of_torch(schedule: dict[str, Any], epochs: int, lr: float) -> None:
    one = experiment(schedule, epochs, lr)
    by_step = one.schedule.kind == "one_cycle"
    # Where the rise is over at once torch divides by zero.
    assume(not by_step or schedule["pct_start"] * epochs * STEPS > 1.01)
    optimizing = torch_optimizer(lr)
    reference = oracle.scheduler(one, optimizing, STEPS)
    assert reference is not None
    schedules = Schedules([one], STEPS)
    for epoch in range(epochs):
        ours = rates_of(schedules, epoch)
        for step in range(STEPS):
            theirs = [group["lr"] for group in optimizing.param_groups]
            np.testing.assert_allclose(ours[:, step], theirs, rtol=1e-9)
            if by_step:
                reference.step()
        if not by_step:
            reference.step()


@settings(max_examples=60)
@given(
    schedule=SCHEDULES.filter(lambda own: own["kind"] != "one_cycle"),
    rising=st.integers(1, 4),
    later=st.integers(1, 6),
    start=st.floats(0.01, 1),
)
@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")
def test_a_warm_up_is_torchs_followed_by_any_schedule(
    schedule: dict[str, Any], rising: int, later: int, start: float
) -> None:
    schedules = Schedules(
        [experiment(schedule | {"warmup": rising, "warmup_start": start}, rising + later)], STEPS
    )
    optimizing = torch_optimizer(0.1)
    rise = lr_scheduler.LinearLR(optimizing, start_factor=start, total_iters=rising * STEPS)
    for epoch in range(rising):
        for step in range(STEPS):
            theirs = [group["lr"] for group in optimizing.param_groups]
            np.testing.assert_allclose(rates_of(schedules, epoch)[:, step], theirs, rtol=1e-9)
            rise.step()
    optimizing = torch_optimizer(0.1)
    reference = oracle.scheduler(experiment(schedule, later), optimizing, STEPS)
    assert reference is not None
    for epoch in range(rising, rising + later):
        theirs = [group["lr"] for group in optimizing.param_groups]
        np.testing.assert_allclose(rates_of(schedules, epoch)[:, 0], theirs, rtol=1e-9)
        reference.step()


@settings(max_examples=100)
@given(
    values=st.lists(st.floats(0.01, 2), min_size=1, max_size=30),
    metric=st.sampled_from(["val_loss", "val_accuracy"]),
    settings_=st.fixed_dictionaries(
        {
            "factor": st.floats(0.1, 0.9),
            "patience": st.integers(0, 4),
            "threshold": st.floats(0, 0.3),
            "threshold_mode": st.sampled_from(["rel", "abs"]),
            "cooldown": st.integers(0, 3),
            "min_lr": st.floats(0, 0.05),
        }
    ),
)
def test_plateaus_are_those_of_torch(values: list[float], metric: str, settings_: dict[str, Any]) -> None:
    one = experiment({"kind": "plateau", "metric": metric} | settings_, epochs=len(values))
    optimizing = torch_optimizer(0.1)
    mode = "min" if metric == "val_loss" else "max"
    reference = lr_scheduler.ReduceLROnPlateau(optimizing, mode=mode, **settings_)
    schedules = Schedules([one], STEPS)
    for epoch, value in enumerate(values):
        theirs = [group["lr"] for group in optimizing.param_groups]
        np.testing.assert_allclose(rates_of(schedules, epoch)[:, 0], theirs, rtol=1e-9)
        schedules.watch(epoch, {metric: np.array([value])})
        reference.step(value)


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")
def test_a_warm_up_is_torchs_linear_one_followed_by_the_schedule() -> None:
    schedule = {"kind": "step", "step_size": 2, "gamma": 0.5, "warmup": 2, "warmup_start": 0.2}
    schedules = Schedules([experiment(schedule)], STEPS)
    optimizing = torch_optimizer(0.1)
    rise = lr_scheduler.LinearLR(optimizing, start_factor=0.2, total_iters=2 * STEPS)
    for epoch in range(2):
        for step in range(STEPS):
            theirs = [group["lr"] for group in optimizing.param_groups]
            np.testing.assert_allclose(rates_of(schedules, epoch)[:, step], theirs, rtol=1e-9)
            rise.step()
    later = [rates_of(schedules, epoch)[0, 0] for epoch in range(2, 8)]
    np.testing.assert_allclose(later, [0.1, 0.1, 0.05, 0.05, 0.025, 0.025])


def test_a_warm_up_may_be_a_part_of_an_epoch() -> None:
    schedules = Schedules([experiment({"kind": "constant", "warmup": 0.6, "warmup_start": 0.1})], STEPS)
    np.testing.assert_allclose(rates_of(schedules, 0)[0], [0.01, 0.04, 0.07, 0.1, 0.1])
    np.testing.assert_allclose(rates_of(schedules, 1)[0], 0.1)


def test_a_cosine_reaches_over_what_the_warm_up_leaves() -> None:
    schedules = Schedules([experiment({"kind": "cosine", "warmup": 2}, epochs=6)], STEPS)
    later = [rates_of(schedules, epoch)[0, 0] for epoch in range(2, 6)]
    np.testing.assert_allclose(later, 0.05 * (1 + np.cos(np.pi * np.arange(4) / 4)))


def test_members_keep_to_their_own_schedules() -> None:
    all_of_them = [
        experiment({"kind": "constant"}),
        experiment({"kind": "step", "step_size": 1}),
        experiment({"kind": "one_cycle"}),
        experiment({"kind": "plateau", "patience": 0}),
    ]
    together = Schedules(all_of_them, STEPS)
    alone = [Schedules([one], STEPS) for one in all_of_them]
    for epoch in range(4):
        for place, own in enumerate(alone):
            assert np.array_equal(rates_of(together, epoch, place), rates_of(own, epoch))
            own.watch(epoch, {"val_loss": np.array([1.0])})
        together.watch(epoch, {"val_loss": np.ones(4)})


def test_the_recorded_rate_says_what_the_schedule_did(train: Train) -> None:
    never_better = {"kind": "plateau", "patience": 0, "threshold": 1e9, "threshold_mode": "abs"}
    optimizer = {"kind": "sgd", "lr": 0.1}
    outcome = train(
        plan("constant", epochs=4),
        plan("step", epochs=4, schedule={"kind": "step", "step_size": 2}, optimizer=optimizer),
        plan(
            "plateau",
            epochs=4,
            schedule=never_better,
        ),
        plan("rise", epochs=4, schedule={"kind": "constant", "warmup": 3}),
    )
    np.testing.assert_allclose(outcome.curve("constant", "lr"), 0.1)
    np.testing.assert_allclose(outcome.curve("step", "lr"), [0.1, 0.1, 0.01, 0.01])
    np.testing.assert_allclose(outcome.curve("plateau", "lr"), [0.1, 0.1, 0.01, 0.001], rtol=1e-9)
    rise = outcome.curve("rise", "lr")
    assert rise[0] < rise[1] < rise[2] < rise[3] == 0.1
