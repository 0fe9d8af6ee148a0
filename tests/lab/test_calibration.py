from typing import Any

import pytest

from ceteris.lab.calibration import ROUGH, ROUGH_MODULE, Calibration, kind_of
from ceteris.lab.shards import make_cohorts
from ceteris.train.messages import Timed
from ceteris.train.plan import Cohort
from tests.lab.made import small_trials
from tests.lab.made_times import a_step, calibration_of
from tests.lab.test_shards import DIGITS, cohorts_of

ADAM = {"kind": "adam", "weight_decay": 0.1}


def one(rows: int = 1150, **changes: Any) -> Cohort:
    """Return the cohort of a small study with two levels and two seeds, trained on so many rows."""
    trials = small_trials(**changes)
    read = {trials[0].experiment.data.reading: DIGITS["digits"]}
    (found,) = make_cohorts(trials, read, {trial.identity: rows for trial in trials})
    return found


@pytest.mark.parametrize("changes", [{"epochs": 7}, {"seeds": 5}, {"rows": 500}, {"optimizer": ADAM}])
def test_a_kind_is_one_whatever_the_epochs_seeds_rows_and_rates(changes: dict[str, Any]) -> None:
    assert kind_of(one(**changes), "here") == kind_of(one(), "here")


@pytest.mark.parametrize(
    "changes",
    [
        {"model": {"kind": "mlp", "hidden": [9]}},
        {"model": {"kind": "mlp", "hidden": [8], "dropout": 0.1}},
        {"batch_size": 65},
        {"optimizer": {"kind": "sgd", "lr": 0.1}, "vary": {"optimizer.lr": [0.1]}},
        {"data": {"source": "digits", "augment": {"flip": True}}},
        {"metrics": ["macro_f1"]},
        {"probes": {"layers": False}},
    ],
)
def test_what_changes_the_time_of_a_step_is_another_kind(changes: dict[str, Any]) -> None:
    assert kind_of(one(**changes), "here") != kind_of(one(), "here")
    assert kind_of(one(), "there") != kind_of(one(), "here")


def test_seconds_are_those_of_steps_rows_and_epochs() -> None:
    cohort = one(epochs=3)  # 4 trials of 18 steps
    known = calibration_of([cohort], {0: [Timed(4, 1, step=1.0, row=0.01, epoch=5.0)]}, rows=600)
    assert known.seconds(cohort) == pytest.approx(3 * 4 * (18 + 6 + 5))
    assert known.step_seconds(cohort) == 4.0


def test_between_two_stacks_times_go_by_the_logarithm_of_their_size() -> None:
    cohorts = cohorts_of(small_trials(seeds=8))  # 16 trials
    known = calibration_of(cohorts, {0: [a_step(8.0, 1), a_step(2.0, 16), a_step(9.0, 4, threads=2)]})
    parts = [cohorts[0].shards(16 // size, 2**40)[0] for size in (1, 4, 16)]
    assert [known.timed(part) for part in parts] == [a_step(8.0), a_step(pytest.approx(4.0)), a_step(2.0, 16)]
    assert known.timed(cohorts[0], threads=2) == a_step(9.0, 4, threads=2)
    assert known.timed(cohorts[0], threads=3) == known.timed(cohorts[0])


def test_threads_help_no_modules() -> None:
    (cohort,) = cohorts_of(small_trials(precision="bfloat16"))
    known = calibration_of([cohort], {0: [a_step(3.0), a_step(1.0, threads=2)]})
    assert known.timed(cohort, threads=2) == a_step(3.0)


def test_what_is_learnt_counts_as_much_as_all_before() -> None:
    cohort = one()
    known = calibration_of([cohort], {0: [a_step(1.0), a_step(4.0)]})
    assert known.timed(cohort) == a_step(pytest.approx(2.0))
    assert known.new == {kind_of(cohort, "made"): (a_step(pytest.approx(2.0)),)}


def test_kinds_that_are_not_known_are_as_slow_as_those_that_are() -> None:
    trials = small_trials(vary={"model.hidden": [[8], [16]]})
    cohorts = cohorts_of(trials)
    rough = Calibration("made")
    assert rough.seconds(cohorts[0]) == pytest.approx(cohorts[0].work * ROUGH)
    known = calibration_of(cohorts, {1: [a_step(1.0)]})
    known.scale_to(cohorts)
    assert known.seconds(cohorts[0]) / known.seconds(cohorts[1]) == pytest.approx(
        cohorts[0].work / cohorts[1].work
    )
    (module,) = cohorts_of(small_trials(precision="bfloat16"))
    assert rough.seconds(module) == pytest.approx(module.work * ROUGH_MODULE)
