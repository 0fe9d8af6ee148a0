"""The columns of a table that training rows have: not those of categories that none of them has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Dataset
from ceteris.data.scaling import absent_categories
from ceteris.data.split import split_rows
from ceteris.spec.data import DataSpec
from ceteris.spec.folds import Folds


class OwnWidths:
    """How many columns the training rows of seeds and folds have; each split is looked at once."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._absent: dict[tuple[DataSpec, int, int, Folds | None], NDArray[np.int64]] = {}

    def of(self, spec: DataSpec, seed: int, fold: int, folds: Folds | None) -> int:
        """Return the number of columns that are not 0 in every training row, or of no table all features."""
        return self._dataset.features - len(self.absent(spec, seed, fold, folds))

    def absent(self, spec: DataSpec, seed: int, fold: int, folds: Folds | None) -> NDArray[np.int64]:
        """Return the numbers of the columns that the training rows lack."""
        table, place = self._dataset.table, (spec, seed, fold, folds)
        if table is None:
            return np.zeros(0, np.int64)
        if place not in self._absent:
            train = split_rows(self._dataset, spec, seed, fold, folds).train
            self._absent[place] = absent_categories(self._dataset.x, table.one_hot, train)
        return self._absent[place]
