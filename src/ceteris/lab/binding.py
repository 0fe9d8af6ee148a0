"""The second stage of checking: a study against its data, before anything is trained or recorded.

All problems are found at once, each at the level and the line that brought it about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ceteris.data.dataset import Dataset
from ceteris.data.label_noise import noisy_rows
from ceteris.errors import CeterisError, Problem, unknown_name
from ceteris.lab.datasets import LoadedData
from ceteris.lab.sizes import Sizes, sizes_of
from ceteris.nets.architecture import BatchNorm
from ceteris.spec.claim_check import SPREAD
from ceteris.spec.combine import Combination, combinations, seed_list
from ceteris.spec.data import DataSpec
from ceteris.spec.experiment import Experiment
from ceteris.spec.folds import Folds
from ceteris.spec.parse import ParsedStudy
from ceteris.train.plan import structure

ACCURACIES = ("train_accuracy", "val_accuracy", "train_accuracy_running", "gap_accuracy")


@dataclass(frozen=True)
class Bound:
    """A study that fits its data: what is trained, on which rows."""

    combinations: tuple[Combination, ...]
    sizes: Mapping[str, Sizes]
    """By label of the combination."""


Found = tuple[str, str]
"""Dotted path and message of a problem."""


@dataclass
class _SizesFound:
    """Sizes by label of the combination; each way to split is tried once."""

    seeds: tuple[int, ...]
    folds: Folds | None
    by_label: dict[str, Sizes] = field(default_factory=dict)
    tried: dict[DataSpec, Sizes | CeterisError] = field(default_factory=dict)

    def of(self, dataset: Dataset, spec: DataSpec) -> Sizes | CeterisError:
        """Return the sizes of the splits, or why there are none."""
        if spec not in self.tried:
            try:
                self.tried[spec] = sizes_of(dataset, spec, self.seeds, self.folds)
            except CeterisError as error:
                self.tried[spec] = error
        return self.tried[spec]


def bind(parsed: ParsedStudy, data: LoadedData, metrics: Sequence[str]) -> tuple[Bound, list[Problem]]:
    """Check every combination of a study against the data that it names.

    Args:
        parsed: the study, which knows its lines.
        data: the sources of all its combinations, loaded.
        metrics: names of the user's own metrics that were given.

    Returns:
        What was found out, which counts only where the list of problems is empty.
    """
    found = combinations(parsed.study)
    sizes = _SizesFound(seed_list(parsed.study), parsed.study.folds)
    problems: dict[Problem, None] = {}
    for combination in found:
        for path, message in _combination_problems(combination, data, metrics, sizes):
            problems[parsed.combination_problem(combination, path, message)] = None
    for path, message in (*_repeated(found), *_claim_problems(parsed, found, data, sizes.by_label)):
        problems[parsed.problem(path, message)] = None
    return Bound(found, sizes.by_label), list(problems)


def _combination_problems(
    combination: Combination, data: LoadedData, metrics: Sequence[str], sizes: _SizesFound
) -> Iterator[Found]:
    experiment = combination.experiment
    yield from _metric_problems(experiment, metrics)
    source = experiment.data.source
    if source in data.errors:
        yield from _as_found(data.errors[source], "experiment.data.source")
        return
    dataset = data.datasets[source]
    yield from _task_problems(experiment, dataset)
    own = sizes.of(dataset, experiment.data)
    if isinstance(own, CeterisError):
        yield from _as_found(own, "experiment.data")
        return
    sizes.by_label[combination.label] = own
    for (_, fold), (rows, _) in sorted(own.places.items(), key=lambda item: item[1]):
        where = f" in fold {fold}" if sizes.folds else ""
        found = list(_batch_problems(experiment, dataset, rows, where))
        if found:
            yield from found
            return


def _as_found(error: CeterisError, otherwise: str) -> Iterator[Found]:
    for problem in error.problems:
        inside = problem.where.startswith(("experiment.", "folds."))
        named = f"{problem.where}: " if problem.where and not inside else ""
        yield (problem.where if inside else otherwise), named + problem.message


def _metric_problems(experiment: Experiment, given: Sequence[str]) -> Iterator[Found]:
    for place, metric in enumerate(experiment.metrics):
        if ":" in metric or metric in given:
            continue
        where = f"experiment.metrics.{place}"
        if given:
            yield where, unknown_name("metric of your own", metric, list(given))
        else:
            yield (
                where,
                f"`{metric}` is a metric of your own, and it was not given: in Python, give "
                f"`metrics={{'{metric}': function}}`; in a file, write `package.module:{metric}`",
            )


def _task_problems(experiment: Experiment, dataset: Dataset) -> Iterator[Found]:
    if dataset.task == "regression" and experiment.loss == "cross_entropy":
        yield (
            "experiment.loss",
            f"cross_entropy needs classes, and `{dataset.name}` has numbers to predict; use mse",
        )
    if experiment.data.label_noise > 0:
        try:
            noisy_rows(dataset, np.empty(0, dtype=np.int64), experiment.data.label_noise, seed=0)
        except CeterisError as error:
            yield from _as_found(error, "experiment.data.label_noise")


def _batch_problems(experiment: Experiment, dataset: Dataset, rows: int, place: str) -> Iterator[Found]:
    size = experiment.batch_size
    if size > rows:
        yield (
            "experiment.batch_size",
            f"a batch of {size:,} rows cannot be filled: there are {rows:,} training rows of "
            f"`{dataset.name}`{place}; use at most {rows:,}",
        )
        return
    layers = structure(experiment, dataset, rows).net.layers
    if not any(isinstance(layer, BatchNorm) for layer in layers):
        return
    if size == 1:
        yield "experiment.batch_size", "batch norm needs at least 2 rows in a batch"
    elif rows % size == 1 and experiment.last_batch == "keep":
        yield (
            "experiment.batch_size",
            f"{rows:,} training rows{place} in batches of {size:,} leave a last batch of one row, which "
            "batch norm cannot normalise; set `last_batch: drop` or choose another batch size",
        )


def _repeated(found: Sequence[Combination]) -> Iterator[Found]:
    seen: dict[str, str] = {}
    for combination in found:
        text = combination.experiment.model_dump_json()
        if text in seen:
            yield (
                "vary",
                f"the levels `{seen[text]}` and `{combination.label}` are one and the same experiment, so "
                "they cannot differ; remove one of them",
            )
        seen.setdefault(text, combination.label)


def _claim_problems(
    parsed: ParsedStudy, found: Sequence[Combination], data: LoadedData, sizes: Mapping[str, Sizes]
) -> Iterator[Found]:
    known = [(c.experiment, data.datasets[c.experiment.data.source]) for c in found if c.label in sizes]
    numbers = [dataset.name for _, dataset in known if dataset.task == "regression"]
    parameters = dict.fromkeys(
        tensor.name
        for experiment, dataset in known
        for tensor in structure(experiment, dataset, 1).net.parameters
    )
    for place, claim in enumerate(parsed.study.claims):
        where = f"claims.{place}.metric"
        if numbers and claim.metric in ACCURACIES:
            yield where, f"`{numbers[0]}` has numbers to predict, which have no accuracy; use a loss"
        name = claim.metric.removeprefix(SPREAD)
        if known and claim.metric.startswith(SPREAD) and name not in parameters:
            yield where, unknown_name("parameter", name, list(parameters))
