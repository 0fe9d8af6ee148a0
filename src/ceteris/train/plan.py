"""What a trial is before it runs, and which trials are trained together."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from types import MappingProxyType

from ceteris.data.dataset import Dataset
from ceteris.data.own_columns import OwnWidths
from ceteris.nets.architecture import Architecture, architecture
from ceteris.spec.experiment import Experiment
from ceteris.spec.folds import Folds
from ceteris.spec.losses import ONE_OUTPUT
from ceteris.spec.model import ModuleModel, SequentialModel
from ceteris.train.device_memory import device_bytes, resident_bytes, step_bytes
from ceteris.train.hyper import family
from ceteris.train.memory import DataSize, data_size, member_bytes, workspace_bytes
from ceteris.train.objective import resolved_loss


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
    accumulate: int
    epochs: int
    steps: int
    """Optimisation steps in one epoch. Members may differ in rows: their last batches then differ."""
    metrics: tuple[str, ...]
    precision: str = "float32"
    implementation: str = "builtin"
    probes: tuple[bool, bool, str, bool] = (True, False, "training", False)
    """What is gathered at steps, of single layers and parameters and the noise of the gradient; the rows on
    which activations are measured; and whether units are compared."""

    @property
    def runs_as_module(self) -> bool:
        """Whether it is trained as a ``torch.nn.Module`` rather than by the engines of stacked layers."""
        return self.net.runs_as_module or self.precision != "float32" or self.optimizer == "newton"

    @property
    def shares_work(self) -> bool:
        """Whether several threads of a process can share its training on the CPU."""
        return self.implementation == "builtin" and not self.runs_as_module


@dataclass(frozen=True)
class Cohort:
    """Trials that are trained together; ``index`` numbers the cohorts of a run from 0."""

    index: int
    structure: Structure
    trials: tuple[TrialPlan, ...]
    begin: int = 0
    """The epochs that its trials have behind them, and go on from."""
    data: DataSize | None = None
    """How large its data is; where that is not known, members alone count as memory."""
    on_device: bool = False
    """Whether a device with memory of its own trains it."""

    @property
    def steps(self) -> int:
        """Optimisation steps of one member in one epoch."""
        return self.structure.steps

    @property
    def work(self) -> float:
        """Rough cost in multiplications, by which cohorts are ordered and shared out.

        Trials that have all epochs behind them still have their end to tell.
        """
        rows = 1.5 * self.steps * self.structure.batch_size * self.structure.accumulate
        epochs = max(self.structure.epochs - self.begin, 1)
        return len(self.trials) * epochs * rows * (self.structure.net.n_multiplications + 1000)

    def bytes_per_member(self) -> int:
        """Memory that one member takes; see ``memory.member_bytes`` and ``device_memory``."""
        shape = self.structure
        experiments = [trial.experiment for trial in self.trials]
        if self.on_device:
            return resident_bytes(shape.net, experiments) + step_bytes(shape.net, experiments)
        return member_bytes(shape.net, experiments, as_module=shape.runs_as_module)

    def predicted_bytes(self, threads: int = 1) -> int:
        """Memory that the cohort takes in one process, or on its device.

        See ``ceteris.train.memory`` and ``ceteris.train.device_memory``.
        """
        shape, experiments = self.structure, [trial.experiment for trial in self.trials]
        members = len(self.trials) * self.bytes_per_member()
        if self.data is None:
            return members
        streams = [(t.experiment.data.scale, t.seed, t.fold) for t in self.trials]
        if self.on_device:
            return device_bytes(shape.net, experiments, self.data, streams)
        once = workspace_bytes(shape.net, experiments, as_module=shape.runs_as_module, threads=threads)
        return members + once + self.data.bytes(streams)

    def shards(self, parts: int, max_bytes: int) -> tuple[Cohort, ...]:
        """Cut the cohort into at least ``parts`` pieces where it has the members, each of bounded memory.

        What a piece takes whatever its members, such as the rows, no cut makes smaller: where that is most
        of ``max_bytes``, members may take half as much besides.
        """
        one = self._cut(len(self.trials))[0]
        most_bytes = max(max_bytes, one.predicted_bytes() - one.bytes_per_member() + max_bytes // 2)
        count = min(len(self.trials), max(parts, 1))
        while True:
            pieces = self._cut(count)
            most = max(piece.predicted_bytes() for piece in pieces)
            if most <= most_bytes or count == len(self.trials):
                return pieces
            count = min(len(self.trials), max(count + 1, count * most // max(most_bytes, 1) // 2))

    def _cut(self, count: int) -> tuple[Cohort, ...]:
        bounds = [round(i * len(self.trials) / count) for i in range(count + 1)]
        return tuple(replace(self, trials=self.trials[begin:end]) for begin, end in pairwise(bounds))


def separating(cohorts: Iterable[Cohort]) -> tuple[str, ...]:
    """Return the parts of ``Structure`` in which cohorts differ: why their trials are not stacked.

    ``steps`` only where nothing else explains them.
    """
    structures = [cohort.structure for cohort in cohorts]
    found = [f.name for f in fields(Structure) if len({getattr(own, f.name) for own in structures}) > 1]
    return tuple(name for name in found if name != "steps" or len(found) == 1)


def steps_per_epoch(rows: int, batch_size: int, last_batch: str, accumulate: int = 1) -> int:
    """Number of steps of ``accumulate`` batches, or what is left; see ``Experiment.last_batch``."""
    batches = rows // batch_size if last_batch == "drop" else -(-rows // batch_size)
    return -(-batches // accumulate)


def n_outputs(dataset: Dataset, loss: str) -> int:
    """How many outputs a network for this data has: classes (or one output for two), or target columns."""
    if dataset.task == "classification":
        return 1 if loss in ONE_OUTPUT else len(dataset.classes)
    return 1 if dataset.y.ndim == 1 else int(dataset.y.shape[1])


def n_features(dataset: Dataset) -> int:
    """How many input features a network for this data has."""
    size = 1
    for extent in dataset.x.shape[1:]:
        size *= int(extent)
    return size


@dataclass(frozen=True)
class ModuleKey:
    """What decides how a network of the user's own is laid out; ``arguments`` is JSON."""

    name: str
    arguments: str
    input: str
    shape: tuple[int, ...]
    n_out: int


