"""Sessions in the database: one process becomes the writer of a run, beats, and lets go of it.

A row of ``writers`` stands from ``begin`` to ``finish``; where it is left behind, the process
died. Every write of a run begins with a heartbeat under the session's own token, so a process
that was thought dead and was replaced cannot write between the lines of its successor.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, delete, insert, update

from ceteris.errors import CeterisError
from ceteris.records.run_queries import has_live_writer, run_row, seconds_of
from ceteris.records.schema import AnyRow, runs, writers
from ceteris.records.writers import Writer


@dataclass(frozen=True)
class Session:
    """One writing of one run, with the keys of trials that it has met (they never change)."""

    run: str
    key: int
    token: str
    trial_keys: dict[str, int] = field(default_factory=dict)


def claim(connection: Connection, run: str, writer: Writer, now: float, stale: float) -> Session:
    """Make ``writer`` the one writer of a run; raises ``CeterisError`` while another process is."""
    row = run_row(connection, run)
    if has_live_writer(row, now, stale) and not _same_process(row, writer):
        raise _taken(row)
    # A run is stopped until it is finished: what is stored is what holds if this process dies.
    columns = {"status": "stopped", "seconds": seconds_of(row)}
    connection.execute(update(runs).where(runs.c.key == row.key).values(columns))
    connection.execute(delete(writers).where(writers.c.run == row.key))
    seat = {"token": writer.token, "machine": writer.machine, "process": writer.process}
    seat |= {"process_start": writer.process_start, "began": now, "heartbeat": now}
    connection.execute(insert(writers).values(run=row.key, **seat))
    return Session(run, row.key, writer.token)


def beat(connection: Connection, session: Session, now: float) -> int:
    """Move the heartbeat to ``now`` and return the run's key; raise where the session was replaced."""
    seat = {"seat": session.key, "mine": session.token, "now": now}
    if connection.execute(_BEAT, seat).rowcount == 0:
        raise _taken(run_row(connection, session.run))
    return session.key


_BEAT = (
    update(writers)
    .where(writers.c.run == bindparam("seat"), writers.c.token == bindparam("mine"))
    .values(heartbeat=bindparam("now"))
)


def key_to_change(connection: Connection, run: str, session: Session | None, now: float, stale: float) -> int:
    """Return the key of a run that is the session's or nobody's; raise where another process has it."""
    row = run_row(connection, run)
    mine = session is not None and row.token == session.token
    if has_live_writer(row, now, stale) and not mine:
        raise _taken(row)
    return int(row.key)


def finish(connection: Connection, session: Session, status: str, seconds: float) -> None:
    """Close the session: it took ``seconds``, which are added to those of earlier sessions."""
    ended = {"status": status, "seconds": runs.c.seconds + seconds}
    connection.execute(update(runs).where(runs.c.key == session.key).values(ended))
    connection.execute(delete(writers).where(writers.c.run == session.key))


def stop(connection: Connection, session: Session, now: float) -> None:
    """Close the session as stopped, unless another has replaced it."""
    row = run_row(connection, session.run)
    if row.token == session.token:
        finish(connection, session, "stopped", now - row.began)


def _same_process(row: AnyRow, writer: Writer) -> bool:
    there = (row.machine, row.process, row.process_start)
    return there == (writer.machine, writer.process, writer.process_start)


def _taken(row: AnyRow) -> CeterisError:
    if row.token is None:
        return CeterisError(f"another process has finished run {row.id} meanwhile; nothing was recorded")
    machine = str(row.machine).partition(" ")[0]
    return CeterisError(
        f"run {row.id} is being written by process {row.process} on {machine}; wait for it or stop it first"
    )
