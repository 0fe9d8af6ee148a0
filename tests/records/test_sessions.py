"""Who writes a run: one process at a time; runs are gone on with by others, and found again."""

import time
from pathlib import Path

import pytest
from sqlalchemy import text

from ceteris.errors import CeterisError
from ceteris.records.store import Store

from .plans import (
    finished_run,
    new_run,
    planned,
    record_epochs,
)

IDENTITIES = [trial.identity for trial in planned()]


# -- who writes ------------------------------------------------------------------------------------


def test_writing_before_begin_is_refused(store: Store) -> None:
    run = new_run(store)
    with pytest.raises(CeterisError, match=rf"run {run} has to be begun \(`begin`\) before it is written"):
        record_epochs(store, run, IDENTITIES, 1)


def test_closing_marks_a_run_as_stopped(tmp_path: Path) -> None:
    with Store(tmp_path) as first:
        run = new_run(first)
        first.begin(run)
        first.mark_running(run, IDENTITIES)
        record_epochs(first, run, IDENTITIES, 1)
        assert first.load_run(run).status == "running"
    with Store(tmp_path) as second:
        record = second.load_run(run)
    assert record.status == "stopped"
    assert record.seconds > 0
    assert {trial.status for trial in record.trials} == {"pending"}
    assert {len(trial.curves["val_loss"]) for trial in record.trials} == {1}


def test_run_without_heartbeat_reads_as_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [time.time()]
    monkeypatch.setattr("ceteris.records.store.time.time", lambda: clock[0])
    with Store(tmp_path, stale_after=20) as store:
        run = new_run(store)
        store.begin(run)
        clock[0] += 15
        store.heartbeat(run)
        clock[0] += 15
        assert store.load_run(run).status == "running"
        clock[0] += 10
        assert store.load_run(run).status == "stopped"
        assert store.list_runs()[0].status == "stopped"
        assert store.load_run(run).seconds == pytest.approx(15)


def test_writer_that_was_replaced_cannot_write(tmp_path: Path) -> None:
    with Store(tmp_path) as first, Store(tmp_path) as second:
        run = new_run(first)
        first.begin(run)
        second.begin(run)
        with pytest.raises(CeterisError, match=rf"run {run} is being written by process \d+ on "):
            record_epochs(first, run, IDENTITIES, 1)
        record_epochs(second, run, IDENTITIES, 1)
        second.finish(run, "finished", 1.0)
        with pytest.raises(CeterisError, match=rf"another process has finished run {run} meanwhile"):
            first.heartbeat(run)
    with Store(tmp_path) as third:
        assert third.load_run(run).status == "finished"


def test_run_that_another_process_writes_is_not_taken(store: Store) -> None:
    run = new_run(store)
    store.begin(run)
    with store._database.write() as connection:
        connection.execute(
            text("UPDATE writers SET machine = 'elsewhere pid:[1]', process = 77, token = 'x'")
        )
    with Store(store.folder) as other:
        for attempt in (
            lambda: other.begin(run),
            lambda: other.add_trials(run, planned()),
            lambda: other.restart_trials(run, IDENTITIES),
            lambda: other.note_extension(run, 1, 2),
        ):
            with pytest.raises(CeterisError) as error:
                attempt()
            assert str(error.value) == (
                f"run {run} is being written by process 77 on elsewhere; wait for it or stop it first"
            )


# -- resume and extend -----------------------------------------------------------------------------


def test_resume_adds_its_time(store: Store) -> None:
    run = finished_run(store)
    store.begin(run)
    assert store.load_run(run).status == "running"
    store.finish(run, "stopped", 2.0)
    assert (store.load_run(run).status, store.load_run(run).seconds) == ("stopped", 8.0)


def test_extend_keeps_what_is_there(store: Store) -> None:
    run = finished_run(store)
    store.add_trials(run, planned(seeds=(0, 1, 2)))
    store.note_extension(run, looks=1, first_seeds=2)
    record = store.load_run(run)
    assert [(trial.level, trial.seed, trial.status) for trial in record.trials] == [
        ("0.1", 0, "finished"),
        ("0.1", 1, "finished"),
        ("0.01", 0, "finished"),
        ("0.01", 1, "finished"),
        ("0.1", 2, "pending"),
        ("0.01", 2, "pending"),
    ]
    assert (record.looks, record.first_seeds) == (1, 2)
