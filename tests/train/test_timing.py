"""What training takes is added up rightly, told, and sampled; none of it changes a bit."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import numpy as np
import pytest

from ceteris.data.preparation import Preparation
from ceteris.train import timing, training
from ceteris.train.messages import Timed
from ceteris.train.sampling import time_training
from ceteris.train.timing import Spent

from .runs import assert_equal, cohorts, plan, run_plans

AUGMENTED = {"data": {"source": "digits", "augment": {"shift": 1}}}
KINDS: list[dict[str, Any]] = [
    {"model": {"kind": "mlp", "hidden": [12], "dropout": 0.2}, "optimizer": {"kind": "adam", "lr": 0.01}},
    {"model": {"kind": "cnn", "convolutions": [4], "hidden": [8]}},
    {"probes": {"layers": False}, "data": {"source": "digits", "validation": 0}},
    AUGMENTED,
]


def three(settings: dict[str, Any]) -> list[Any]:
    return [plan(f"{seed}", seed=seed, **settings) for seed in range(3)]


def test_times_are_shared_out_among_steps_rows_and_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([(0.0, 0.0), (0.0, 0.0), (4.0, 4.0), (4.0, 4.0), (6.0, 6.0), (7.0, 7.0)])
    monkeypatch.setattr(timing, "moment", lambda: next(clock))
    spent, whole = Spent(), timing.moment()
    spent.end_steps(timing.moment(), steps=40)
    spent.end_rows(timing.moment(), rows=100)
    spent.end_epoch(whole, members=2)
    assert spent.timed(2) == Timed(2, 1, step=0.1, row=0.02, epoch=0.5)
    assert spent.seconds == 7.0


def test_a_thread_that_waits_for_others_counts_their_work(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([(1.0, 4.0), (1.0, 1.5), (3.0, 10.0)])
    monkeypatch.setattr(timing, "moment", lambda: next(clock))
    spent = Spent(threads=2)
    spent.end_steps((0.0, 0.0), steps=1)  # 4 s of two threads, of which this one worked 1
    spent.end_rows((0.0, 0.0), rows=1)  # it worked alone
    spent.end_epoch((0.0, 0.0), members=1)
    assert spent.timed(1) == Timed(1, 2, step=2.0, row=1.0, epoch=1.0)


@pytest.mark.parametrize("settings", KINDS)
@pytest.mark.parametrize("step_seconds", [1e-9, 1e-3, 1e3])
def test_what_a_step_is_thought_to_take_changes_no_bit(
    digits: Preparation, settings: dict[str, Any], step_seconds: float
) -> None:
    plans = three(settings)
    assert_equal(run_plans(plans, digits), run_plans(plans, digits, step_seconds=step_seconds))


@pytest.mark.parametrize("settings", KINDS)
def test_a_sample_changes_no_bit_of_what_is_trained_after_it(
    digits: Preparation, settings: dict[str, Any]
) -> None:
    plans = three(settings)
    before = run_plans(plans, digits)
    (cohort,) = cohorts(plans, digits)
    timed = time_training(cohort, digits, 0.02)
    assert_equal(before, run_plans(plans, digits))
    assert (timed.members, timed.threads) == (3, 1)
    assert min(timed.step, timed.row, timed.epoch) > 0


def test_a_sample_lasts_about_as_long_as_it_should(digits: Preparation) -> None:
    (cohort,) = cohorts(three({"epochs": 100_000}), digits)
    time_training(cohort, digits, 0.0)  # loads the kernels
    begin = time.thread_time()
    time_training(cohort, digits, 0.2)
    assert 0.3 <= time.thread_time() - begin < 0.6


def test_a_sample_foretells_what_training_takes(digits: Preparation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "TOLD_SECONDS", 0.0)
    plans = three({"model": {"kind": "mlp", "hidden": [64]}, "epochs": 30})
    (cohort,) = cohorts(plans, digits)

    def ratios() -> list[float]:
        foretold = time_training(cohort, digits, 0.1)
        told = run_plans(plans, digits).messages[-1]
        assert isinstance(told, Timed)
        assert told.members == 3
        return [foretold.step / told.step, foretold.row / told.row]

    # Medians: on a machine that others use too, a single one may have been disturbed.
    for name, own in zip(("step", "row"), zip(*(ratios() for _ in range(3)), strict=True), strict=True):
        assert 0.4 < median(own) < 2.5, name


def test_short_training_tells_no_times(digits: Preparation) -> None:
    assert not any(isinstance(message, Timed) for message in run_plans(three({}), digits).messages)


def test_times_do_not_count_the_first_epoch_which_may_compile(
    digits: Preparation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow_at_first(self: training.Training, epoch: int) -> None:
        end = time.thread_time() + (1.5 if epoch == 0 else 0.0)
        while time.thread_time() < end:
            pass
        train(self, epoch)

    train = training.Training._train
    monkeypatch.setattr(training.Training, "_train", slow_at_first)
    assert not any(isinstance(message, Timed) for message in run_plans(three({}), digits).messages)
    monkeypatch.setattr(training, "TOLD_SECONDS", 0.0)
    told = run_plans(three({"epochs": 3}), digits).messages[-1]
    assert isinstance(told, Timed)
    assert told.epoch < 0.1


def test_times_do_not_count_what_others_on_the_machine_take(monkeypatch: pytest.MonkeyPatch) -> None:
    spent, begun = Spent(), timing.moment()
    time.sleep(0.2)
    np.ones(1000).sum()
    spent.end_steps(begun, 1)
    assert spent.on_steps < 0.1
