"""What a trial is before it runs, and which trials are trained together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from ceteris.data.dataset import Dataset
from ceteris.nets.architecture import Architecture, architecture
from ceteris.spec.experiment import Experiment
from ceteris.spec.folds import Folds
from ceteris.train.hyper import state_slots

FLOAT_BYTES = 4


@dataclass(frozen=True)
class TrialPlan:
    """One combination of levels with one seed and one fold, ready to be trained."""

    identity: str
    level: str
    coordinates: Mapping[str, str]
    seed: int
    fold: int
    experiment: Experiment
    folds: Folds | None = None
    """How the rows of its study are dealt into folds; None where there are none."""


@dataclass(frozen=True)
class Structure:
    """What trials must have in common to be trained in one stacked program."""

    net: Architecture
    loss: str
    optimizer: str
    batch_size: int
    last_batch: str
    epochs: int
    steps: int
    """Optimisation steps in one epoch. Members may differ in rows: their last batches then differ."""
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class Cohort:
    """Trials that are trained together; ``index`` numbers the cohorts of a run from 0."""

    index: int
    structure: Structure
    trials: tuple[TrialPlan, ...]

    @property
    def steps(self) -> int:
        """Optimisation steps of one member in one epoch."""
        return self.structure.steps

    @property
    def work(self) -> float:
        """Rough cost in multiplications, by which cohorts are ordered and shared out."""
        rows = 1.5 * self.steps * self.structure.batch_size
        return len(self.trials) * self.structure.epochs * rows * (self.structure.net.n_parameters + 1000)

    def bytes_per_member(self) -> int:
        """Memory that one member takes: parameters, optimiser state, initial weights."""
        slots = state_slots([trial.experiment.optimizer for trial in self.trials])
        return FLOAT_BYTES * (self.structure.net.n_parameters * (2 + slots) + self.structure.net.n_buffers)

    def shards(self, parts: int, max_bytes: int) -> tuple[Cohort, ...]:
        """Cut the cohort into at least ``parts`` pieces where it has the members, each of bounded memory."""
        limit = max(1, max_bytes // self.bytes_per_member())
        count = min(len(self.trials), max(parts, -(-len(self.trials) // limit)))
        bounds = [round(i * len(self.trials) / count) for i in range(count + 1)]
        return tuple(
            Cohort(self.index, self.structure, self.trials[begin:end]) for begin, end in pairwise(bounds)
        )


def steps_per_epoch(rows: int, batch_size: int, last_batch: str) -> int:
    """Number of batches: a smaller last one is kept or dropped."""
    return rows // batch_size if last_batch == "drop" else -(-rows // batch_size)


def resolved_loss(experiment: Experiment, dataset: Dataset) -> str:
    """Return the loss that ``auto`` stands for: by the task of the data."""
    if experiment.loss != "auto":
        return experiment.loss
    return "cross_entropy" if dataset.task == "classification" else "mse"


def n_outputs(dataset: Dataset) -> int:
    """How many outputs a network for this data has: classes, or target columns."""
    if dataset.task == "classification":
        return len(dataset.classes)
    return 1 if dataset.y.ndim == 1 else int(dataset.y.shape[1])


def n_features(dataset: Dataset) -> int:
    """How many input features a network for this data has."""
    size = 1
    for extent in dataset.x.shape[1:]:
        size *= int(extent)
    return size


def structure(experiment: Experiment, dataset: Dataset, training_rows: int) -> Structure:
    """Return what a trial of this experiment shares with the trials it can be stacked with."""
    return Structure(
        net=architecture(experiment.model, n_features(dataset), n_outputs(dataset)),
        loss=resolved_loss(experiment, dataset),
        optimizer="sgd" if experiment.optimizer.kind == "sgd" else "adam",
        batch_size=experiment.batch_size,
        last_batch=experiment.last_batch,
        epochs=experiment.epochs,
        steps=steps_per_epoch(training_rows, experiment.batch_size, experiment.last_batch),
        metrics=experiment.metrics,
    )


def group_trials(
    plans: Iterable[TrialPlan], dataset: Dataset, training_rows: Mapping[str, int]
) -> tuple[Cohort, ...]:
    """Group trials into cohorts, the most costly first; members of one seed stand together.

    Args:
        plans: the trials to train.
        dataset: the data that all of them read.
        training_rows: how many training rows each trial has, by identity.
    """
    groups: dict[Structure, list[TrialPlan]] = defaultdict(list)
    for plan in plans:
        groups[structure(plan.experiment, dataset, training_rows[plan.identity])].append(plan)
    cohorts = [
        Cohort(index, shape, tuple(sorted(trials, key=lambda t: (t.seed, t.fold))))
        for index, (shape, trials) in enumerate(groups.items())
    ]
    return tuple(sorted(cohorts, key=lambda cohort: -cohort.work))