@dataclass(frozen=True)
class ModuleRequest:
    """What a network of the user's own has to fit: rows of a shape, and so many outputs."""

    model: ModuleModel
    shape: tuple[int, ...]
    n_out: int
    classes: bool
    whole: tuple[int, int] | None = None
    """The smallest and the largest input where all are whole numbers."""
    scaled: bool = False
    """Whether such numbers are scaled, and so are whole no more."""


Modules = Mapping[ModuleKey, Architecture]
"""What the user's own networks consist of, as a worker has found."""


def module_key(experiment: Experiment, dataset: Dataset) -> ModuleKey:
    """Return the key of an experiment's network, which is one of the user's own."""
    model = experiment.model
    if not isinstance(model, ModuleModel):
        raise TypeError(f"a {model.kind} is not a network of the user's own")
    arguments = json.dumps(model.arguments, sort_keys=True)
    outputs = n_outputs(dataset, resolved_loss(experiment, dataset))
    return ModuleKey(model.name, arguments, model.input, dataset.shape, outputs)


def network(
    experiment: Experiment, dataset: Dataset, modules: Modules, columns: int | None = None
) -> Architecture:
    """Lay out an experiment's network for its data.

    Args:
        columns: those that the training rows of a fold have of a table, where the network is to be as wide.

    Raises:
        CeterisError: where a cnn does not fit the data, or a composed network its columns.
    """
    if isinstance(experiment.model, ModuleModel):
        return modules[module_key(experiment, dataset)]
    outputs, features = n_outputs(dataset, resolved_loss(experiment, dataset)), n_features(dataset)
    if columns is None or columns == features:
        return architecture(experiment.model, features, outputs, dataset.shape)
    return architecture(experiment.model, columns, outputs, (columns,), features)


def structure(
    experiment: Experiment,
    dataset: Dataset,
    training_rows: int,
    modules: Modules = MappingProxyType({}),
    columns: int | None = None,
) -> Structure:
    """Return what a trial of this experiment shares with the trials it can be stacked with.

    ``columns`` as in ``network``.
    """
    loss, probes = resolved_loss(experiment, dataset), experiment.probes
    return Structure(
        net=network(experiment, dataset, modules, columns),
        loss=loss,
        optimizer=family(experiment.optimizer),
        batch_size=experiment.batch_size,
        last_batch=experiment.last_batch,
        accumulate=experiment.accumulate,
        epochs=experiment.epochs,
        steps=steps_per_epoch(
            training_rows, experiment.batch_size, experiment.last_batch, experiment.accumulate
        ),
        metrics=experiment.metrics,
        precision=experiment.precision,
        implementation=experiment.implementation,
        probes=(probes.layers, probes.gradient_noise, probes.activation_rows, probes.units),
    )


def group_trials(
    plans: Iterable[TrialPlan],
    dataset: Dataset,
    training_rows: Mapping[str, int],
    modules: Modules = MappingProxyType({}),
) -> tuple[Cohort, ...]:
    """Group trials into cohorts, the most costly first; members of one seed stand together.

    Networks that are composed freely are as wide as the columns that a trial's training rows have of a table:
    a norm or an activation may come first there. Of other networks a stack is padded (``nets.reading``).

    Args:
        plans: the trials to train.
        dataset: the data that all of them read.
        training_rows: how many training rows each trial has, by identity.
        modules: the user's own networks.
    """
    groups: dict[Structure, list[TrialPlan]] = defaultdict(list)
    widths = OwnWidths(dataset)
    for plan in plans:
        columns = None
        if isinstance(plan.experiment.model, SequentialModel):
            columns = widths.of(plan.experiment.data, plan.seed, plan.fold, plan.folds)
        rows = training_rows[plan.identity]
        groups[structure(plan.experiment, dataset, rows, modules, columns)].append(plan)
    size = data_size(dataset, (trial.experiment for trials in groups.values() for trial in trials))
    cohorts = [
        Cohort(index, shape, tuple(sorted(trials, key=lambda t: (t.seed, t.fold))), data=size)
        for index, (shape, trials) in enumerate(groups.items())
    ]
    return tuple(sorted(cohorts, key=lambda cohort: -cohort.work))
