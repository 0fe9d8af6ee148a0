"""Runs in the database: insert, claim, beat, finish, list. Each function is one short piece of SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, case, func, insert, select, update

from ceteris.errors import CeterisError
from ceteris.records.schema import AnyRow, runs, trials
from ceteris.records.views import RunStatus, RunSummary
from ceteris.records.writers import Writer, is_alive

NO_WRITER: dict[str, Any] = dict.fromkeys(("writer", "machine", "process", "process_start", "began"))


def insert_run(connection: Connection, columns: Mapping[str, Any]) -> int:
    """Insert a run that nobody writes yet and return its key."""
    fresh = {"status": "stopped", "seconds": 0.0, "looks": 0}
    return connection.execute(insert(runs).values({**fresh, **columns})).lastrowid


def run_ids(connection: Connection) -> list[str]:
    """Return the identifiers of all runs, newest first."""
    newest_first = select(runs.c.id).order_by(runs.c.created.desc(), runs.c.key.desc())
    return list(connection.execute(newest_first).scalars())


def run_row(connection: Connection, run: str) -> AnyRow:
    """Return the row of a run; raises ``CeterisError`` where there is none."""
    row = connection.execute(select(runs).where(runs.c.id == run)).one_or_none()
    if row is None:
        raise CeterisError(f"there is no run `{run}` in these records")
    return row


def status_of(row: AnyRow, now: float, stale: float) -> RunStatus:
    """Return what a run's state is at ``now``: one whose writer is gone has stopped."""
    if row.status == "finished":
        return "finished"
    return "running" if has_live_writer(row, now, stale) else "stopped"


def has_live_writer(row: AnyRow, now: float, stale: float) -> bool:
    """Tell whether somebody writes the run."""
    if row.writer is None:
        return False
    writer = Writer(row.writer, row.machine, row.process, row.process_start)
    return is_alive(writer, now - row.heartbeat, stale)


def seconds_of(row: AnyRow) -> float:
    """Return the time of all sessions (s); one that is under way or died counts to its last heartbeat."""
    under_way = 0.0 if row.began is None else row.heartbeat - row.began
    return float(row.seconds + under_way)


def claim(connection: Connection, run: str, writer: Writer, now: float, stale: float) -> int:
    """Make ``writer`` the one writer of a run and return its key; refuse while another process is."""
    row = run_row(connection, run)
    if has_live_writer(row, now, stale) and not _same_process(row, writer):
        raise _taken(row)
    columns = {"status": "running", "seconds": seconds_of(row), "began": now, "heartbeat": now}
    columns |= {"writer": writer.token, "machine": writer.machine}
    columns |= {"process": writer.process, "process_start": writer.process_start}
    connection.execute(update(runs).where(runs.c.key == row.key).values(columns))
    return int(row.key)


def beat(connection: Connection, run: str, token: str | None, now: float) -> int:
    """Move the heartbeat of a run to ``now`` and return its key; raise if ``token`` is not its writer.

    Every write of a run begins with this, so a process that was thought dead and was replaced
    cannot write between the lines of its successor.
    """
    mine = (runs.c.id == run) & (runs.c.writer == token)
    key = connection.execute(select(runs.c.key).where(mine)).scalar_one_or_none()
    if key is None:
        row = run_row(connection, run)
        raise (
            _taken(row)
            if token and row.writer
            else CeterisError(f"run {run} has to be begun before it is written")
        )
    connection.execute(update(runs).where(runs.c.key == key).values(heartbeat=now))
    return int(key)


def key_to_change(connection: Connection, run: str, token: str | None, now: float, stale: float) -> int:
    """Return the key of a run that ``token`` writes or nobody does; raise where another process does."""
    row = run_row(connection, run)
    if row.writer != token and has_live_writer(row, now, stale):
        raise _taken(row)
    return int(row.key)


def finish_run(connection: Connection, key: int, status: str, seconds: float) -> None:
    """Close the session of the writer: it took ``seconds``, added to those of earlier sessions."""
    ended = {"status": status, "seconds": runs.c.seconds + seconds, **NO_WRITER}
    connection.execute(update(runs).where(runs.c.key == key).values(ended))


def stop_run(connection: Connection, run: str, token: str, now: float) -> None:
    """Mark a run as stopped if ``token`` is still its writer."""
    mine = (runs.c.id == run) & (runs.c.writer == token)
    stopped = {"status": "stopped", "seconds": runs.c.seconds + (now - runs.c.began), **NO_WRITER}
    connection.execute(update(runs).where(mine).values(stopped))


def note_looks(connection: Connection, key: int, looks: int, first_seeds: int) -> None:
    """Keep how often the verdicts were looked at, and with how many seeds at first."""
    connection.execute(update(runs).where(runs.c.key == key).values(looks=looks, first_seeds=first_seeds))


def summary_rows(connection: Connection) -> Sequence[AnyRow]:
    """Return the rows of all runs with their counts of trials, newest first."""
    long = {"study", "facts", "versions", "numerics"}
    statement = (
        select(
            *(column for column in runs.c if column.name not in long),
            func.count(trials.c.key).label("trials"),
            func.count(case((trials.c.status == "finished", 1))).label("finished"),
            func.count(case((trials.c.status == "diverged", 1))).label("diverged"),
        )
        .outerjoin(trials, trials.c.run == runs.c.key)
        .group_by(runs.c.key)
        .order_by(runs.c.created.desc(), runs.c.key.desc())
    )
    return connection.execute(statement).all()


def as_summary(row: AnyRow, now: float, stale: float) -> RunSummary:
    """Return one line of the list of runs."""
    return RunSummary(
        id=row.id,
        title=row.title,
        status=status_of(row, now, stale),
        created=row.created,
        seconds=seconds_of(row),
        trials=row.trials,
        finished=row.finished,
        diverged=row.diverged,
        device=row.device,
    )


def _same_process(row: AnyRow, writer: Writer) -> bool:
    there = (row.machine, row.process, row.process_start)
    return there == (writer.machine, writer.process, writer.process_start)


def _taken(row: AnyRow) -> CeterisError:
    machine = str(row.machine).partition(" ")[0]
    return CeterisError(
        f"run {row.id} is being written by process {row.process} on {machine}; wait for it or stop it first"
    )
