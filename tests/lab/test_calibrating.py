"""What is measured before a run, and that nothing of it reaches a result. The runs start two workers each."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ceteris.lab import calibrating, undertaking
from ceteris.lab.calibrating import samples
from ceteris.lab.calibration import Calibration
from ceteris.lab.calibration_file import calibration_file, read_kinds
from ceteris.lab.datasets import DataPlaces
from ceteris.lab.orders import Calibrated, Gone, Hello, Job, Order, Printed, Report
from ceteris.lab.planning import Room, by_rule
from ceteris.lab.resume import resume_run
from ceteris.lab.run import run_study
from ceteris.records.views import RunRecord
from ceteris.train import training
from ceteris.train.messages import Timed
from ceteris.train.plan import Cohort, TrialPlan
from tests.lab.made import Diary, all_curves, all_weights, load, small_study, small_trials
from tests.lab.made_times import a_step, any_time, calibration_of
from tests.lab.test_shards import cohorts_of

LONG = 10**6
WIDTHS = {"model.hidden": [[40], [8]]}


def jobs_for(
    trials: Sequence[TrialPlan], known: Mapping[int, Sequence[Timed]] | None = None, cores: int = 2
) -> tuple[Job, ...]:
    cohorts = cohorts_of(tuple(trials))
    room = Room(cores, lambda workers: 2**40, on_processor=True)
    calibration = calibration_of(cohorts, known or {})
    return samples(cohorts, calibration, by_rule(cohorts, room, {}), room, DataPlaces(Path("data")))


def test_every_kind_is_trained_alone_and_in_stacks_on_one_thread_and_the_costliest_first() -> None:
    jobs = jobs_for(small_trials(10, vary=WIDTHS, epochs=LONG, metrics=["macro_f1"]))
    assert [(job.cohort.index, len(job.cohort.trials), job.threads) for job in jobs] == [
        *((0, 8, 1), (1, 8, 1)),  # trials of the first 8 seeds
        *((0, 1, 1), (1, 1, 1)),
    ]
    assert [job.number for job in jobs] == [0, 1, 2, 3]
    assert {(job.source, job.folder) for job in jobs} == {("digits", Path("data"))}
    assert all(job.cohort.structure.metrics == () for job in jobs)


def test_stacks_are_no_larger_than_caches_and_modules_are_tried_alone() -> None:
    wide = small_trials(10, vary={"model.hidden": [[4000], [8]]}, epochs=LONG)
    assert {len(job.cohort.trials) for job in jobs_for(wide) if job.cohort.index == 0} == {1}
    modules = small_trials(10, vary=WIDTHS, epochs=LONG, precision="bfloat16")
    assert {(len(job.cohort.trials), job.threads) for job in jobs_for(modules, cores=4)} == {(1, 1)}


def test_threads_are_tried_where_trials_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ceteris.lab.planning.available_cores", lambda: 4)
    few, many = small_trials(3, vary={}, epochs=LONG), small_trials(33, vary={}, epochs=LONG)
    assert {job.threads for job in jobs_for(few, cores=4)} == {1, 2, 4}
    assert {job.threads for job in jobs_for(many, cores=4)} == {1}


def test_nothing_is_measured_where_it_cannot_pay() -> None:
    trials = small_trials(2, vary=WIDTHS, epochs=LONG)
    assert jobs_for(trials)
    assert jobs_for(small_trials(2, vary=WIDTHS)) == ()  # soon over
    assert jobs_for(trials, cores=1) == ()  # no choice
    assert jobs_for(small_trials(4, vary={}, epochs=LONG)) == ()  # one kind, and both cores are busy
    assert jobs_for(small_trials(1, vary={}, epochs=LONG)) == ()
    assert jobs_for(trials, {0: [a_step(1.0)], 1: [a_step(1.0)]}) == ()  # known
    assert {job.cohort.index for job in jobs_for(trials, {0: [a_step(1.0)]})} == {1}


class MadeCrew:
    """A crew whose first worker answers an order with reports that are made up."""

    def __init__(self, *reports: tuple[int, Report] | None) -> None:
        self.ready = (1,)
        self.sent: list[tuple[int, Order]] = []
        self.again: list[tuple[int, Report]] = []
        self._reports = iter(reports)

    def send(self, worker: int, order: Order) -> None:
        self.sent.append((worker, order))

    def next_report(self, timeout: float) -> tuple[int, Report] | None:
        return next(self._reports, None)

    def put_back(self, reports: Sequence[tuple[int, Report]]) -> None:
        self.again += reports


HELLO = Hello(1, "cpu", "cpu", {}, {}, None, {})


@pytest.mark.parametrize("end", ["measured", "gone", "silent", "stopped"])
def test_other_reports_are_put_back_and_a_worker_that_is_gone_or_silent_measured_nothing(
    monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(calibrating, "PATIENCE", 0.3)
    jobs, diary = jobs_for(small_trials(2, vary=WIDTHS, epochs=LONG)), Diary()
    answers = {
        "measured": (1, Calibrated(((1, a_step(0.5)),))),
        "gone": (1, Gone(-9, ())),
        "silent": None,
        "stopped": None,
    }
    crew = MadeCrew(None, (2, HELLO), (1, Printed("a line")), answers[end])
    if end == "stopped":
        diary.stop.request()
    found = calibrating.measure(crew, jobs, diary, diary.stop)  # type: ignore[arg-type]
    assert found == (((jobs[1].cohort, a_step(0.5)),) if end == "measured" else ())
    assert crew.again == ([] if end == "stopped" else [(2, HELLO)])
    assert diary.notes == ([] if end == "stopped" else ["a line"])
    assert [worker for worker, _ in crew.sent] == [1]


def results(folder: Path, record: RunRecord) -> tuple[Any, ...]:
    return all_curves(record), all_weights(folder, record), [t.status for t in record.trials]


@pytest.fixture(scope="module")
def by_the_rule(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    """What a study of two widths comes to by the rule."""
    folder, diary = tmp_path_factory.mktemp("rule"), Diary()
    run = run_study(small_study(WIDTHS, seeds=4), runs_folder=folder, workers=2, listener=diary)
    (plan,) = diary.plans
    assert (plan.chosen_by, plan.seconds) == ("rule", None)
    assert read_kinds(calibration_file()) == {}
    return results(folder, load(folder, run))


@pytest.mark.slow
def test_a_run_measures_says_so_learns_and_gets_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_the_rule: tuple[Any, ...]
) -> None:
    monkeypatch.setenv("CETERIS_CALIBRATION", str(tmp_path / "kinds.json"))
    monkeypatch.setattr(calibrating, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(calibrating, "TOLD_AFTER", 0.0)
    for source in ("measured", "cached"):
        diary = Diary()
        study = small_study(WIDTHS, seeds=4)
        run = run_study(study, runs_folder=tmp_path / source, workers=2, listener=diary)
        record, (plan,) = load(tmp_path / source, run), diary.plans
        assert record.facts["plan"]["chosen_by"] == plan.chosen_by == source
        assert record.facts["plan"]["predicted_seconds"] == pytest.approx(plan.seconds, abs=0.06)
        assert any("calibrating" in note for note in diary.notes) == (source == "measured")
        assert results(tmp_path / source, record) == by_the_rule
        assert len(read_kinds(tmp_path / "kinds.json")) == 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_whatever_times_are_known_the_bits_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_the_rule: tuple[Any, ...], seed: int
) -> None:
    drawn = random.Random(seed)

    def made_up(cohorts: Sequence[Cohort], calibration: Calibration, *_: Any) -> tuple[Job, ...]:
        calibration.take((own, any_time(drawn)) for own in cohorts for _ in range(4))
        return ()

    monkeypatch.setattr(undertaking, "samples", made_up)
    monkeypatch.setattr(undertaking, "keep_kinds", lambda file, new: None)
    diary = Diary()
    run = run_study(small_study(WIDTHS, seeds=4), runs_folder=tmp_path, workers=2, listener=diary)
    assert diary.plans[0].chosen_by == "measured"
    assert results(tmp_path, load(tmp_path, run)) == by_the_rule


@pytest.mark.slow
def test_what_training_took_is_learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CETERIS_CALIBRATION", str(tmp_path / "kinds.json"))
    run_study(small_study(seeds=2, epochs=3000), runs_folder=tmp_path, workers=1)
    (timed,) = read_kinds(tmp_path / "kinds.json").values()
    assert [(own.members, own.threads) for own in timed] == [(4, 1)]
    assert training.TOLD_SECONDS > 0.5


def test_a_stop_while_measuring_trains_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    diary = Diary()

    def stopped(*_: Any) -> tuple[tuple[Cohort, Timed], ...]:
        diary.stop.request()
        return ()

    monkeypatch.setattr(undertaking, "measure", stopped)
    run = run_study(small_study(), runs_folder=tmp_path, workers=1, listener=diary, stop=diary.stop)
    record = load(tmp_path, run)
    assert (record.status, diary.epochs) == ("stopped", [])
    assert {trial.status for trial in record.trials} == {"pending"}
    assert resume_run(run, runs_folder=tmp_path, workers=1) == run
    assert load(tmp_path, run).status == "finished"
