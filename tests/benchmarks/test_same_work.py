"""Contestants do the same work: as many steps, and the same score within two points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from benchmarks.contestants import CETERIS, CONTESTANTS, LOOP
from benchmarks.measuring import difference
from benchmarks.task import Outcome, Task, make_task
from benchmarks.workloads import MADE_UP, WORKLOADS, Stack

TOLERANCE = 0.02
SLOW = {"ceteris_study", "jax_scan", "lightning_trainer", "keras_on_torch"}
OTHERS = [
    pytest.param(name, marks=pytest.mark.slow if name in SLOW else (), id=name)
    for name in CONTESTANTS
    if name != LOOP.name
]
pytestmark = pytest.mark.filterwarnings("default")  # what peers warn of is not ours to mend


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Two threads on a busy machine take a hundred times longer for steps as small as these."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def digits() -> Task:
    workload = next(workload for workload in WORKLOADS if workload.source == "digits")
    return make_task(replace(workload, epochs=30), None)


@pytest.fixture(scope="module")
def regression() -> Task:
    workload = next(workload for workload in WORKLOADS if workload.source == MADE_UP)
    return make_task(replace(workload, epochs=40), None)


def train(name: str, task: Task) -> Outcome:
    contestant = CONTESTANTS[name]
    if contestant.missing():
        pytest.skip(f"{' and '.join(contestant.missing())} not installed")
    module = contestant.load()
    if module.unsuited(task):
        pytest.skip(module.unsuited(task))
    return module.train(task)


def over_seeds(name: str, task: Task) -> list[Outcome]:
    return [train(name, replace(task, seeds=(seed,))) for seed in range(2)]


@pytest.fixture(scope="module")
def loop_on_digits(digits: Task) -> list[Outcome]:
    torch.set_num_threads(1)
    return over_seeds(LOOP.name, digits)


@pytest.fixture(scope="module")
def loop_on_numbers(regression: Task) -> list[Outcome]:
    torch.set_num_threads(1)
    return over_seeds(LOOP.name, regression)


def test_the_loop_learns_the_digits(digits: Task, loop_on_digits: list[Outcome]) -> None:
    assert min(outcome.score for outcome in loop_on_digits) > 0.93
    assert [outcome.steps for outcome in loop_on_digits] == [30 * digits.steps_per_epoch] * 2


def test_the_loop_learns_the_numbers(loop_on_numbers: list[Outcome]) -> None:
    assert min(outcome.score for outcome in loop_on_numbers) > 0.9


@pytest.mark.parametrize("name", OTHERS)
def test_all_classify_alike(name: str, digits: Task, loop_on_digits: list[Outcome]) -> None:
    assert difference(over_seeds(name, digits), loop_on_digits, TOLERANCE) == ""


@pytest.mark.parametrize("name", [case for case in OTHERS if "sklearn_sgd" not in case.values])
def test_all_predict_numbers_alike(name: str, regression: Task, loop_on_numbers: list[Outcome]) -> None:
    assert difference(over_seeds(name, regression), loop_on_numbers, TOLERANCE) == ""


def test_sgd_regressor_is_told_apart(regression: Task, loop_on_numbers: list[Outcome]) -> None:
    told = difference(over_seeds("sklearn_sgd", regression), loop_on_numbers, TOLERANCE)
    assert told == "1168 steps per epoch instead of 19"


@pytest.mark.slow
@pytest.mark.parametrize("name", [CETERIS.name, "jax_scan"])
def test_stacks_train_every_member_as_if_alone(
    name: str, digits: Task, loop_on_digits: list[Outcome]
) -> None:
    outcome = train(name, digits.stacked(Stack(2, 3), 0))
    assert (outcome.members, outcome.epochs) == (6, 30)
    assert difference([outcome], loop_on_digits, TOLERANCE) == ""


def test_another_score_is_told(loop_on_digits: list[Outcome]) -> None:
    worse = [replace(outcome, score=0.5) for outcome in loop_on_digits]
    assert difference(worse, loop_on_digits, TOLERANCE).startswith("a score of 50.0 instead of 9")


def test_a_score_that_is_no_number_is_told(loop_on_digits: list[Outcome]) -> None:
    lost = [replace(outcome, score=float("nan")) for outcome in loop_on_digits]
    assert difference(lost, loop_on_digits, TOLERANCE).startswith("a score of nan")


def test_the_made_up_rows_have_the_size_of_the_house_prices(regression: Task) -> None:
    assert regression.train.x.shape == (1168, 331)
    assert regression.validation.x.shape == regression.measured.x.shape == (292, 331)
