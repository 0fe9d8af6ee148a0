"""The SQLite file: how it is opened, how a transaction runs, what its failures mean to a user.

The rollback journal is used and not the write-ahead log, which needs shared memory and so does
not work on network file systems. Writers take the write lock at once (``BEGIN IMMEDIATE``), so
that two writers queue and never deadlock; readers are never kept out for longer than a commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.exc import DBAPIError

from ceteris.errors import CeterisError

DATABASE_NAME = "ceteris.db"
BUSY_SECONDS = 30.0
"""How long a transaction waits for another process before it gives up."""


class Database:
    """An open database file: short read and write transactions, and clear sentences on failure."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine = create_engine(
            URL.create("sqlite", database=str(path)),
            connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
            hide_parameters=True,  # blobs are no reading
        )
        self._writing = self._engine.execution_options(ceteris_begin="BEGIN IMMEDIATE")
        event.listen(self._engine, "connect", _set_up_connection)
        event.listen(self._engine, "begin", _begin)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees one moment of the database; keep it short."""
        with explained(self.path), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that holds the write lock from its start; all of it lands or nothing."""
        with explained(self.path), self._writing.begin() as connection:
            yield connection

    def back_up(self, target: Path) -> None:
        """Copy the committed content to ``target`` through SQLite, which minds its own locks."""
        import sqlite3
        from contextlib import closing

        with explained(self.path), closing(self._engine.raw_connection()) as source:
            copy = sqlite3.connect(target)
            with closing(copy):
                source.driver_connection.backup(copy)  # type: ignore[union-attr]  # always open here

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def _set_up_connection(connection: Any, _record: Any) -> None:
    # FULL waits for the disk at every commit: a power cut loses nothing that was committed.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    # The driver is in autocommit mode (isolation_level None), so that transactions are ours.
    connection.exec_driver_sql(connection.get_execution_options().get("ceteris_begin", "BEGIN"))


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the database's failures inside into one ``CeterisError`` with one clear sentence."""
    import sqlite3

    try:
        yield
    except DBAPIError as error:
        raise _explain(path, error.orig, error) from error
    except sqlite3.Error as error:
        raise _explain(path, error, error) from error


def _explain(path: Path, cause: BaseException | None, otherwise: Exception) -> Exception:
    """Return the error to raise for what SQLite reported; ours to mend are raised as they are."""
    name = getattr(cause, "sqlite_errorname", "")
    if "Could not decode to UTF-8" in str(cause):
        name = "SQLITE_CORRUPT"
    for prefix, sentence in _SENTENCES.items():
        if name.startswith(prefix):
            return CeterisError(sentence.format(path=path, folder=path.parent, seconds=BUSY_SECONDS))
    return otherwise


_SENTENCES = {
    "SQLITE_NOTADB": "{path} is damaged or is no database of records; put a copy back or name another folder",
    "SQLITE_CORRUPT": "{path} is damaged; put a copy back, or save what is left by `sqlite3 {path} .recover`",
    "SQLITE_FULL": "the disk with {folder} is full, so the last step was not recorded; all before it is safe",
    "SQLITE_READONLY": "{path} may only be read; make {folder} writable or name another folder for records",
    "SQLITE_CANTOPEN": "{path} cannot be opened; see that it is a file and {folder} is readable and writable",
    "SQLITE_PERM": "{path} may not be opened by this user; change its permissions or name another folder",
    "SQLITE_AUTH": "{path} may not be opened by this user; change its permissions or name another folder",
    "SQLITE_BUSY": "{path} was locked by another process for {seconds:g} s; nothing was recorded, try again",
    "SQLITE_IOERR": "the disk with {folder} failed on {path}; everything recorded before is kept",
}
