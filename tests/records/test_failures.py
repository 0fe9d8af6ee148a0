"""What goes wrong with folders, disks and files is told in one clear sentence, and nothing more is lost."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import event

from ceteris.errors import CeterisError
from ceteris.records import database
from ceteris.records.store import Store

from .plans import METRICS, ended, finished_run, new_run, numbers, planned, record_epochs

IDENTITIES = [trial.identity for trial in planned()]


def sentence(attempt: Callable[[], object]) -> str:
    with pytest.raises(CeterisError) as error:
        attempt()
    assert len(error.value.problems) == 1
    assert "\n" not in str(error.value)
    return str(error.value)


def change(path: Path, statement: str, *parameters: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(statement, parameters).rowcount == 1


# -- the folder ------------------------------------------------------------------------------------


def test_folder_that_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "runs"
    file.write_text("x")
    assert sentence(lambda: Store(file)) == f"{file} is a file; the folder of the records has to be a folder"
    assert sentence(lambda: Store(file / "deeper")).startswith(
        "the folder of the records could not be made: "
    )


def test_no_records_where_none_are_to_be_made(tmp_path: Path) -> None:
    assert sentence(lambda: Store(tmp_path / "no", create=False)) == (
        f"there are no records in {tmp_path / 'no'}; name the folder of the runs or run a study first"
    )
    assert not (tmp_path / "no").exists()


def test_database_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "ceteris.db").mkdir()
    assert "ceteris.db cannot be opened; see that it is a file" in sentence(lambda: Store(tmp_path))


@contextmanager
def as_somebody_else() -> Iterator[None]:
    """Give up root's right to write everywhere; other users never had it."""
    if not hasattr(os, "seteuid"):
        pytest.skip("this system has no read-only folders that could be made here")
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(mine)


@pytest.fixture
def read_only() -> Iterator[tuple[Path, str]]:
    """A folder with one finished run in it that may be read and not written."""
    folder = Path(tempfile.mkdtemp())
    with Store(folder) as store:
        run = finished_run(store)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield folder, run
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)
    shutil.rmtree(folder)


def test_read_only_folder_is_read_and_says_that_it_cannot_be_written(read_only: tuple[Path, str]) -> None:
    folder, run = read_only
    expected = (
        f"{folder / 'ceteris.db'} may only be read; make {folder} writable or name another folder for records"
    )
    with as_somebody_else(), Store(folder) as store:
        assert len(store.load_run("last").trials) == 4
        assert store.load_weights(run, IDENTITIES[0]).keys() == {"hidden.0.weight", "hidden.0.bias"}
        assert sentence(lambda: new_run(store)) == expected
        assert sentence(lambda: store.begin(run)) == expected


def test_new_records_in_a_read_only_folder(read_only: tuple[Path, str]) -> None:
    folder, _ = read_only
    with as_somebody_else():
        assert sentence(lambda: Store(folder / "new")) == (
            f"the folder of the records could not be made: {folder / 'new'}: Permission denied"
        )
    folder.chmod(0o755)
    (folder / "ceteris.db").unlink()
    folder.chmod(0o555)
    with as_somebody_else():
        assert "ceteris.db cannot be opened; see that" in sentence(lambda: Store(folder))


# -- the disk --------------------------------------------------------------------------------------


def test_full_disk_loses_nothing_that_was_recorded(store: Store) -> None:
    run = new_run(store)
    store.begin(run)
    record_epochs(store, run, IDENTITIES, 2)
    with _no_room(store):
        assert sentence(lambda: record_epochs(store, run, IDENTITIES, 500)) == (
            f"the disk with {store.folder} is full, so the last step was not recorded; all before it is safe"
        )
        reached = [len(trial.curves["val_loss"]) for trial in store.load_run(run).trials]
        assert reached == [reached[0]] * 4
        assert reached[0] >= 2
    # With room again, the same epoch goes on from where it was.
    store.record_epoch(run, reached[0], METRICS, {name: numbers(name, reached[0]) for name in IDENTITIES})
    for trial in store.load_run(run).trials:
        assert list(trial.curves["val_loss"]) == [
            numbers(trial.identity, at)[1] for at in range(reached[0] + 1)
        ]


