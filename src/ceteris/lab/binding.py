"""The second stage of checking: a study against its data, before anything is trained or recorded.

All problems are found at once, each at the level and the line that brought it about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from ceteris.data.dataset import Dataset
from ceteris.data.doubts import identifier_problems
from ceteris.data.label_noise import noisy_rows
from ceteris.data.reduction import image_axes
from ceteris.data.target_scaling import fit_targets
from ceteris.errors import CeterisError, Problem, unknown_name
from ceteris.lab.budget_problems import Found, batch_problems, warm_up_problems
from ceteris.lab.datasets import LoadedData
from ceteris.lab.implementations import implementation_problems
from ceteris.lab.initial_values import Read
from ceteris.lab.newton_problems import newton_problems
from ceteris.lab.own_modules import integer_problems
from ceteris.lab.own_outputs import output_problems
from ceteris.lab.probe_problems import probe_problems, unmeasured
from ceteris.lab.sizes import Sizes, sizes_of
from ceteris.lab.width_problems import narrow_network, width_problems
from ceteris.nets.architecture import Architecture
from ceteris.nets.given import value_problems
from ceteris.nets.hidden import hidden_layers
from ceteris.nets.initial import unknown_layers
from ceteris.spec.combine import Combination, combinations, seed_list
from ceteris.spec.data import DataSpec
from ceteris.spec.experiment import Experiment
from ceteris.spec.folds import Folds
from ceteris.spec.init import FileInit, OwnInit
from ceteris.spec.metrics import PROVIDED_METRICS
from ceteris.spec.model import ModuleModel
from ceteris.spec.parse import ParsedStudy
from ceteris.spec.probes import OF_LAYERS, probe_parts
from ceteris.train.objective import (
    objective_problems,
    precision_problems,
    resolved_loss,
    watched_problems,
)
from ceteris.train.plan import ModuleKey, Modules, module_key, network

ON_VALIDATION = ("val_", "gap_")
"""How the names of metrics begin that rows which do not train are needed for."""
ACCURACIES = ("train_accuracy", "val_accuracy", "train_accuracy_running", "gap_accuracy")


@dataclass(frozen=True)
class Bound:
    """A study that fits its data: what is trained, on which rows."""

    combinations: tuple[Combination, ...]
    sizes: Mapping[str, Sizes]
    """By label of the combination."""
    modules: Modules
    """What the user's own networks consist of, where that is known."""


Inspected = Mapping[ModuleKey, Architecture | tuple[Problem, ...]]
"""The user's own networks as a worker found them: what they consist of, or what is wrong."""


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


@dataclass
class _Networks:
    """The networks of combinations by label, as far as they are known and fit their data."""

    given: Sequence[str]
    """Names of the user's own networks that were given."""
    inspected: Inspected
    initial: Read
    """Values that parameters start from, by file."""
    by_label: dict[str, Architecture] = field(default_factory=dict)

    def examine(self, combination: Combination, dataset: Dataset, sizes: _SizesFound) -> Iterator[Found]:
        """Lay out a combination's network, and yield why it cannot be trained on the data."""
        experiment, where = combination.experiment, "experiment.model"
        if isinstance(experiment.model, ModuleModel):
            yield from _own_network_problems(experiment.model.name, self.given)
            yield from integer_problems(experiment, dataset)
            found = self.inspected.get(module_key(experiment, dataset))
            if isinstance(found, tuple):
                yield from _as_found(CeterisError(found), where)
            elif found is not None:
                self.by_label[combination.label] = found
                yield from output_problems(experiment, dataset, found)
                yield from self._initial_problems([found], experiment)
            return
        try:
            net = network(experiment, dataset, {})
        except CeterisError as error:
            yield from _as_found(error, where)
            return
        self.by_label[combination.label] = net
        yield from self._initial_problems(
            [net, *narrow_network(experiment, dataset, sizes.seeds, sizes.folds)], experiment
        )
        for name, message in unknown_layers(net, experiment.model.init):
            yield f"{where}.init.layers.{name}", message

    def _initial_problems(self, nets: Sequence[Architecture], experiment: Experiment) -> Iterator[Found]:
        """Yield why initial values or a function of the user's cannot start a network: any of ``nets``."""
        init = experiment.model.init
        where = "experiment.model.init"
        if isinstance(init, OwnInit) and ":" not in init.name and init.name not in self.given:
            yield f"{where}.name", _not_given(init.name, "initialisation", self.given, "initial")
        if not isinstance(init, FileInit):
            return
        values = self.initial.get(init.file)
        if isinstance(values, CeterisError):
            yield f"{where}.file", str(values)
        elif values is not None:
            found = [list(value_problems(net, init, values)) for net in nets]
            for path, message in found[0] if all(found) else ():
                yield f"{where}.{path}", message


