"""The store: what is recorded is read back, by whoever opens the folder next."""

import re

import numpy as np
import pytest
from sqlalchemy import func, select

from ceteris.errors import CeterisError
from ceteris.records.entries import EndedTrial
from ceteris.records.schema import epochs
from ceteris.records.store import Store
from ceteris.records.views import RunRecord, TrialRecord

from .plans import (
    FACTS,
    METRICS,
    NUMERICS,
    STUDY,
    VERSIONS,
    ended,
    finished_run,
    new_run,
    numbers,
    plan_one,
    planned,
    record_epochs,
)

IDENTITIES = [trial.identity for trial in planned()]


def by_identity(record: RunRecord) -> dict[str, TrialRecord]:
    return {trial.identity: trial for trial in record.trials}


def rows_of_epochs(store: Store) -> int:
    with store._database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(epochs)).scalar_one())


# -- a new run -------------------------------------------------------------------------------------


def test_new_run_is_read_back_whole(store: Store) -> None:
    run = new_run(store)
    record = store.load_run(run)
    assert record.id == run
    assert re.fullmatch(r"\d{8}-\d{6}-learning-rate-[0-9a-f]{4}", run)
    assert (record.title, record.study_name, record.device) == (STUDY["title"], "digits/learning-rate", "cpu")
    assert (record.study, record.facts, record.versions, record.numerics) == (
        STUDY,
        FACTS,
        VERSIONS,
        NUMERICS,
    )
    assert (record.status, record.seconds, record.looks, record.first_seeds) == ("stopped", 0.0, 0, 2)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", record.created)
    assert record.folder == store.folder / run
    assert store.report_path(run) == record.folder / "report.html"


def test_planned_trials_are_pending_and_in_order(store: Store) -> None:
    record = store.load_run(new_run(store))
    for trial, plan in zip(record.trials, planned(), strict=True):
        assert (trial.identity, trial.level, trial.seed, trial.fold) == (
            plan.identity,
            plan.level,
            plan.seed,
            plan.fold,
        )
        assert (trial.coordinates, trial.experiment) == (plan.coordinates, plan.experiment)
        assert (trial.status, trial.diverged_step, trial.seconds, dict(trial.curves)) == (
            "pending",
            None,
            0,
            {},
        )


def test_seeds_of_any_size(store: Store) -> None:
    trials = [plan_one(0.1, seed) for seed in (0, 2**63, 2**64 - 1, 2**200)]
    record = store.load_run(new_run(store, trials))
    assert [trial.seed for trial in record.trials] == [0, 2**63, 2**64 - 1, 2**200]


def test_factors_keep_their_order(store: Store) -> None:
    plan = plan_one(0.1, 0)
    both = {"width": "16", "optimizer.lr": "0.1"}
    run = new_run(store, [type(plan)(plan.identity, "x", both, 0, 0, plan.experiment)])
    assert list(store.load_run(run).trials[0].coordinates) == ["width", "optimizer.lr"]


def test_ids_of_one_second_differ_and_last_is_the_newest(store: Store) -> None:
    made = [new_run(store) for _ in range(20)]
    assert len(set(made)) == 20
    assert [line.id for line in store.list_runs()] == made[::-1]
    assert store.load_run("last").id == made[-1]


def test_levels_that_are_one_trial_are_refused(store: Store) -> None:
    plan = plan_one(0.1, 0)
    twin = type(plan)(plan.identity, "1e-1", {"optimizer.lr": "1e-1"}, 0, 0, plan.experiment)
    with pytest.raises(CeterisError) as error:
        new_run(store, [plan, twin])
    assert str(error.value) == (
        "level `0.1` (seed 0, fold 0) and level `1e-1` (seed 0, fold 0) are one and the same trial: "
        "their resolved experiments are equal; remove one of them"
    )
    assert store.list_runs() == ()


def test_trial_planned_twice_is_refused(store: Store) -> None:
    with pytest.raises(CeterisError, match=r"the trial of level `0.1`, seed 0, fold 0 is planned twice"):
        new_run(store, [plan_one(0.1, 0), plan_one(0.1, 0)])


# -- writing ---------------------------------------------------------------------------------------


