"""Readers while others write, and several writers of different runs at once, in real processes."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

from ceteris.records.store import Store

from .plans import METRICS, finished_run, new_run, numbers, planned, record_epochs

SCRIPT = Path(__file__).with_name("writer_process.py")
IDENTITIES = [trial.identity for trial in planned()]
EPOCHS = 15


def start_writer(folder: Path, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), str(folder), name, str(EPOCHS)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_writers_and_a_reader_at_once(tmp_path: Path) -> None:
    Store(tmp_path).close()
    writers = [start_writer(tmp_path, name) for name in ("one", "two")]
    seen: dict[str, int] = {}
    looks = 0
    with Store(tmp_path, create=False) as store:
        while any(writer.poll() is None for writer in writers):
            for line in store.list_runs():
                seen[line.id] = whole_epochs(store, line.id, seen.get(line.id, 0))
                looks += 1
            time.sleep(0.002)
        for writer in writers:
            output, _ = writer.communicate()
            assert writer.returncode == 0
            assert "finished" in output
        assert looks > 5
        for line in store.list_runs():
            assert (line.status, line.finished) == ("finished", 4)
            assert whole_epochs(store, line.id, 0) == EPOCHS * 4


def whole_epochs(store: Store, run: str, before: int) -> int:
    """Check that a reader sees whole transactions only, and never fewer than before."""
    trials = store.load_run(run).trials
    lengths = [len(trial.curves.get("val_loss", ())) for trial in trials]
    # Both trials of a cohort are recorded in one transaction, so nobody sees one ahead of the other.
    assert lengths[0] == lengths[1]
    assert lengths[2] == lengths[3]
    assert trials[0].status == trials[1].status
    for trial, length in zip(trials, lengths, strict=True):
        expected = [numbers(trial.identity, epoch)[1] for epoch in range(length)]
        np.testing.assert_array_equal(trial.curves.get("val_loss", []), expected)
    assert sum(lengths) >= before
    return sum(lengths)


def test_many_processes_open_a_new_folder_at_once(tmp_path: Path) -> None:
    writers = [start_writer(tmp_path / "new", name) for name in ("one", "two", "three")]
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    with Store(tmp_path / "new") as store:
        assert [line.status for line in store.list_runs()] == ["finished"] * 3


def test_reader_with_an_open_transaction_sees_one_moment_and_lets_the_writer_go_on(store: Store) -> None:
    run = new_run(store)
    store.begin(run)
    record_epochs(store, run, IDENTITIES, 1)
    with Store(store.folder) as other:
        with other._database.read() as connection:
            count = "SELECT count(*) FROM epochs"
            assert connection.exec_driver_sql(count).scalar_one() == 4
            writer = threading.Thread(
                target=lambda: store.record_epoch(
                    run, 1, METRICS, {name: numbers(name, 1) for name in IDENTITIES}
                )
            )
            writer.start()
            time.sleep(0.05)
            assert connection.exec_driver_sql(count).scalar_one() == 4
        writer.join(timeout=5)
        assert not writer.is_alive()
        assert len(other.load_run(run).trials[0].curves["val_loss"]) == 2


def test_threads_share_a_store(store: Store) -> None:
    run = finished_run(store)
    store.begin(run)
    failures: list[BaseException] = []

    def beat_and_read() -> None:
        try:
            for _ in range(10):
                store.heartbeat(run)
                assert len(store.load_run(run).trials) == 4
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=beat_and_read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    store.finish(run, "finished", 0.0)
