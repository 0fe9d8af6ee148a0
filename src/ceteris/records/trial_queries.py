"""Trials in the database: plan, record epochs, end, restart. Each function works in an open transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from ceteris.errors import CeterisError, nearest
from ceteris.records.curves import DamagedBlobError, join_epochs, pack, unpack, unpack_named
from ceteris.records.entries import EndedTrial, PlannedTrial
from ceteris.records.plain_json import from_column, to_column
from ceteris.records.schema import AnyRow, arrays, as_blob, epochs, metric_sets, trials

ENDED = ("finished", "diverged")
_T = TypeVar("_T")
_IN_ONE_STATEMENT = 900  # SQLite before 3.32 takes 999 parameters


def plan_trials(connection: Connection, run: int, planned: Sequence[PlannedTrial]) -> None:
    """Insert trials that the run does not have yet; raise where two would be the same trial."""
    known = _places(connection, run)
    fresh: list[PlannedTrial] = []
    for trial in planned:
        place = (trial.level, trial.seed, trial.fold)
        if trial.identity not in known:
            known[trial.identity] = place
            fresh.append(trial)
        elif known[trial.identity] != place or trial in fresh:
            raise _same_trial(known[trial.identity], place)
    start = connection.execute(select(func.count()).where(trials.c.run == run)).scalar_one()
    if fresh:
        rows = [_planned_row(run, start + place, trial) for place, trial in enumerate(fresh)]
        connection.execute(insert(trials), rows)


def _places(connection: Connection, run: int) -> dict[str, tuple[str, int, int]]:
    statement = select(trials.c.identity, trials.c.level, trials.c.seed, trials.c.fold).where(
        trials.c.run == run
    )
    return {row.identity: (row.level, int(row.seed), row.fold) for row in connection.execute(statement)}


def _planned_row(run: int, position: int, trial: PlannedTrial) -> dict[str, Any]:
    return {
        "run": run,
        "position": position,
        "identity": trial.identity,
        "level": trial.level,
        "coordinates": to_column(trial.coordinates),
        "seed": str(trial.seed),
        "fold": trial.fold,
        "experiment": to_column(trial.experiment),
        "status": "pending",
        "seconds": 0.0,
    }


def _same_trial(one: tuple[str, int, int], other: tuple[str, int, int]) -> CeterisError:
    if one == other:
        return CeterisError(f"the trial of level `{one[0]}`, seed {one[1]}, fold {one[2]} is planned twice")
    return CeterisError(
        f"level `{one[0]}` (seed {one[1]}, fold {one[2]}) and level `{other[0]}` (seed {other[1]}, fold "
        f"{other[2]}) are one and the same trial: their resolved experiments are equal; remove one of them"
    )


def trial_rows(connection: Connection, run: int, identities: Iterable[str]) -> dict[str, AnyRow]:
    """Return identity -> row (key, status, level, seed, fold); raise for one that the run does not have."""
    wanted = list(dict.fromkeys(identities))
    columns = (trials.c.identity, trials.c.key, trials.c.status, trials.c.level, trials.c.seed, trials.c.fold)
    found: dict[str, AnyRow] = {}
    for some in portions(wanted):
        here = (trials.c.run == run) & trials.c.identity.in_(some)
        found |= {row.identity: row for row in connection.execute(select(*columns).where(here))}
    missing = next((identity for identity in wanted if identity not in found), None)
    if missing is not None:
        raise _no_such_trial(connection, run, missing)
    return found


def _no_such_trial(connection: Connection, run: int, identity: str) -> CeterisError:
    known = connection.execute(select(trials.c.identity).where(trials.c.run == run)).scalars().all()
    guess = nearest(identity, known)
    hint = f"; did you mean `{guess}`?" if guess else ""
    return CeterisError(f"there is no trial `{identity}` in this run of {len(known)} trials{hint}")


def trial_keys(
    connection: Connection, run: int, identities: Iterable[str], known: dict[str, int]
) -> list[int]:
    """Return the keys of trials, looking up those that are not in ``known`` and adding them to it."""
    wanted = list(identities)
    unknown = [identity for identity in wanted if identity not in known]
    if unknown:
        known |= {identity: row.key for identity, row in trial_rows(connection, run, unknown).items()}
    return [known[identity] for identity in wanted]


def unended(rows: Mapping[str, AnyRow]) -> list[int]:
    """Return the keys of those trials that have not ended."""
    return [row.key for row in rows.values() if row.status not in ENDED]


def set_running(connection: Connection, keys: Sequence[int]) -> None:
    """Mark trials as running."""
    for some in portions(keys):
        connection.execute(update(trials).where(trials.c.key.in_(some)).values(status="running"))


def metric_set(connection: Connection, names: Sequence[str]) -> int:
    """Return the key of a set of metric names, which is made where it is new."""
    text = to_column(list(names))
    key = connection.execute(_METRIC_SET, {"text": text}).scalar_one_or_none()
    if key is None:
        key = connection.execute(insert(metric_sets).values(names=text)).lastrowid
    return int(key)


@lru_cache(maxsize=256)
def metric_names(text: str) -> tuple[str, ...]:
    """Return the names of a set as its column has them."""
    return tuple(from_column(text))


_METRIC_SET = select(metric_sets.c.key).where(metric_sets.c.names == bindparam("text"))


def append_epochs(
    connection: Connection,
    run: int,
    first: int,
    names: Sequence[str],
    blobs: Mapping[int, bytes],
) -> None:
    """Append the epochs from ``first`` on: trial key -> blob. What is there, or of an ended trial, stays."""
    fixed = {"in_run": run, "at_epoch": first, "in_set": metric_set(connection, names)}
    if blobs:
        connection.execute(_APPEND, [{"of": key, "blob": blob, **fixed} for key, blob in blobs.items()])


_APPEND = (
    insert(epochs)
    .prefix_with("OR IGNORE")
    .from_select(
        ["run", "epoch", "trial", "metrics", "block"],
        select(
            bindparam("in_run", type_=Integer),
            bindparam("at_epoch", type_=Integer),
            trials.c.key,
            bindparam("in_set", type_=Integer),
            bindparam("blob", type_=LargeBinary),
        ).where(trials.c.key == bindparam("of"), *(trials.c.status != ended for ended in ENDED)),
    )
)


def end(
    connection: Connection, run: int, ended: Mapping[int, EndedTrial], names: Mapping[int, dict[str, str]]
) -> None:
    """Give trials (by key) their outcome and their file ``names``, and compact their curves."""
    if not ended:
        return
    sets: dict[tuple[str, ...], int] = {}
    packed = {
        key: _compacted(connection, parts, sets)
        for key, parts in _epoch_parts(connection, run, ended).items()
    }
    rows = [
        {
            "trial": key,
            "status": trial.status,
            "diverged_step": trial.diverged_step,
            "seconds": trial.seconds,
            "initial_weights": names[key].get("initial"),
            "final_weights": names[key].get("final"),
            **packed[key],
        }
        for key, trial in ended.items()
    ]
    connection.execute(update(trials).where(trials.c.key == bindparam("trial")), rows)
    # The rows of a trial with a damaged epoch stay, so that what is whole in them is not lost.
    drop_epochs(connection, run, [key for key, columns in packed.items() if columns["curves"] is not None])


def _compacted(
    connection: Connection, parts: Sequence[tuple[str, bytes]], sets: dict[tuple[str, ...], int]
) -> dict[str, Any]:
    try:
        names, block = join_epochs([unpack_named(metric_names(names), blob) for names, blob in parts])
    except DamagedBlobError:
        return {"metrics": None, "curves": None}
    if names not in sets:
        sets[names] = metric_set(connection, names)
    return {"metrics": sets[names], "curves": pack(block)}


def _epoch_parts(connection: Connection, run: int, keys: Iterable[int]) -> dict[int, list[tuple[str, bytes]]]:
    """Return trial key -> (names as JSON, blob) of its epochs in order."""
    parts: dict[int, list[tuple[str, bytes]]] = {key: [] for key in keys}
    for some in portions(list(parts)):
        statement = (
            select(epochs.c.trial, metric_sets.c.names, as_blob(epochs.c.block))
            .join(metric_sets, metric_sets.c.key == epochs.c.metrics)
            .where(epochs.c.run == run, epochs.c.trial.in_(some))
            .order_by(epochs.c.epoch)
        )
        for row in connection.execute(statement):
            parts[row.trial].append((row.names, row.block))
    return parts


def restart(connection: Connection, run: int, kept: Mapping[int, int]) -> None:
    """Make unended trials pending again, with so many of their first epochs: trial key -> epochs."""
    by_kept: dict[int, list[int]] = {}
    for key, first in kept.items():
        by_kept.setdefault(first, []).append(key)
    for first, keys in by_kept.items():
        drop_epochs(connection, run, keys, first)
        drop_arrays(connection, run, keys, first)
    for some in portions(list(kept)):
        connection.execute(update(trials).where(trials.c.key.in_(some)).values(status="pending"))


def drop_epochs(connection: Connection, run: int, keys: Sequence[int], first: int = 0) -> None:
    """Remove the epochs of trials that have not ended, from the epoch ``first`` on."""
    for some in portions(keys):
        own = (epochs.c.run == run) & epochs.c.trial.in_(some)
        connection.execute(delete(epochs).where(own & (epochs.c.epoch >= first)))
        if first:
            _shorten(connection, own, first)


def _shorten(connection: Connection, own: ColumnElement[bool], first: int) -> None:
    """Cut what lies at the epoch ``first`` or after off the rows that begin before it."""
    columns = (epochs.c.run, epochs.c.epoch, epochs.c.trial, as_blob(epochs.c.block))
    for row in connection.execute(select(*columns).where(own)).all():
        with suppress(DamagedBlobError):
            block = unpack(row.block)
            if row.epoch + block.shape[1] > first:
                here = (epochs.c.epoch == row.epoch) & (epochs.c.trial == row.trial)
                shorter = pack(block[:, : first - row.epoch])
                connection.execute(
                    update(epochs).where((epochs.c.run == row.run) & here).values(block=shorter)
                )


def drop_arrays(connection: Connection, run: int, keys: Sequence[int], kept: int) -> None:
    """Remove the arrays of trials that were measured after more than ``kept`` epochs; with 0, all."""
    for some in portions(keys):
        later = arrays.c.epoch > (kept or -1)
        connection.execute(delete(arrays).where((arrays.c.run == run) & later & arrays.c.trial.in_(some)))


def portions(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Cut a sequence into parts that one statement can take."""
    for start in range(0, len(items), _IN_ONE_STATEMENT):
        yield items[start : start + _IN_ONE_STATEMENT]


def weights_file(connection: Connection, run: int, identity: str, kind: str) -> str | None:
    """Return the file name of a trial's weights, None where none were kept."""
    trial_rows(connection, run, [identity])
    column = trials.c.initial_weights if kind == "initial" else trials.c.final_weights
    here = select(column).where(trials.c.run == run, trials.c.identity == identity)
    name: str | None = connection.execute(here).scalar_one()
    return name