def bind(
    parsed: ParsedStudy,
    data: LoadedData,
    metrics: Sequence[str],
    modules: Sequence[str] = (),
    inspected: Inspected = MappingProxyType({}),
    initial: Read = MappingProxyType({}),
) -> tuple[Bound, list[Problem]]:
    """Check every combination of a study against the data that it names.

    Args:
        parsed: the study, which knows its lines.
        data: the sources of all its combinations, loaded.
        metrics: names of the user's own metrics that were given.
        modules: names of the user's own networks that were given.
        inspected: what a worker found out about the user's own networks, once it was asked.
        initial: values that parameters start from, by the file that experiments name.

    Returns:
        What was found out, which counts only where the list of problems is empty.
    """
    found = combinations(parsed.study)
    sizes = _SizesFound(seed_list(parsed.study), parsed.study.folds)
    networks = _Networks(modules, inspected, initial)
    problems: dict[Problem, None] = {}
    for combination in found:
        for path, message in _combination_problems(combination, data, metrics, sizes, networks):
            problems[parsed.combination_problem(combination, path, message)] = None
    read = [data.datasets[c.experiment.data.reading] for c in found if c.label in sizes.by_label]
    nets = [networks.by_label.get(c.label) for c in found if c.label in sizes.by_label]
    for path, message in (*_repeated(found), *_claim_problems(parsed, found, read, nets)):
        problems[parsed.problem(path, message)] = None
    known = {key: net for key, net in inspected.items() if isinstance(net, Architecture)}
    return Bound(found, sizes.by_label, known), list(problems)


def _combination_problems(
    combination: Combination,
    data: LoadedData,
    metrics: Sequence[str],
    sizes: _SizesFound,
    networks: _Networks,
) -> Iterator[Found]:
    experiment = combination.experiment
    yield from _metric_problems(experiment, metrics)
    yield from warm_up_problems(experiment)
    source = experiment.data.reading
    if source in data.errors:
        yield from _as_found(data.errors[source], "experiment.data.source")
        return
    dataset = data.datasets[source]
    yield from _task_problems(experiment, dataset)
    yield from _augment_problems(experiment, dataset)
    yield from probe_problems(experiment, dataset)
    yield from implementation_problems(experiment, resolved_loss(experiment, dataset))
    yield from networks.examine(combination, dataset, sizes)
    yield from newton_problems(experiment, networks.by_label.get(combination.label))
    own = sizes.of(dataset, experiment.data)
    if isinstance(own, CeterisError):
        yield from _as_found(own, "experiment.data")
        return
    sizes.by_label[combination.label] = own
    if combination.label in networks.by_label:
        yield from width_problems(experiment, dataset, sizes.seeds, sizes.folds)
    for (_, fold), (rows, _) in sorted(own.places.items(), key=lambda item: item[1]):
        where = f" in fold {fold}" if sizes.folds else ""
        net = networks.by_label.get(combination.label)
        found = list(batch_problems(experiment, dataset, net, rows, where))
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
        if ":" in metric or metric in given or metric in PROVIDED_METRICS:
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


def _own_network_problems(name: str, given: Sequence[str]) -> Iterator[Found]:
    if ":" not in name and name not in given:
        yield "experiment.model.name", _not_given(name, "network", given, "model")


