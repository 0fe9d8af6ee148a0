"""Training and validation rows, carved from the training rows of a data set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Dataset
from ceteris.data.folds import fold_parts
from ceteris.data.stratify import first_of_each_class, stratified_order
from ceteris.draws import stream_key
from ceteris.errors import CeterisError, Problem
from ceteris.spec.data import DataSpec
from ceteris.spec.folds import Folds

FIXED_SEED = 0
"""A fixed split is the one that this seed draws, whatever the trial's seed."""


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of ``Dataset.x``, sorted ascending; no row is in both parts."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]


def split_rows(
    dataset: Dataset, spec: DataSpec, seed: int, fold: int = 0, folds: Folds | None = None
) -> Split:
    """Part the rows into those that validate and those that train, and limit the latter.

    Without folds the validation rows are carved from the data set, stratified by class; they depend on
    the seed (with ``split: fixed`` on nothing) and their number alone. With folds they are those of
    ``fold`` (``fold_of_rows``). The training rows are what is left, or the first ``spec.rows`` of what is
    left in an order drawn by the seed, so that a smaller training set is part of every larger one.
    Raises CeterisError for sizes that cannot be had.
    """
    if folds is None:
        train, validation = _carved(dataset, spec, seed)
    else:
        _check_folds_alone(spec)
        train, validation = fold_parts(dataset, folds, split_seed(spec, seed), fold)
    if spec.rows is not None:
        _check_rows(dataset, spec.rows, len(train))
        stratify = dataset.task == "classification"
        kept = stratified_order(dataset.y[train], stream_key(seed, "rows"), stratify=stratify)[: spec.rows]
        train = train[np.sort(kept)]
    return Split(train=train, validation=validation)


def _carved(dataset: Dataset, spec: DataSpec, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (training, validation) rows, each sorted ascending."""
    stratify = dataset.task == "classification"
    if stratify and spec.validation != 0:
        _check_classes(dataset)
    size = validation_size(dataset, spec)
    key = stream_key(split_seed(spec, seed), "split")
    order = stratified_order(dataset.y, key, stratify=stratify)
    if not spec.validation_balanced:
        return np.sort(order[size:]), np.sort(order[:size])
    validation = np.sort(first_of_each_class(dataset.y, order, _rows_per_class(dataset, size)))
    return np.setdiff1d(order, validation), validation


def _rows_per_class(dataset: Dataset, size: int) -> int:
    """Return how many rows of each class a balanced validation split of at most ``size`` rows has."""
    if dataset.task != "classification":
        raise _problem(
            "validation_balanced", f"`{dataset.name}` has numbers to predict; balancing needs classes"
        )
    labels, counts = np.unique(dataset.y, return_counts=True)
    rare, each = int(np.argmin(counts)), size // len(counts)
    if each >= counts[rare]:
        most = (int(counts[rare]) - 1) * len(counts)
        raise _problem(
            "validation_balanced",
            f"a balanced split of {_rows(size, 'validation row')} takes {each:,} of every class, and class "
            f"`{dataset.classes[int(labels[rare])]}` of `{dataset.name}` has {counts[rare]:,}; with "
            f"`validation` of at most {most:,} rows one is left to train on",
        )
    return each


def split_seed(spec: DataSpec, seed: int) -> int:
    """Return the seed by which the split is drawn."""
    return seed if spec.split == "per-seed" else FIXED_SEED


def validation_size(dataset: Dataset, spec: DataSpec) -> int:
    """Return the number of validation rows: as the experiment says, else the data set's own default.

    None (0) only where the experiment says so. Raises CeterisError where either part would be too small
    to hold a row of every class.
    """
    n, least = len(dataset.x), _least(dataset)
    wanted = dataset.default_validation if spec.validation is None else spec.validation
    size = wanted if isinstance(wanted, int) else max(1, round(wanted * n))
    if size == 0 and not spec.validation_balanced:
        return 0
    if size > n - least:
        raise _problem(
            "validation",
            f"{_rows(size, 'validation row')} cannot be carved from the {n:,} rows of `{dataset.name}`; "
            f"at most {max(n - least, 0):,} leave {_one_of_each(dataset)} to train on",
        )
    if size < least:
        raise _problem(
            "validation",
            f"{_rows(size, 'validation row')} of `{dataset.name}` cannot hold {_one_of_each(dataset)}; "
            f"use at least {least}",
        )
    return size


def _check_folds_alone(spec: DataSpec) -> None:
    if spec.validation_balanced:
        raise _problem(
            "validation_balanced",
            "with folds every row validates once, so they cannot be balanced; remove this",
        )
    if spec.validation is not None:
        raise _problem(
            "validation", "the folds of the study say which rows validate; remove this setting, or the folds"
        )


def _check_rows(dataset: Dataset, rows: int, left: int) -> None:
    if rows > left:
        raise _problem(
            "rows",
            f"{_rows(rows, 'training row')} cannot be taken: {left:,} of the {len(dataset.x):,} rows of "
            f"`{dataset.name}` are left after the split",
        )
    if rows < _least(dataset):
        raise _problem(
            "rows",
            f"{_rows(rows, 'training row')} of `{dataset.name}` cannot hold {_one_of_each(dataset)}; "
            f"use at least {_least(dataset)}",
        )


def _check_classes(dataset: Dataset) -> None:
    """Refuse a class with a single row: it cannot be both trained and validated on."""
    labels, counts = np.unique(dataset.y, return_counts=True)
    alone = [dataset.classes[int(label)] for label in labels[counts == 1]]
    if not alone:
        return
    named = ", ".join(f"`{name}`" for name in alone[:3]) + (", ..." if len(alone) > 3 else "")
    has = (
        f"class {named} of `{dataset.name}` has"
        if len(alone) == 1
        else (f"{len(alone)} classes of `{dataset.name}` ({named}) have")
    )
    raise _problem(
        "source",
        f"{has} 1 row, and a class needs at least 2: one to train on and one to validate on",
    )


def _least(dataset: Dataset) -> int:
    """Return the smallest part that holds every class that occurs."""
    return len(np.unique(dataset.y)) if dataset.task == "classification" else 1


def _one_of_each(dataset: Dataset) -> str:
    return f"a row of each of its {_least(dataset)} classes" if dataset.task == "classification" else "a row"


def _rows(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _problem(field: str, message: str) -> CeterisError:
    return CeterisError(Problem(message, where=f"experiment.data.{field}"))