def test_finished_run(store: Store) -> None:
    record = store.load_run(finished_run(store))
    assert (record.status, record.seconds) == ("finished", 6.0)
    for trial in record.trials:
        assert (trial.status, trial.seconds, trial.diverged_step) == ("finished", 1.5, None)
        expected = np.array([numbers(trial.identity, epoch) for epoch in range(3)])
        assert tuple(trial.curves) == METRICS
        np.testing.assert_array_equal(np.array(list(trial.curves.values())), expected.T)
    assert rows_of_epochs(store) == 0


def test_curves_are_read_while_a_trial_runs(store: Store) -> None:
    run = new_run(store)
    store.begin(run)
    store.mark_running(run, IDENTITIES[:2])
    record_epochs(store, run, IDENTITIES[:2], 2)
    with Store(store.folder, create=False) as other:
        record = other.load_run(run)
    assert record.status == "running"
    assert [trial.status for trial in record.trials] == ["running", "running", "pending", "pending"]
    assert [len(trial.curves) for trial in record.trials] == [3, 3, 0, 0]
    assert record.trials[0].curves["val_loss"][1] == numbers(IDENTITIES[0], 1)[1]


def test_epochs_of_cohorts_with_other_metrics(store: Store) -> None:
    run = new_run(store)
    store.begin(run)
    store.record_epoch(run, 0, ["a"], {IDENTITIES[0]: np.array([1.0])})
    store.record_epoch(run, 0, ["a", "b"], {IDENTITIES[1]: np.array([2.0, 3.0])})
    store.record_epoch(run, 1, ["b"], {IDENTITIES[0]: np.array([4.0])})
    trials = by_identity(store.load_run(run))
    np.testing.assert_array_equal(trials[IDENTITIES[0]].curves["a"], [1, np.nan])
    np.testing.assert_array_equal(trials[IDENTITIES[0]].curves["b"], [np.nan, 4])
    np.testing.assert_array_equal(trials[IDENTITIES[1]].curves["b"], [3])


def test_epochs_reported_together_read_like_epochs_reported_one_by_one(store: Store) -> None:
    run = new_run(store)
    store.begin(run)
    record_epochs(store, run, IDENTITIES[:1], 7)
    for first, count in ((0, 4), (4, 1), (5, 2)):
        block = np.stack([numbers(IDENTITIES[0], epoch) for epoch in range(first, first + count)], axis=1)
        store.record_epochs(run, first, METRICS, {IDENTITIES[1]: block})
    assert rows_of_epochs(store) == 7 + 3
    for end in (False, True):
        if end:
            store.end_trials(run, [ended(name) for name in IDENTITIES[:2]])
        trials = by_identity(store.load_run(run))
        assert {k: list(v) for k, v in trials[IDENTITIES[1]].curves.items()} == {
            k: list(v) for k, v in trials[IDENTITIES[0]].curves.items()
        }


def test_the_plan_of_the_last_training_is_kept_beside_the_facts(store: Store) -> None:
    run = new_run(store)
    for workers in (1, 2):
        store.note_plan(run, {"workers": workers, "memory_bytes": None})
    assert store.load_run(run).facts == {**FACTS, "plan": {"workers": 2, "memory_bytes": None}}


def test_a_restart_in_the_middle_of_epochs_that_were_reported_together(store: Store) -> None:
    run = new_run(store)
    store.begin(run)
    for first in (0, 4):
        block = np.stack([numbers(IDENTITIES[0], epoch) for epoch in range(first, first + 4)], axis=1)
        store.record_epochs(run, first, METRICS, dict.fromkeys(IDENTITIES[:3], block))
    store.restart_trials(run, IDENTITIES[:3], {IDENTITIES[0]: 6, IDENTITIES[1]: 4})
    expected = [numbers(IDENTITIES[0], epoch)[1] for epoch in range(8)]
    trials = by_identity(store.load_run(run))
    assert list(trials[IDENTITIES[0]].curves["val_loss"]) == expected[:6]
    assert list(trials[IDENTITIES[1]].curves["val_loss"]) == expected[:4]
    assert trials[IDENTITIES[2]].curves == {}


