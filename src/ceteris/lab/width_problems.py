"""Networks of trials whose training rows lack columns of a table: whether they can be as narrow as that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ceteris.data.dataset import Dataset
from ceteris.data.own_columns import OwnWidths
from ceteris.errors import CeterisError
from ceteris.lab.budget_problems import Found
from ceteris.nets.architecture import Architecture
from ceteris.spec.experiment import Experiment
from ceteris.spec.folds import Folds
from ceteris.spec.init import FileInit
from ceteris.spec.model import SequentialModel
from ceteris.train.plan import network


def width_problems(
    experiment: Experiment, dataset: Dataset, seeds: Sequence[int], folds: Folds | None
) -> Iterator[Found]:
    """Yield why a freely composed network, which fits the whole table, does not fit a trial's columns."""
    if dataset.table is None or not isinstance(experiment.model, SequentialModel):
        return
    widths = OwnWidths(dataset)
    for seed, fold in _places(seeds, folds):
        columns = widths.of(experiment.data, seed, fold, folds)
        try:
            network(experiment, dataset, {}, columns)
        except CeterisError as error:
            where = "" if folds is None else f", fold {fold}"
            told = f"the training rows of seed {seed}{where} have {columns} of {dataset.features} columns"
            yield from ((problem.where, f"{told}: {problem.message}") for problem in error.problems)
            return


def narrow_network(
    experiment: Experiment, dataset: Dataset, seeds: Sequence[int], folds: Folds | None
) -> Iterator[Architecture]:
    """Yield the network that all trials have whose training rows lack the same columns of a table.

    Only where values are given by name: those of such a network fit, though the table has more columns.
    """
    if dataset.table is None or not isinstance(experiment.model.init, FileInit):
        return
    widths = OwnWidths(dataset)
    try:
        lacking = {
            tuple(map(int, widths.absent(experiment.data, *place, folds))) for place in _places(seeds, folds)
        }
        if len(lacking) == 1:
            yield network(experiment, dataset, {}, dataset.features - len(*lacking))
    except CeterisError:  # of the split or the network, which is told where these are looked at
        return


def _places(seeds: Sequence[int], folds: Folds | None) -> Iterator[tuple[int, int]]:
    for seed in seeds:
        for fold in range(1 if folds is None else folds.k):
            yield seed, fold
