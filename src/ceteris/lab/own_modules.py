"""The user's own networks: how what makes them travels to a worker, and how they are looked at there."""

from __future__ import annotations

import functools
import hashlib
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ceteris.data.dataset import Dataset
from ceteris.data.whole_numbers import MOST, whole_range
from ceteris.errors import CeterisError, Problem, exception_in_line
from ceteris.lab.own_metrics import source_hash
from ceteris.lab.references import import_reference
from ceteris.spec.experiment import Experiment
from ceteris.spec.init import OwnInit
from ceteris.spec.model import ModelSpec, ModuleModel
from ceteris.train.plan import ModuleKey, ModuleRequest, module_key

Factory = Callable[..., Any]
"""A class or function that makes a ``torch.nn.Module`` from keyword arguments."""

WHERE = "experiment.model"
GLANCE = 1000
"""Rows by which inputs are taken for whole numbers, where only a hint hangs on it."""


@dataclass
class LoadedModules:
    """What makes networks, by the name that an experiment has for it, and why some could not be loaded."""

    factories: dict[str, Factory] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def pack(modules: Mapping[str, Factory]) -> bytes:
    """Return classes and functions, those of a script or notebook included, as bytes for a worker.

    Raises CeterisError for one that holds what cannot leave this process.
    """
    import cloudpickle

    packed = {}
    for name, factory in modules.items():
        try:
            packed[name] = cloudpickle.dumps(factory), factory_hash(factory)
        except Exception as error:
            message = (
                f"the network `{name}` cannot be sent to a training process ({exception_in_line(error)})"
            )
            raise CeterisError(Problem(message, WHERE)) from error
    return pickle.dumps(packed)


def factory_hash(factory: Any) -> str:
    """Return a SHA-256 of a class's or function's source text and of the values that it closes over."""
    if isinstance(factory, functools.partial):
        parts = [factory_hash(factory.func), *map(_value_hash, (factory.args, factory.keywords))]
        return hashlib.sha256("|".join(parts).encode()).hexdigest()
    cells = getattr(factory, "__closure__", None) or ()
    values = [_value_hash(cell.cell_contents) for cell in cells]
    own = source_hash(factory)
    return hashlib.sha256("|".join([own, *values]).encode()).hexdigest() if values else own


def _value_hash(value: Any) -> str:
    return factory_hash(value) if callable(value) else hashlib.sha256(repr(value).encode()).hexdigest()


def load(packed: bytes, references: Sequence[str]) -> LoadedModules:
    """Load packed classes and functions and import references, in the worker; what fails is a problem."""
    loaded = LoadedModules()
    for name, (content, digest) in (pickle.loads(packed) if packed else {}).items():
        try:
            loaded.factories[name] = pickle.loads(content)
            loaded.hashes[name] = digest
        except Exception as error:
            message = f"the network `{name}` cannot be loaded in a training process"
            loaded.problems.append(Problem(f"{message} ({exception_in_line(error)})", WHERE))
    for reference in references:
        try:
            factory = import_reference(
                reference, "class or function", f"{WHERE}.name", " that makes a network"
            )
        except CeterisError as error:
            loaded.problems += error.problems
        else:
            loaded.factories[reference] = factory
            loaded.hashes[reference] = factory_hash(factory)
    return loaded


def references(experiments: Iterable[Experiment]) -> tuple[str, ...]:
    """Return the networks that experiments name as ``package.module:Name``."""
    names = [name for experiment in experiments for _, name, _ in own_code(experiment.model)]
    return tuple(dict.fromkeys(name for name in names if ":" in name))


def requests(
    experiments: Iterable[Experiment], datasets: Mapping[str, Dataset]
) -> dict[ModuleKey, ModuleRequest]:
    """Return what has to be looked at: every network of the user's with the data that it has to fit."""
    found: dict[ModuleKey, ModuleRequest] = {}
    for experiment in experiments:
        if isinstance(experiment.model, ModuleModel):
            dataset = datasets[experiment.data.reading]
            key = module_key(experiment, dataset)
            classes, whole = dataset.task == "classification", whole_inputs(experiment.model, dataset)
            scaled = whole is not None and experiment.data.scale != "none"
            found[key] = ModuleRequest(experiment.model, dataset.shape, key.n_out, classes, whole, scaled)
    return found


def whole_inputs(model: ModuleModel, dataset: Dataset) -> tuple[int, int] | None:
    """Return the range of inputs that are whole numbers; by the first rows where nothing depends on it."""
    return whole_range(dataset.x if model.input == "integers" else dataset.x[:GLANCE])


def integer_problems(experiment: Experiment, dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield why a network cannot be given rows as whole numbers: dotted path and message."""
    model, scale = experiment.model, experiment.data.scale
    if not isinstance(model, ModuleModel) or model.input != "integers":
        return
    if scale != "none":
        yield (
            "experiment.data.scale",
            f"`{scale}` leaves no whole numbers, which `model.input: integers` gives; use `none`",
        )
    if experiment.data.augment.changes:
        yield "experiment.data.augment", "changed images are no whole numbers, which `model.input` asks for"
    if whole_inputs(model, dataset) is None:
        yield (
            f"{WHERE}.input",
            f"the inputs of `{dataset.name}` are not whole numbers of at most {MOST:,}; use `auto`",
        )


def own_code(model: ModelSpec) -> Iterator[tuple[str, str, str | None]]:
    """Yield (what it is, its name, the recorded hash of its source) for code of the user's in a model."""
    if isinstance(model, ModuleModel):
        yield "network", model.name, model.source
    if isinstance(model.init, OwnInit):
        yield "initialisation", model.init.name, model.init.source


def with_sources(experiment: Experiment, hashes: Mapping[str, str]) -> Experiment:
    """Return the experiment with the source hashes of the code of the user's filled in (law 10)."""
    model, update = experiment.model, dict[str, Any]()
    if isinstance(model, ModuleModel):
        update["source"] = hashes[model.name]
    if isinstance(model.init, OwnInit):
        update["init"] = model.init.model_copy(update={"source": hashes[model.init.name]})
    return experiment.model_copy(update={"model": model.model_copy(update=update)}) if update else experiment


def resume_problems(
    experiments: Iterable[Experiment], given: Iterable[str], *, allow_code: bool
) -> list[Problem]:
    """Say which networks of a record are not to be had: it keeps no code."""
    problems = []
    code = [(what, name) for experiment in experiments for what, name, _ in own_code(experiment.model)]
    for what, name in dict.fromkeys(code):
        told = f"the run {'trains' if what == 'network' else 'starts by'} `{name}`"
        if ":" in name and not allow_code:
            problems.append(Problem(f"{told}, which is code of your own; allow it with --allow-code"))
        elif ":" not in name and name not in given:
            named = f"a{'n' if what[0] == 'i' else ''} {what}"
            again = f"{'model' if what == 'network' else 'initial'}={name}"
            message = f"{told}, {named} of your own; go on from Python and give it again: `{again}`"
            problems.append(Problem(message))
    return problems


def changed_sources(experiments: Iterable[Experiment], hashes: Mapping[str, str]) -> list[Problem]:
    """Say which networks and initialisations are not the ones that a record was made with (law 9)."""
    problems: dict[Problem, None] = {}
    for what, name, source in (code for e in experiments for code in own_code(e.model)):
        if source not in (None, hashes.get(name)):
            message = (
                f"the source of `{name}` has changed since the run, so new trials would be of another "
                f"{what}; bring the old source back, or run the study anew"
            )
            problems[Problem(message)] = None
    return list(problems)
