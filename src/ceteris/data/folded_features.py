"""Why the folds of a table have different numbers of features: categories that stand in few rows.

A fold uses the features that its own training rows have (``ceteris.data.scaling``). Rows that are prepared
keep the width of the whole table; a network reads the fold's own columns of them (``ceteris.train.feeds``).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Dataset
from ceteris.data.folds import NEVER, fold_of_rows
from ceteris.data.scaling import BLOCK_ROWS
from ceteris.errors import CeterisError
from ceteris.spec.folds import Folds

SEED = 0
"""Of the folds that are looked at; another seed deals the rows differently."""


@dataclass(frozen=True)
class RareCategory:
    """A category (or the indicator of missing values) that some fold does not train on."""

    feature: str
    rows: int
    """In the whole table; at least 1."""
    lacking: tuple[int, ...]
    """Folds none of whose training rows has it."""


@dataclass(frozen=True)
class FoldedFeatures:
    """How many features the training rows of each fold have, and which are lacking where."""

    width: int
    """Features of the whole table: the union of those of all folds."""
    empty: int
    """Features that no row of the table has: indicators of missing values where none is missing."""
    kind: str
    """How the rows were dealt."""
    features: tuple[int, ...]
    """Per fold."""
    rare: tuple[RareCategory, ...]
    """Fewest rows first."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "seed": SEED}


def features_by_fold(dataset: Dataset, k: int) -> FoldedFeatures | None:
    """Return what ``k`` folds of seed 0 have of a table's features; None where the rows are no table.

    Folds are of the default kind, or plain where a class has too few rows for that. Raises ``CeterisError``
    for more folds than rows.
    """
    if dataset.table is None:
        return None
    try:
        folds = Folds(k=k).resolved(dataset.task)
        own = fold_of_rows(dataset, folds, SEED)
    except CeterisError:
        folds = Folds(k=k, kind="plain")
        own = fold_of_rows(dataset, folds, SEED)
    one_hot = dataset.table.one_hot
    held = _rows_with_each(dataset.x, own, k)
    total = held.sum(axis=0)
    trained = total - held[1:]  # a fold trains on every row that it does not validate
    lacking = one_hot & (trained == 0)
    names = [name for column in dataset.table.columns for name in column.feature_names]
    rare = [
        RareCategory(names[place], int(total[place]), tuple(map(int, np.flatnonzero(lacking[:, place]))))
        for place in np.flatnonzero(lacking.any(axis=0) & (total > 0))
    ]
    return FoldedFeatures(
        width=len(one_hot),
        empty=int((one_hot & (total == 0)).sum()),
        kind=str(folds.kind),
        features=tuple(map(int, len(one_hot) - lacking.sum(axis=1))),
        rare=tuple(sorted(rare, key=lambda one: one.rows)),
    )


def _rows_with_each(x: NDArray[Any], own: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Count the rows of each fold with each one-hot feature, (1 + k, features); first the unvalidated."""
    found = np.zeros((1 + k, x.shape[1]), dtype=np.int64)
    for begin in range(0, len(x), BLOCK_ROWS):
        has, of = x[begin : begin + BLOCK_ROWS] == 1, own[begin : begin + BLOCK_ROWS]
        for fold in np.unique(of):
            found[fold - NEVER] += has[of == fold].sum(axis=0)
    return found
