"""Versions of the records: what brings an older database up to the current one.

``MIGRATIONS[v]`` turns version ``v`` into ``v + 1``. Each is a function of the open transaction
alone and is never changed after a release, so it spells out its tables instead of using
``schema``. Version 1 is the first release; version 0 kept one row per number.

The version stands in SQLite's ``user_version``, and ``application_id`` marks the file as ours.
All steps run in one transaction, after a copy of the old file was made beside it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from ceteris.errors import CeterisError
from ceteris.records.curves import pack
from ceteris.records.database import Database
from ceteris.records.plain_json import to_column
from ceteris.records.schema import metadata

APPLICATION_ID = 0x43455445  # "CETE"

VERSION_0_TABLES = {"runs", "trials", "measurements"}

VERSION_1 = (
    """CREATE TABLE runs (
        key INTEGER NOT NULL PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
        study_name TEXT NOT NULL, created TEXT NOT NULL, status TEXT NOT NULL, seconds FLOAT NOT NULL,
        device TEXT NOT NULL, study TEXT NOT NULL, facts TEXT NOT NULL, versions TEXT NOT NULL,
        numerics TEXT NOT NULL, looks INTEGER NOT NULL, first_seeds INTEGER NOT NULL)""",
    """CREATE TABLE writers (
        run INTEGER NOT NULL PRIMARY KEY REFERENCES runs (key), token TEXT NOT NULL,
        machine TEXT NOT NULL, process INTEGER NOT NULL, process_start TEXT NOT NULL,
        began FLOAT NOT NULL, heartbeat FLOAT NOT NULL)""",
    "CREATE TABLE metric_sets (key INTEGER NOT NULL PRIMARY KEY, names TEXT NOT NULL UNIQUE)",
    """CREATE TABLE trials (
        key INTEGER NOT NULL PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (key),
        position INTEGER NOT NULL, identity TEXT NOT NULL, status TEXT NOT NULL,
        level TEXT NOT NULL, seed TEXT NOT NULL, fold INTEGER NOT NULL, diverged_step INTEGER,
        seconds FLOAT NOT NULL, initial_weights TEXT, final_weights TEXT, coordinates TEXT NOT NULL,
        experiment TEXT NOT NULL, metrics INTEGER REFERENCES metric_sets (key), curves BLOB,
        UNIQUE (run, identity))""",
    "CREATE INDEX trials_by_identity ON trials (identity)",
    """CREATE TABLE epochs (
        run INTEGER NOT NULL REFERENCES runs (key), epoch INTEGER NOT NULL,
        trial INTEGER NOT NULL REFERENCES trials (key),
        metrics INTEGER NOT NULL REFERENCES metric_sets (key), block BLOB NOT NULL,
        PRIMARY KEY (run, epoch, trial)) WITHOUT ROWID""",
    """CREATE TABLE test_readings (
        key INTEGER NOT NULL PRIMARY KEY, content TEXT NOT NULL, run TEXT NOT NULL,
        purpose TEXT NOT NULL, time TEXT NOT NULL)""",
    "CREATE INDEX test_readings_by_content ON test_readings (content)",
)


def from_0_to_1(connection: Connection) -> None:
    """Give runs and trials the columns of the first release and pack one row per number into blobs."""
    for table in sorted(VERSION_0_TABLES):
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {table}_0")
    for statement in VERSION_1:
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(
        "INSERT INTO runs (id, title, study_name, created, status, seconds, device, study, facts, versions,"
        " numerics, looks, first_seeds) SELECT id, title, '', created,"
        " CASE WHEN EXISTS (SELECT 1 FROM trials_0 t WHERE t.run = runs_0.id AND t.status NOT IN"
        " ('finished', 'diverged')) THEN 'stopped' ELSE 'finished' END, 0, 'cpu', study, '{}', '{}', '{}', 0,"
        " (SELECT count(DISTINCT seed) FROM trials_0 t WHERE t.run = runs_0.id)"
        " FROM runs_0 ORDER BY created, id"
    )
    connection.exec_driver_sql(
        "INSERT INTO trials (run, position, identity, level, coordinates, seed, fold, experiment, status,"
        " seconds) SELECT r.key, t.rowid, t.identity, t.level, '{}', t.seed, 0, t.experiment, t.status, 0"
        " FROM trials_0 t JOIN runs r ON r.id = t.run ORDER BY t.rowid"
    )
    _pack_measurements(connection)
    for table in sorted(VERSION_0_TABLES):
        connection.exec_driver_sql(f"DROP TABLE {table}_0")


def _pack_measurements(connection: Connection) -> None:
    """Move version 0's measurements into the curves of ended trials; resume starts the others anew."""
    numbers = connection.exec_driver_sql(
        "SELECT t.key, m.metric, m.value FROM measurements_0 m JOIN runs r ON r.id = m.run"
        " JOIN trials t ON t.run = r.key AND t.identity = m.identity"
        " WHERE t.status IN ('finished', 'diverged') ORDER BY t.key, m.metric, m.epoch"
    ).all()
    for trial, rows in groupby(numbers, key=lambda row: row[0]):
        curves = {
            metric: [np.nan if row[2] is None else row[2] for row in values]
            for metric, values in groupby(rows, key=lambda row: row[1])
        }
        names = to_column(list(curves))
        connection.exec_driver_sql("INSERT OR IGNORE INTO metric_sets (names) VALUES (?)", (names,))
        connection.exec_driver_sql(
            "UPDATE trials SET curves = ?, metrics = (SELECT key FROM metric_sets WHERE names = ?)"
            " WHERE key = ?",
            (pack(np.array(list(curves.values()), dtype=np.float64)), names, trial),
        )


