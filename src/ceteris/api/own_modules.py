"""Networks of the user's own: a class or function that makes a ``torch.nn.Module``, given in Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from ceteris.errors import CeterisError, Problem

Factory = Callable[..., Any]
"""Makes a new ``torch.nn.Module`` from keyword arguments."""

OwnModel = Factory | Mapping[str, Factory]

_GIVEN: dict[str, Factory] = {}
"""Source hash -> what was given in this Python process, so that its results can hand networks out again."""

UNNAMED = "model"


def is_own_model(value: Any) -> TypeGuard[Factory]:
    """Tell whether a model is a class or function (or a module by mistake) rather than settings."""
    return callable(value) and not isinstance(value, Mapping)


def named_modules(model: OwnModel | None) -> dict[str, Factory]:
    """Return classes and functions by name; one that is given alone goes by its own.

    Raises ``CeterisError`` for what cannot make a new network for every trial.
    """
    if model is None:
        return {}
    given = dict(model) if isinstance(model, Mapping) else {_name(model): model}
    for name, factory in given.items():
        _check(name, factory)
    return given


def module_settings(model: Any) -> tuple[Any, dict[str, Factory]]:
    """Return the settings by which an experiment names a class or function, and that by its name.

    It may be given alone, or as the ``name`` among other settings: ``{"name": Net, "input": "flat"}``.
    Anything else is returned as it is, without code.
    """
    if is_own_model(model):
        modules = named_modules(model)
        return {"kind": "module", "name": next(iter(modules))}, modules
    if isinstance(model, Mapping) and is_own_model(model.get("name")):
        modules = named_modules(model["name"])
        return {"kind": "module", **model, "name": next(iter(modules))}, modules
    return model, {}


def remember(modules: Mapping[str, Factory]) -> None:
    """Keep what makes the networks of a run for as long as this process lives."""
    from ceteris.lab.own_modules import factory_hash

    _GIVEN.update({factory_hash(factory): factory for factory in modules.values()})


def factory_for(name: str, source: str | None, given: OwnModel | None) -> Factory:
    """Return what makes a recorded network: what is given now, by its name if several are, or was given here.

    Raises ``CeterisError`` where there is none, or its source is not the recorded one.
    """
    from ceteris.lab.own_modules import factory_hash

    own = given.get(name) if isinstance(given, Mapping) else given
    factory = own if own is not None else _GIVEN.get(source or "")
    short = name.rpartition(":")[2]
    if factory is None:
        raise CeterisError(
            f"`{name}` is code of your own, which a record does not hold; "
            f"give it again: `network(model={short})`, or load what `weights()` returns yourself"
            + ("; on the command line allow it with `--allow-code`" if short != name else "")
        )
    if source is not None and factory_hash(factory) != source:
        raise CeterisError(f"the source of `{name}` is not the one that the run was made with")
    return factory


def _name(factory: Factory) -> str:
    name = getattr(factory, "__name__", "")
    return name if name.isidentifier() else UNNAMED


def _check(name: str, factory: Any) -> None:
    kind = type(factory).__name__
    message = ""
    if not callable(factory):
        message = f"a value of type {kind} is not a network; give a class or function that makes one"
    elif hasattr(factory, "state_dict") and not isinstance(factory, type):
        message = (
            f"this {kind} has weights already, and every trial starts from fresh ones; give its class, "
            f"or a function that makes a new one: `model=lambda: {kind}(...)`"
        )
    elif not name.isidentifier():
        message = f"'{name}' is not a name of a network"
    if message:
        raise CeterisError(Problem(message, where="experiment.model"))
