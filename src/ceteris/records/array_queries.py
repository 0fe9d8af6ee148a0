"""Arrays of epochs in the database. Each function works in an open transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Integer, LargeBinary, Text, bindparam, insert, select

from ceteris.records.entries import ArrayName
from ceteris.records.schema import AnyRow, arrays, as_blob, trials
from ceteris.records.trial_queries import ENDED


def append_arrays(
    connection: Connection, run: int, epoch: int, blobs: Mapping[int, Mapping[ArrayName, bytes]]
) -> None:
    """Append arrays of one epoch: trial key -> (kind, name) -> blob.

    What is there already, or is of an ended trial, stays.
    """
    rows = [
        {"of": key, "of_kind": kind, "called": name, "blob": blob, "in_run": run, "at_epoch": epoch}
        for key, own in blobs.items()
        for (kind, name), blob in own.items()
    ]
    if rows:
        connection.execute(_APPEND, rows)


_APPEND = (
    insert(arrays)
    .prefix_with("OR IGNORE")
    .from_select(
        ["run", "epoch", "trial", "kind", "name", "block"],
        select(
            bindparam("in_run", type_=Integer),
            bindparam("at_epoch", type_=Integer),
            trials.c.key,
            bindparam("of_kind", type_=Text),
            bindparam("called", type_=Text),
            bindparam("blob", type_=LargeBinary),
        ).where(trials.c.key == bindparam("of"), *(trials.c.status != ended for ended in ENDED)),
    )
)


def array_rows(connection: Connection, run: int, kinds: Sequence[str]) -> Sequence[AnyRow]:
    """Fetch the arrays of some kinds with their trials (identity, level, seed, fold).

    They come in the order of the trials; within one by kind, name and epoch.
    """
    columns = (trials.c.identity, trials.c.level, trials.c.seed, trials.c.fold)
    statement = (
        select(*columns, arrays.c.kind, arrays.c.name, arrays.c.epoch, as_blob(arrays.c.block))
        .join(trials, trials.c.key == arrays.c.trial)
        .where(arrays.c.run == run, arrays.c.kind.in_(kinds))
        .order_by(trials.c.position, arrays.c.kind, arrays.c.name, arrays.c.epoch)
    )
    return connection.execute(statement).all()
