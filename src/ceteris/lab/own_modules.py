"""The user's own networks: how what makes them travels to a worker, and how they are looked at there."""

from __future__ import annotations

import functools
import hashlib
import importlib
import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ceteris.data.dataset import Dataset
from ceteris.errors import CeterisError, Problem, exception_in_line, unknown_name
from ceteris.lab.own_metrics import source_hash
from ceteris.spec.experiment import Experiment
from ceteris.spec.model import ModuleModel
from ceteris.train.plan import ModuleKey, ModuleRequest, module_key

Factory = Callable[..., Any]
"""A class or function that makes a ``torch.nn.Module`` from keyword arguments."""

WHERE = "experiment.model"


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
        _import(reference, loaded)
    return loaded


def _import(reference: str, loaded: LoadedModules) -> None:
    module_name, _, name = reference.partition(":")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        message = f"the module of `{reference}` cannot be imported ({exception_in_line(error)})"
        loaded.problems.append(Problem(message, f"{WHERE}.name"))
        return
    factory = getattr(module, name, None)
    if factory is None:
        known = [known for known, value in vars(module).items() if callable(value) and known[0] != "_"]
        message = unknown_name(f"class or function in {module_name}", name, known)
        loaded.problems.append(Problem(message, f"{WHERE}.name"))
    elif not callable(factory):
        message = f"`{reference}` is a {type(factory).__name__}, not a class or function that makes a network"
        loaded.problems.append(Problem(message, f"{WHERE}.name"))
    else:
        loaded.factories[reference] = factory
        loaded.hashes[reference] = factory_hash(factory)


def references(experiments: Iterable[Experiment]) -> tuple[str, ...]:
    """Return the networks that experiments name as ``package.module:Name``."""
    names = [e.model.name for e in experiments if isinstance(e.model, ModuleModel)]
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
            classes = dataset.task == "classification"
            found[key] = ModuleRequest(experiment.model, dataset.shape, key.n_out, classes)
    return found


def with_sources(experiment: Experiment, hashes: Mapping[str, str]) -> Experiment:
    """Return the experiment with the source hash of its own network filled in (law 10)."""
    model = experiment.model
    if not isinstance(model, ModuleModel):
        return experiment
    return experiment.model_copy(update={"model": model.model_copy(update={"source": hashes[model.name]})})


def resume_problems(
    experiments: Iterable[Experiment], given: Iterable[str], *, allow_code: bool
) -> list[Problem]:
    """Say which networks of a record are not to be had: it keeps no code."""
    problems = []
    for model in dict.fromkeys(e.model.name for e in experiments if isinstance(e.model, ModuleModel)):
        if ":" in model and not allow_code:
            message = f"the run trains `{model}`, which is code of your own; allow it with --allow-code"
            problems.append(Problem(message))
        elif ":" not in model and model not in given:
            message = f"the run trains `{model}`, a network of your own; go on from Python and give it again"
            problems.append(Problem(f"{message}: `model={model}`"))
    return problems


def changed_sources(experiments: Iterable[Experiment], hashes: Mapping[str, str]) -> list[Problem]:
    """Say which networks are not the ones that a record was made with (law 9)."""
    problems: dict[Problem, None] = {}
    for experiment in experiments:
        model = experiment.model
        if isinstance(model, ModuleModel) and model.source not in (None, hashes.get(model.name)):
            message = (
                f"the source of `{model.name}` has changed since the run, so new trials would be of another "
                "network; bring the old source back, or run the study anew"
            )
            problems[Problem(message)] = None
    return list(problems)