def test_epoch_that_is_there_stays(store: Store) -> None:
    run = new_run(store)
    store.begin(run)
    record_epochs(store, run, IDENTITIES, 2)
    other = {name: numbers(name, 77) for name in IDENTITIES}
    store.record_epoch(run, 1, METRICS, other)
    store.end_trials(run, [ended(IDENTITIES[0])])
    store.record_epoch(run, 1, METRICS, other)
    store.record_epoch(run, 2, METRICS, {IDENTITIES[0]: numbers(IDENTITIES[0], 2)})
    for trial in store.load_run(run).trials:
        assert list(trial.curves["val_loss"]) == [numbers(trial.identity, epoch)[1] for epoch in (0, 1)]
    assert rows_of_epochs(store) == 2 * 3


def test_epoch_of_an_unknown_trial_records_nothing(store: Store) -> None:
    run = new_run(store)
    store.begin(run)
    wrong = IDENTITIES[0][:-1] + "z"
    with pytest.raises(CeterisError) as error:
        store.record_epoch(
            run, 0, METRICS, {IDENTITIES[0]: numbers("00000000", 0), wrong: numbers("00000000", 0)}
        )
    assert str(error.value) == (
        f"there is no trial `{wrong}` in this run of 4 trials; did you mean `{IDENTITIES[0]}`?"
    )
    assert rows_of_epochs(store) == 0


def test_numbers_that_do_not_fit_the_names(store: Store) -> None:
    run = new_run(store)
    store.begin(run)
    with pytest.raises(ValueError, match=r"an epoch has 3 metrics, and a trial gave numbers of shape \(2,\)"):
        store.record_epoch(run, 0, METRICS, {IDENTITIES[0]: np.zeros(2)})


def test_nothing_to_record(store: Store) -> None:
    run = new_run(store, [])
    store.begin(run)
    store.mark_running(run, [])
    store.record_epoch(run, 0, METRICS, {})
    store.end_trials(run, [])
    store.restart_trials(run, [])
    store.finish(run, "finished", 0.0)
    assert store.load_run(run).trials == ()


def test_diverged_trial(store: Store) -> None:
    run = new_run(store)
    store.begin(run)
    broken = {name: np.full(len(METRICS), np.nan) for name in IDENTITIES[:1]}
    store.record_epoch(run, 0, METRICS, broken)
    store.end_trials(run, [EndedTrial(IDENTITIES[0], "diverged", 17, 0.2)])
    trial = store.load_run(run).trials[0]
    assert (trial.status, trial.diverged_step) == ("diverged", 17)
    assert np.isnan(trial.curves["val_loss"]).all()
    (line,) = store.list_runs()
    assert (line.trials, line.finished, line.diverged) == (4, 0, 1)


def test_trial_that_ended_stays_as_it_was(store: Store) -> None:
    run = finished_run(store)
    before = store.load_run(run)
    store.begin(run)
    store.mark_running(run, IDENTITIES)
    store.restart_trials(run, IDENTITIES)
    store.end_trials(run, [EndedTrial(IDENTITIES[0], "diverged", 1, 9.0, {}, {"w": np.zeros(1)})])
    after = store.load_run(run)
    assert [trial.status for trial in after.trials] == ["finished"] * 4
    assert after.trials[0].seconds == before.trials[0].seconds
    assert set(store.load_weights(run, IDENTITIES[0])) == {"hidden.0.weight", "hidden.0.bias"}


def test_restart_drops_what_unfinished_trials_had_reached(store: Store) -> None:
    run = new_run(store)
    store.begin(run)
    store.mark_running(run, IDENTITIES)
    record_epochs(store, run, IDENTITIES, 2)
    store.end_trials(run, [ended(IDENTITIES[0])])
    store.restart_trials(run, IDENTITIES[:2])
    trials = store.load_run(run).trials
    assert [trial.status for trial in trials] == ["finished", "pending", "running", "running"]
    assert [len(trial.curves.get("val_loss", ())) for trial in trials] == [2, 0, 2, 2]


def test_many_trials_at_once(store: Store) -> None:
    trials = planned(levels=[level / 1000 for level in range(250)], seeds=range(5))
    names = [trial.identity for trial in trials]
    run = new_run(store, trials)
    store.begin(run)
    store.mark_running(run, names)
    record_epochs(store, run, names, 2)
    store.end_trials(run, [EndedTrial(name, "finished", None, 0.1) for name in names])
    record = store.load_run(run)
    assert all(trial.status == "finished" and len(trial.curves["val_loss"]) == 2 for trial in record.trials)
    assert rows_of_epochs(store) == 0