def _not_given(name: str, what: str, given: Sequence[str], argument: str) -> str:
    if given:
        return unknown_name(f"{what} of your own", name, list(given))
    article = "an" if what[0] in "aeiou" else "a"
    return (
        f"`{name}` is {article} {what} of your own, and it was not given: in Python, give "
        f"`{argument}={name}`; in a file, write `package.module:{name}`"
    )


def _task_problems(experiment: Experiment, dataset: Dataset) -> Iterator[Found]:
    drawn = bool(dataset.truth)  # what is drawn from a formula has the classes that the formula says
    if dataset.task == "classification" and (dataset.y == dataset.y[0]).all() and not drawn:
        yield (
            "experiment.data.source",
            f"all rows of `{dataset.name}` are of one class, `{dataset.classes[dataset.y[0]]}`: there is "
            "nothing to tell apart; give rows of two or more classes",
        )
    if len(dataset.classes) == len(dataset.y) > 2 and not drawn:
        yield (
            "experiment.data.source",
            f"every row of `{dataset.name}` is a class of its own ({len(dataset.y):,} classes): nothing can "
            "be learned of a class that holds for another row; numbers to predict must be of a "
            "floating-point type",
        )
    for message in identifier_problems(dataset):
        yield "experiment.data", message
    yield from objective_problems(experiment, dataset)
    yield from precision_problems(experiment)
    yield from watched_problems(experiment, dataset)
    if experiment.data.balance != "none" and dataset.task == "regression":
        yield (
            "experiment.data.balance",
            f"`{dataset.name}` has numbers to predict; balancing needs classes",
        )
    try:
        fit_targets(dataset, experiment.data.target_scale, np.zeros(1, dtype=np.int64))
    except CeterisError as error:
        yield from _as_found(error, "experiment.data.target_scale")
    if experiment.data.label_noise > 0:
        try:
            noisy_rows(dataset, np.empty(0, dtype=np.int64), experiment.data.label_noise, seed=0)
        except CeterisError as error:
            yield from _as_found(error, "experiment.data.label_noise")


def _augment_problems(experiment: Experiment, dataset: Dataset) -> Iterator[Found]:
    where = "experiment.data.augment"
    if not experiment.data.augment.changes:
        return
    if image_axes(dataset.shape) is None:
        yield (
            where,
            f"`{dataset.name}` has rows of shape {dataset.shape}, which are not images that could be "
            "changed; they need (height, width), with 1 or 3 channels first or last",
        )
    if experiment.data.scale == "standardize":
        yield (
            where,
            "augmentation mixes neighbouring pixels, and `scale: standardize` puts each on a scale of its "
            "own; use `unit`, `symmetric` or a number",
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
    parsed: ParsedStudy,
    found: Sequence[Combination],
    datasets: Sequence[Dataset],
    nets: Sequence[Architecture | None],
) -> Iterator[Found]:
    numbers = [dataset.name for dataset in datasets if dataset.task == "regression"]
    known = [net for net in nets if net is not None]
    experiments = [combination.experiment for combination in found]
    not_validated = [c.label for c in found if c.experiment.data.validation == 0]
    parameters = list(dict.fromkeys(tensor.name for net in known for tensor in net.parameters))
    layers = list(dict.fromkeys(layer for net in known for layer in hidden_layers(net)))
    for place, claim in enumerate(parsed.study.claims):
        where = f"claims.{place}.metric"
        if not_validated and claim.metric.startswith(ON_VALIDATION):
            yield (
                where,
                f"with `data.validation: 0` ({not_validated[0]}) no rows validate; claim something else",
            )
        if numbers and claim.metric in ACCURACIES:
            yield where, f"`{numbers[0]}` has numbers to predict, which have no accuracy; use a loss"
        if reason := unmeasured(claim, experiments):
            yield where, reason
        probe = probe_parts(claim.metric)
        if probe is None or not nets or known != nets:
            continue
        family, name = probe
        what, names = ("parameter", parameters) if family not in OF_LAYERS else ("hidden layer", layers)
        if name not in names:
            yield where, unknown_name(what, name, names)
