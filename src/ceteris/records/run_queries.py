"""Runs in the database: insert, list, and what state they are in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, case, func, insert, select, update

from ceteris.errors import CeterisError
from ceteris.records.plain_json import from_column, to_column
from ceteris.records.schema import AnyRow, runs, trials, writers
from ceteris.records.views import PLAN, RunStatus, RunSummary
from ceteris.records.writers import Writer, is_alive

_LONG_COLUMNS = {"study", "facts", "versions", "numerics"}
_WITH_WRITER = runs.outerjoin(writers, writers.c.run == runs.c.key)
_WRITER_COLUMNS = [column for column in writers.c if column.name != "run"]


def insert_run(connection: Connection, columns: Mapping[str, Any]) -> int:
    """Insert a run that nobody writes yet and return its key."""
    fresh = {"status": "stopped", "seconds": 0.0, "looks": 0}
    return connection.execute(insert(runs).values({**fresh, **columns})).lastrowid


def run_ids(connection: Connection) -> list[str]:
    """Return the identifiers of all runs, newest first."""
    newest_first = select(runs.c.id).order_by(runs.c.created.desc(), runs.c.key.desc())
    return list(connection.execute(newest_first).scalars())


def run_row(connection: Connection, run: str) -> AnyRow:
    """Return the row of a run with its writer's (null where there is none); raise ``CeterisError``."""
    statement = select(runs, *_WRITER_COLUMNS).select_from(_WITH_WRITER).where(runs.c.id == run)
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise CeterisError(f"there is no run `{run}` in these records")
    return row


def note_looks(connection: Connection, key: int, looks: int, first_seeds: int) -> None:
    """Keep how often the verdicts were looked at, and with how many seeds at first."""
    connection.execute(update(runs).where(runs.c.key == key).values(looks=looks, first_seeds=first_seeds))


def note_plan(connection: Connection, key: int, plan: Mapping[str, Any]) -> None:
    """Keep among a run's facts how it was laid out when it was last trained."""
    facts = connection.execute(select(runs.c.facts).where(runs.c.key == key)).scalar_one()
    known = to_column({**from_column(facts), PLAN: plan})
    connection.execute(update(runs).where(runs.c.key == key).values(facts=known))


def replace_study(connection: Connection, key: int, study: str) -> None:
    """Keep a study that has grown, as JSON."""
    connection.execute(update(runs).where(runs.c.key == key).values(study=study))


def status_of(row: AnyRow, now: float, stale: float) -> RunStatus:
    """Return the state of a run at ``now``: one that nobody writes has stopped or finished."""
    if has_live_writer(row, now, stale):
        return "running"
    return "finished" if row.status == "finished" else "stopped"


def has_live_writer(row: AnyRow, now: float, stale: float) -> bool:
    """Tell whether somebody writes the run."""
    if row.token is None:
        return False
    writer = Writer(row.token, row.machine, row.process, row.process_start)
    return is_alive(writer, now - row.heartbeat, stale)


def seconds_of(row: AnyRow) -> float:
    """Return the time of all sessions (s); one that is under way or died counts to its last heartbeat."""
    under_way = 0.0 if row.token is None else row.heartbeat - row.began
    return float(row.seconds + under_way)


def summary_rows(connection: Connection) -> Sequence[AnyRow]:
    """Return the rows of all runs with their counts of trials, newest first."""
    statement = (
        select(
            *(column for column in runs.c if column.name not in _LONG_COLUMNS),
            *_WRITER_COLUMNS,
            func.count(trials.c.key).label("trials"),
            func.count(case((trials.c.status == "finished", 1))).label("finished"),
            func.count(case((trials.c.status == "diverged", 1))).label("diverged"),
        )
        .select_from(_WITH_WRITER)
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