def add_final_tests(connection: Connection) -> None:
    """Make room for what the test rows said of a run."""
    connection.exec_driver_sql(
        "CREATE TABLE final_tests (key INTEGER NOT NULL PRIMARY KEY,"
        " run INTEGER NOT NULL REFERENCES runs (key), content TEXT NOT NULL)"
    )
    connection.exec_driver_sql("CREATE INDEX final_tests_by_run ON final_tests (run)")


def add_arrays(connection: Connection) -> None:
    """Make room for arrays that are measured on request."""
    connection.exec_driver_sql(
        "CREATE TABLE arrays (run INTEGER NOT NULL REFERENCES runs (key), epoch INTEGER NOT NULL,"
        " trial INTEGER NOT NULL REFERENCES trials (key), kind TEXT NOT NULL, name TEXT NOT NULL,"
        " block BLOB NOT NULL, PRIMARY KEY (run, epoch, trial, kind, name)) WITHOUT ROWID"
    )


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (from_0_to_1, add_final_tests, add_arrays)
CURRENT_VERSION = len(MIGRATIONS)


def bring_up_to_date(database: Database) -> None:
    """Create the tables in an empty file, migrate an older one, refuse a newer one or a stranger's."""
    with database.read() as connection:
        version = read_version(connection, database.path)
    if version == CURRENT_VERSION:
        return
    with database.write() as connection:
        # Read again under the write lock: another process may have been faster.
        version = read_version(connection, database.path)
        if version is None:
            metadata.create_all(connection)
        elif version < CURRENT_VERSION:
            keep_backup(database, version)
            _migrate(connection, MIGRATIONS[version:])
        _write_version(connection)


def read_version(connection: Connection, path: Path) -> int | None:
    """Return the version of the records, None for an empty file; raise where it is not ours to use."""
    tables = set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars())
    if not tables:
        return None
    owner = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    released = owner == APPLICATION_ID and version >= 1
    if not released and not (version == 0 and tables >= VERSION_0_TABLES):
        raise CeterisError(f"{path} is a database of another program; name another folder for the records")
    if version > CURRENT_VERSION:
        raise CeterisError(
            f"{path} was written by a newer Ceteris (records version {version}, this one knows "
            f"{CURRENT_VERSION}); upgrade Ceteris or name another folder for the records"
        )
    return version


def keep_backup(database: Database, version: int) -> Path:
    """Copy the database beside itself as ``ceteris.db.version-<n>`` before it is changed.

    The copy is complete before it gets its name. The caller holds the write lock, so nothing is
    committed between the copy and the migration.
    """
    target = database.path.with_name(f"{database.path.name}.version-{version}")
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    unfinished.unlink(missing_ok=True)
    database.back_up(unfinished)
    os.replace(unfinished, target)
    return target


def _migrate(connection: Connection, steps: Iterable[Callable[[Connection], None]]) -> None:
    for step in steps:
        step(connection)


def _write_version(connection: Connection) -> None:
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.exec_driver_sql(f"PRAGMA user_version = {CURRENT_VERSION}")