@contextmanager
def _no_room(store: Store) -> Iterator[None]:
    """Let SQLite find no room for more than a few pages: its own error for a full disk."""
    engine = store._database._engine
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages + 3}")

    engine.dispose()
    event.listen(engine, "connect", limit)
    yield
    event.remove(engine, "connect", limit)
    engine.dispose()


def test_locked_for_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    with Store(tmp_path) as store, closing(sqlite3.connect(tmp_path / "ceteris.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        expected = (
            f"{tmp_path / 'ceteris.db'} was locked by another process for 0.1 s; "
            "nothing was recorded, try again"
        )
        assert sentence(lambda: new_run(store)) == expected
        other.rollback()
        new_run(store)


# -- damaged files ---------------------------------------------------------------------------------


def test_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "ceteris.db").write_bytes(b"no database at all " * 100)
    assert sentence(lambda: Store(tmp_path)) == (
        f"{tmp_path / 'ceteris.db'} is damaged or is no database of records; "
        "put a copy back or name another folder"
    )


def test_database_damaged_in_the_middle(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        for _ in range(5):
            finished_run(store)
    path = tmp_path / "ceteris.db"
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with Store(tmp_path) as store:
        assert sentence(store.list_runs).startswith(f"{path} is damaged; put a copy back")


def test_database_that_was_cut_short(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        run = finished_run(store)
    path = tmp_path / "ceteris.db"
    path.write_bytes(path.read_bytes()[: 4096 * 3])

    def read() -> None:
        with Store(tmp_path) as store:
            store.load_run(run)

    assert f"{path} is damaged" in sentence(read)


def test_damaged_curves_of_one_trial(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        run = finished_run(store)
    change(
        tmp_path / "ceteris.db",
        "UPDATE trials SET curves = substr(curves, 1, 30) WHERE identity = ?",
        IDENTITIES[1],
    )
    with Store(tmp_path) as store:
        trials = store.load_run(run).trials
    expected = (
        f"the curves of trial {IDENTITIES[1]} (level `0.1`, seed 1) in run {run} are damaged: "
        "it has 30 bytes and 88 are expected"
    )
    assert sentence(lambda: trials[1].curves["val_loss"]) == expected
    assert trials[1].status == "finished"
    for trial in (trials[0], trials[2], trials[3]):
        assert trial.curves["val_loss"][2] == numbers(trial.identity, 2)[1]


def test_damaged_text(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        run = finished_run(store)
    change(tmp_path / "ceteris.db", "UPDATE runs SET title = CAST(x'ff' AS TEXT)")
    with Store(tmp_path) as store:
        assert "ceteris.db is damaged; put a copy back" in sentence(lambda: store.load_run(run))


def test_damaged_epoch_of_a_running_trial(store: Store) -> None:
    run = new_run(store)
    store.begin(run)
    record_epochs(store, run, IDENTITIES, 3)
    damage = "UPDATE epochs SET block = x'02' || substr(block, 2) WHERE epoch = 1 AND trial = 2"
    change(store.folder / "ceteris.db", damage)
    words = f"trial {IDENTITIES[1]} .* are damaged: its version byte is 2 and 1 is expected"
    with pytest.raises(CeterisError, match=words):
        len(store.load_run(run).trials[1].curves)
    store.end_trials(run, [ended(name) for name in IDENTITIES])
    trials = store.load_run(run).trials
    with pytest.raises(CeterisError, match=words):
        len(trials[1].curves)
    assert [len(trial.curves["val_loss"]) for trial in trials if trial is not trials[1]] == [3, 3, 3]
    np.testing.assert_array_equal(trials[3].curves["train_loss"][0], numbers(IDENTITIES[3], 0)[0])


def test_damaged_weights_of_one_trial(store: Store) -> None:
    run = finished_run(store)
    path = next(store.weights_folder(run).glob(f"*{IDENTITIES[0][:12]}.final.safetensors"))
    path.write_bytes(b"\x00" * 50)
    words = sentence(lambda: store.load_weights(run, IDENTITIES[0]))
    assert words.startswith(f"the weights of trial {IDENTITIES[0]} in {path} are damaged (")
    assert store.load_weights(run, IDENTITIES[0], "initial")
    assert store.load_weights(run, IDENTITIES[1])
