"""Which fold validates which row: stratified, plain, grouped, or in the order of time."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Dataset
from ceteris.draws import Key, permutation, stream_key
from ceteris.errors import CeterisError, Problem, unknown_name
from ceteris.spec.folds import Folds

NEVER = -1
"""The fold of a row that is never validated: the first block of folds in the order of time."""

Rows = NDArray[np.int64]


def fold_of_rows(dataset: Dataset, folds: Folds, seed: int) -> Rows:
    """Return for each row the number (from 0) of the only fold that validates it, shape (N,).

    `stratified`: folds differ by at most one row, in all and in each class. `plain`: by at most one
    row. `grouped`: rows of one group are in one fold, and folds differ by at most the rows of the
    largest group. `time`: the last k of k + 1 blocks of the rows as they stand; all validation blocks
    have N // (k + 1) rows, the first block has the rest and the fold `NEVER`; drawn by no seed.
    Raises CeterisError for folds that these rows cannot be dealt into.
    """
    key = stream_key(seed, "folds")
    kind = folds.kind_for(dataset.task)
    if kind == "time":
        return _blocks(dataset, folds.k)
    if kind == "grouped":
        return _dealt_groups(_groups(dataset, folds), folds.k, key)
    _check_rows(dataset, folds.k, folds.k)
    order = permutation(key, len(dataset.x))
    if kind == "stratified":
        _check_classes(dataset, folds.k)
        order = order[np.argsort(dataset.y[order], kind="stable")]
    return _dealt(order, folds.k)


def fold_parts(dataset: Dataset, folds: Folds, seed: int, fold: int) -> tuple[Rows, Rows]:
    """Return the (training, validation) row numbers of one fold, each sorted ascending."""
    if not 0 <= fold < folds.k:
        raise ValueError(f"there is no fold {fold} among {folds.k}")
    own = fold_of_rows(dataset, folds, seed)
    if folds.kind_for(dataset.task) == "time":
        return np.flatnonzero(own < fold), np.flatnonzero(own == fold)
    return np.flatnonzero(own != fold), np.flatnonzero(own == fold)


def _dealt(order: Rows, k: int) -> Rows:
    """Deal rows into k folds one by one in this order, as cards are dealt."""
    own = np.empty(len(order), dtype=np.int64)
    own[order] = np.arange(len(order)) % k
    return own


def _blocks(dataset: Dataset, k: int) -> Rows:
    _check_rows(dataset, k, k + 1)
    n = len(dataset.x)
    size = n // (k + 1)
    return np.maximum((np.arange(n) - (n - k * size)) // size, NEVER)


def _dealt_groups(groups: NDArray[Any], k: int, key: Key) -> Rows:
    """Give each group, in random order, to the fold that has the fewest rows so far."""
    _, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    loads = [(0, fold) for fold in range(k)]
    fold_of_group = np.empty(len(counts), dtype=np.int64)
    for group in permutation(key, len(counts)):
        rows, fold = heapq.heappop(loads)
        fold_of_group[group] = fold
        heapq.heappush(loads, (rows + int(counts[group]), fold))
    return fold_of_group[codes]


def _groups(dataset: Dataset, folds: Folds) -> NDArray[Any]:
    name = folds.groups or ""
    if name not in dataset.columns:
        raise _problem("groups", _unknown(name, dataset))
    groups = dataset.columns[name]
    if groups.dtype.kind == "f" and not np.isfinite(groups).all():
        row = int(np.argmin(np.isfinite(groups)))
        raise _problem("groups", f"`{name}` of `{dataset.name}` names no group in row {row} ({groups[row]})")
    found = len(np.unique(groups))
    if found < folds.k:
        raise _problem(
            "k",
            f"{folds.k} folds need at least {folds.k} groups, and `{name}` of `{dataset.name}` has {found}",
        )
    return groups


def _unknown(name: str, dataset: Dataset) -> str:
    if not dataset.columns:
        return (
            f"`{dataset.name}` has no array `{name}`; besides its inputs and targets there is none with one "
            "number or text per row"
        )
    return unknown_name("array with one value per row", name, list(dataset.columns))


def _check_rows(dataset: Dataset, k: int, least: int) -> None:
    if len(dataset.x) < least:
        after = "" if least == k else " in the order of time"
        raise _problem(
            "k", f"{k} folds{after} need at least {least:,} rows, and `{dataset.name}` has {len(dataset.x):,}"
        )


def _check_classes(dataset: Dataset, k: int) -> None:
    if dataset.task != "classification":
        raise _problem(
            "kind", f"stratified folds need classes, and `{dataset.name}` has numbers to predict; use `plain`"
        )
    labels, counts = np.unique(dataset.y, return_counts=True)
    smallest = int(np.argmin(counts))
    rows = int(counts[smallest])
    if rows < k:
        fewer = f"use at most {rows:,} folds, or" if rows > 1 else "use"
        raise _problem(
            "k",
            f"{k} stratified folds need {k} rows of every class, and class "
            f"`{dataset.classes[int(labels[smallest])]}` of `{dataset.name}` has {rows:,}; "
            f"{fewer} `kind: plain`",
        )


def _problem(field: str, message: str) -> CeterisError:
    return CeterisError(Problem(message, where=f"folds.{field}"))
