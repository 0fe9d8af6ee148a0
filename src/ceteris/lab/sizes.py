"""How many rows the trials of a level train and validate on: for every seed and fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ceteris.data.dataset import Dataset
from ceteris.data.preparation import check_content
from ceteris.data.split import split_rows
from ceteris.spec.data import DataSpec
from ceteris.spec.folds import Folds

Place = tuple[int, int]
"""(seed, fold)."""


@dataclass(frozen=True)
class Sizes:
    """Rows of the trials of one level; seeds that are not in ``places`` have those of the first seed."""

    places: Mapping[Place, tuple[int, int]]
    """(seed, fold) -> (training rows, validation rows)."""

    @property
    def training(self) -> int:
        """Training rows of the first seed's first fold, which is all there is without folds."""
        return next(iter(self.places.values()))[0]

    @property
    def validation(self) -> int:
        """Rows that one seed validates on: without folds those of its split, else of all folds together."""
        return sum(validation for _, validation in self.of_first_seed)

    @property
    def of_first_seed(self) -> tuple[tuple[int, int], ...]:
        """(training rows, validation rows) of each fold of the first seed."""
        first, _ = next(iter(self.places))
        return tuple(rows for (seed, _), rows in self.places.items() if seed == first)

    def training_rows(self, seed: int, fold: int) -> int:
        """Return the number of training rows of one trial."""
        return self._of(seed, fold)[0]

    def measured_rows(self, seed: int, fold: int) -> int:
        """Return how many rows one trial is evaluated on after an epoch: as many of each split, at most."""
        training, validation = self._of(seed, fold)
        return validation + min(validation or training, training)

    def _of(self, seed: int, fold: int) -> tuple[int, int]:
        first, _ = next(iter(self.places))
        return self.places[(seed, fold) if (seed, fold) in self.places else (first, fold)]


def sizes_of(dataset: Dataset, spec: DataSpec, seeds: Sequence[int], folds: Folds | None) -> Sizes:
    """Count the rows of every split. Raises CeterisError where one cannot be had.

    Only grouped folds that are drawn anew have other sizes for other seeds; else one seed stands for all.
    """
    check_content(dataset, spec)
    by_seed = folds is not None and folds.kind_for(dataset.task) == "grouped" and spec.split == "per-seed"
    places = {}
    for seed in seeds if by_seed else seeds[:1]:
        for fold in range(1 if folds is None else folds.k):
            split = split_rows(dataset, spec, seed, fold, folds)
            places[seed, fold] = len(split.train), len(split.validation)
    return Sizes(places)
