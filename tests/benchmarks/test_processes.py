"""Contestants in processes of their own: what comes back, also where something goes wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from benchmarks.contestants import CONTESTANTS, Contestant
from benchmarks.processes import ContestantProcess, Order, Unable
from benchmarks.task import Outcome
from benchmarks.workloads import WORKLOADS, Stack

DIGITS = replace(next(workload for workload in WORKLOADS if workload.source == "digits"), epochs=2)
ORDER = Order(DIGITS, Stack(2, 2), first_seed=0, warm_up=True)
pytestmark = pytest.mark.slow


def test_a_contestant_that_trains_one_member_gets_one_and_more_epochs_where_asked() -> None:
    with ContestantProcess(CONTESTANTS["sklearn_mlp"], None) as process:
        first, longer = process.train(ORDER), process.train(replace(ORDER, epochs=5))
    assert isinstance(first, Outcome)
    assert isinstance(longer, Outcome)
    assert (first.members, first.epochs, longer.epochs) == (1, 2, 5)
    assert longer.score == first.score  # both after the second epoch


def test_what_a_contestant_cannot_train_is_said() -> None:
    with ContestantProcess(CONTESTANTS["sklearn_sgd"], None) as process:
        assert process.train(ORDER) == Unable("it predicts numbers by a linear model alone")


def test_a_failure_is_an_answer_with_its_cause() -> None:
    with ContestantProcess(Contestant("nobody", "Nobody", ()), None) as process:
        answer = process.train(ORDER)
    assert isinstance(answer, Unable)
    assert answer.failed
    assert answer.reason.splitlines()[-1].startswith("ModuleNotFoundError: No module named 'benchmarks")


def test_a_process_that_dies_is_told() -> None:
    with ContestantProcess(CONTESTANTS["sklearn_mlp"], None) as process:
        process._process.kill()
        process._process.join()
        assert process.train(ORDER) == Unable("its process ended with exit code -9", failed=True)
