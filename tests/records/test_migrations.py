"""Older databases are brought up to date whole or not at all; newer ones and strangers are refused."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection

from ceteris.errors import CeterisError
from ceteris.records import migrations
from ceteris.records.migrations import APPLICATION_ID, CURRENT_VERSION
from ceteris.records.store import Store

from .plans import finished_run

VERSION_0 = """
CREATE TABLE runs (id TEXT PRIMARY KEY, title TEXT, created TEXT, study TEXT);
CREATE TABLE trials (run TEXT, identity TEXT, level TEXT, seed INTEGER, status TEXT, experiment TEXT);
CREATE TABLE measurements (run TEXT, identity TEXT, metric TEXT, epoch INTEGER, value REAL);
INSERT INTO runs VALUES
    ('20260101-120000-old-0001', 'Old', '2026-01-01T12:00:00+00:00', '{"seeds": 2}'),
    ('20260102-120000-old-0002', 'Older', '2026-01-02T12:00:00+00:00', '{}');
INSERT INTO trials VALUES
    ('20260101-120000-old-0001', 'aa', '0.1', 0, 'finished', '{"lr": 0.1}'),
    ('20260101-120000-old-0001', 'bb', '0.1', 1, 'diverged', '{"lr": 0.1}'),
    ('20260102-120000-old-0002', 'aa', '0.1', 0, 'finished', '{"lr": 0.1}'),
    ('20260102-120000-old-0002', 'cc', '0.2', 0, 'running', '{"lr": 0.2}');
INSERT INTO measurements VALUES
    ('20260101-120000-old-0001', 'aa', 'val_loss', 0, 0.5),
    ('20260101-120000-old-0001', 'aa', 'val_loss', 1, 0.25),
    ('20260101-120000-old-0001', 'aa', 'val_accuracy', 0, 0.75),
    ('20260101-120000-old-0001', 'aa', 'val_accuracy', 1, 0.875),
    ('20260101-120000-old-0001', 'bb', 'val_loss', 0, NULL),
    ('20260102-120000-old-0002', 'cc', 'val_loss', 0, 0.5);
"""


def write_database(folder: Path, script: str) -> Path:
    path = folder / "ceteris.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


def content(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return what SQLite knows of every table and index, without the text they were made by."""
    with closing(sqlite3.connect(path)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        facts = {}
        for name in names:
            queries = (
                f"PRAGMA {fact}('{name}')" for fact in ("table_info", "index_list", "foreign_key_list")
            )
            rows = [row for query in queries for row in connection.execute(query)]
            facts[name] = sorted(rows, key=repr)
        return facts


def pragmas(path: Path) -> tuple[int, int, str]:
    with closing(sqlite3.connect(path)) as connection:
        one, two, three = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version", "journal_mode")
        )
        return one, two, three


def test_new_database_says_what_it_is(tmp_path: Path) -> None:
    Store(tmp_path).close()
    assert pragmas(tmp_path / "ceteris.db") == (APPLICATION_ID, CURRENT_VERSION, "delete")


def test_version_0_is_migrated(tmp_path: Path) -> None:
    write_database(tmp_path, VERSION_0)
    with Store(tmp_path) as store:
        newer, older = store.list_runs()
        record = store.load_run(older.id)
        assert store.load_run(newer.id).trials[1].status == "pending"
    assert (newer.status, older.status) == ("stopped", "finished")
    assert (record.title, record.study, record.looks, record.first_seeds) == ("Old", {"seeds": 2}, 0, 2)
    one, other = record.trials
    assert (one.identity, one.level, one.seed, one.fold, one.experiment) == ("aa", "0.1", 0, 0, {"lr": 0.1})
    np.testing.assert_array_equal(one.curves["val_loss"], [0.5, 0.25])
    np.testing.assert_array_equal(one.curves["val_accuracy"], [0.75, 0.875])
    assert other.status == "diverged"
    np.testing.assert_array_equal(other.curves["val_loss"], [np.nan])


def test_migrated_and_new_databases_have_equal_tables(tmp_path: Path) -> None:
    for folder in (tmp_path / "old", tmp_path / "new"):
        folder.mkdir()
    old = write_database(tmp_path / "old", VERSION_0)
    Store(tmp_path / "old").close()
    Store(tmp_path / "new").close()
    assert tables(old) == tables(tmp_path / "new" / "ceteris.db")
    assert pragmas(old) == pragmas(tmp_path / "new" / "ceteris.db")


def test_migrated_database_takes_new_runs(tmp_path: Path) -> None:
    write_database(tmp_path, VERSION_0)
    with Store(tmp_path) as store:
        finished_run(store)
        assert store.load_run("last").status == "finished"


def test_migration_keeps_a_copy_of_the_old_file(tmp_path: Path) -> None:
    before = content(write_database(tmp_path, VERSION_0))
    Store(tmp_path).close()
    assert content(tmp_path / "ceteris.db.version-0") == before
    Store(tmp_path).close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ceteris.db", "ceteris.db.version-0"]


def test_migration_that_fails_leaves_the_old_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(connection: Connection) -> None:
        migrations.from_0_to_1(connection)
        raise RuntimeError("the power went out")

    path = write_database(tmp_path, VERSION_0)
    before = content(path)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", (fail,))
        with pytest.raises(RuntimeError, match="the power went out"):
            Store(tmp_path)
    assert content(path) == before
    with Store(tmp_path) as store:
        assert len(store.list_runs()) == 2


def test_migration_of_a_database_without_runs(tmp_path: Path) -> None:
    write_database(tmp_path, VERSION_0.split("INSERT", maxsplit=1)[0])
    with Store(tmp_path) as store:
        assert store.list_runs() == ()


def test_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    Store(tmp_path).close()
    path = write_database(tmp_path, f"PRAGMA user_version = {CURRENT_VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(CeterisError) as error:
        Store(tmp_path)
    assert str(error.value) == (
        f"{path} was written by a newer Ceteris (records version {CURRENT_VERSION + 1}, this one knows "
        f"{CURRENT_VERSION}); upgrade Ceteris or name another folder for the records"
    )
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "script",
    ["CREATE TABLE notes (x)", "CREATE TABLE runs (x); PRAGMA user_version = 1", "CREATE TABLE runs (x)"],
)
def test_database_of_another_program_is_left_alone(tmp_path: Path, script: str) -> None:
    path = write_database(tmp_path, script)
    before = path.read_bytes()
    with pytest.raises(CeterisError) as error:
        Store(tmp_path)
    assert str(error.value) == f"{path} is a database of another program; name another folder for the records"
    assert path.read_bytes() == before


def test_empty_file_becomes_a_database(tmp_path: Path) -> None:
    (tmp_path / "ceteris.db").touch()
    with Store(tmp_path) as store:
        finished_run(store)
        assert json.loads(json.dumps(dict(store.load_run("last").facts)))["name"] == "digits"
