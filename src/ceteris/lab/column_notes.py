"""Networks that cannot start as narrow as a fold whose training rows lack a category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ceteris.data.dataset import Dataset
from ceteris.data.scaling import absent_categories
from ceteris.data.split import split_rows
from ceteris.evidence.wording import listing
from ceteris.nets.reading import reading_layer
from ceteris.spec.combine import Combination
from ceteris.spec.data import DataSpec
from ceteris.spec.folds import Folds
from ceteris.spec.model import ModuleModel
from ceteris.train.plan import Modules, network


def column_notes(
    found: Sequence[Combination],
    datasets: Mapping[str, Dataset],
    seeds: Sequence[int],
    folds: Folds | None,
    modules: Modules,
) -> tuple[str, ...]:
    """Say which levels start at the full width of a table though some training rows lack columns of it.

    A network whose columns are read by one linear layer starts as the narrower one (``nets.reading``), and
    so do linear layers of the user's own. Under a norm, or beside a residual sum, columns of zeros count.
    ``datasets`` are by the names that the combinations have for their data.
    """
    told: dict[str, list[str]] = {}
    for combination in found:
        experiment = combination.experiment
        dataset = datasets[experiment.data.reading]
        if dataset.table is None or isinstance(experiment.model, ModuleModel):
            continue
        if reading_layer(network(experiment, dataset, modules)) is None:
            lacking = _lacking(dataset, experiment.data, seeds, folds)
            told.setdefault(lacking, []).append(combination.label)
    return tuple(
        f"{lacking}; in a network that does not begin with a linear layer, or adds its inputs to what that "
        f"gives, such a column still counts as one of zeros, in norms and in the spread of initial weights "
        f"({listing(labels)})."
        for lacking, labels in told.items()
        if lacking
    )


def _lacking(dataset: Dataset, spec: DataSpec, seeds: Sequence[int], folds: Folds | None) -> str:
    """Name the first training rows that lack a column; empty where none do."""
    if dataset.table is None:
        return ""
    for seed in seeds:
        for fold in range(1 if folds is None else folds.k):
            train = split_rows(dataset, spec, seed, fold, folds).train
            absent = absent_categories(dataset.x, dataset.table.one_hot, train)
            if len(absent):
                names = [name for column in dataset.table.columns for name in column.feature_names]
                where = "" if folds is None else f", fold {fold}"
                return f"The training rows of seed {seed}{where} have no `{names[int(absent[0])]}`"
    return ""
