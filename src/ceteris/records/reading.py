"""From rows to views: the database is read in one short transaction, and decoded after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, select

from ceteris.records.curves import DamagedBlobError, DamagedCurves, as_curves, join_epochs, unpack_named
from ceteris.records.plain_json import from_column
from ceteris.records.run_queries import run_row, seconds_of, status_of
from ceteris.records.schema import AnyRow, as_blob, epochs, metric_sets, trials
from ceteris.records.test_rows import final_test_of
from ceteris.records.trial_queries import metric_names
from ceteris.records.views import RunRecord, RunStatus, TrialRecord


@dataclass(frozen=True)
class RawRun:
    """All rows of one run as they stood at one moment."""

    row: AnyRow
    trials: Sequence[AnyRow]
    epochs: Mapping[int, Sequence[AnyRow]]
    final_test: Mapping[str, Any] | None


def _trials_with_names() -> Select[Any]:
    columns = [column for column in trials.c if column.name != "curves"]
    blob = as_blob(trials.c.curves)
    statement = select(*columns, blob, metric_sets.c.names)
    return statement.outerjoin(metric_sets, metric_sets.c.key == trials.c.metrics)


def read_run(connection: Connection, run: str) -> RawRun:
    """Fetch all rows of a run."""
    row = run_row(connection, run)
    here = _trials_with_names().where(trials.c.run == row.key).order_by(trials.c.position)
    found = connection.execute(here).all()
    return RawRun(row, found, _epochs_by_trial(connection, row.key), final_test_of(connection, row.key))


def _epochs_by_trial(connection: Connection, run: int) -> dict[int, list[AnyRow]]:
    statement = (
        select(epochs.c.trial, as_blob(epochs.c.block), metric_sets.c.names)
        .join(metric_sets, metric_sets.c.key == epochs.c.metrics)
        .where(epochs.c.run == run)
        .order_by(epochs.c.epoch)
    )
    by_trial: dict[int, list[AnyRow]] = {}
    for row in connection.execute(statement).all():
        by_trial.setdefault(row.trial, []).append(row)
    return by_trial


def as_run_record(raw: RawRun, folder: Path, now: float, stale: float) -> RunRecord:
    """Return the view of a run; ``folder`` is that of all records."""
    row = raw.row
    status = status_of(row, now, stale)
    return RunRecord(
        id=row.id,
        title=row.title,
        status=status,
        created=row.created,
        seconds=seconds_of(row),
        device=row.device,
        study=from_column(row.study),
        study_name=row.study_name,
        facts=from_column(row.facts),
        versions=from_column(row.versions),
        numerics=from_column(row.numerics),
        looks=row.looks,
        first_seeds=row.first_seeds,
        folder=folder / row.id,
        trials=tuple(_as_trial(trial, raw.epochs.get(trial.key, ()), row.id, status) for trial in raw.trials),
        final_test=raw.final_test,
    )


def _as_trial(row: AnyRow, partial: Sequence[AnyRow], run: str, status: RunStatus) -> TrialRecord:
    interrupted = row.status == "running" and status != "running"
    return TrialRecord(
        identity=row.identity,
        level=row.level,
        coordinates=from_column(row.coordinates),
        seed=int(row.seed),
        fold=row.fold,
        status="pending" if interrupted else row.status,
        diverged_step=row.diverged_step,
        curves=_curves(row, partial, run),
        seconds=row.seconds,
        experiment=from_column(row.experiment),
    )


def _curves(row: AnyRow, partial: Sequence[AnyRow], run: str) -> Mapping[str, Any]:
    """Return the curves of a trial: its one blob once it has ended, its epochs before."""
    try:
        if row.curves is not None:
            return as_curves(*unpack_named(metric_names(row.names or "[]"), row.curves))
        return as_curves(
            *join_epochs([unpack_named(metric_names(part.names), part.block) for part in partial])
        )
    except DamagedBlobError as damage:
        return DamagedCurves(
            f"the curves of trial {row.identity} (level `{row.level}`, seed {row.seed}) in run {run} "
            f"are damaged: {damage}"
        )
