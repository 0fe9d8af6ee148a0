"""Networks of the user's own as levels: ``vary(experiment, {"model": [Narrow, Wide]})``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ceteris.api.own_modules import UNNAMED, Factory, module_settings
from ceteris.errors import CeterisError, Problem
from ceteris.spec.labels import format_label

MODEL = "model"


def module_levels(factors: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Factory]]:
    """Return factors in which networks that are given as code stand by their names, and the code by these.

    Levels of ``model`` may be classes and functions, ``[Narrow, Wide]`` or ``{label: function}``, and so may
    the ``model`` of a level's patch, ``{factor: {label: {"model": Net}}}``. Raises ``CeterisError`` where two
    of them go by one name.
    """
    found: dict[str, Factory] = {}
    return {name: _levels(name, levels, found) for name, levels in factors.items()}, found


def _levels(factor: str, levels: Any, found: dict[str, Factory]) -> Any:
    listed = factor == MODEL and isinstance(levels, list | tuple)
    if listed and any(module_settings(level)[1] for level in levels):
        patches: dict[str, Any] = {}
        for level in levels:
            settings = _named(level, "", found)
            label = format_label(settings)
            if module_settings(level)[1]:
                label = f"{settings['name']} {format_label(_besides(settings))}".removesuffix(" {}")
            if label in patches:
                raise CeterisError(Problem(f"the level `{label}` is given twice", where="vary.model"))
            patches[label] = {MODEL: settings}
        return patches
    if not isinstance(levels, Mapping):
        return levels
    if factor == MODEL:
        return {
            label: {MODEL: _named(level, label, found)} if module_settings(level)[1] else level
            for label, level in levels.items()
        }
    return {label: _patch(label, patch, found) for label, patch in levels.items()}


def _besides(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in ("kind", "name")}


def _patch(label: Any, patch: Any, found: dict[str, Factory]) -> Any:
    if not isinstance(patch, Mapping) or MODEL not in patch:
        return patch
    return {**patch, MODEL: _named(patch[MODEL], label, found)}


def _named(model: Any, label: Any, found: dict[str, Factory]) -> Any:
    """Return the settings of a model; a function without a name of its own goes by its level's."""
    settings, modules = module_settings(model)
    for own, factory in modules.items():
        name = str(label) if own == UNNAMED and str(label).isidentifier() else own
        if found.setdefault(name, factory) is not factory:
            message = (
                f"two networks go by the name `{name}`; label them, {{label: function}}, or give one with "
                "`model.arguments`"
            )
            raise CeterisError(Problem(message, where="vary.model"))
        settings = {**settings, "name": name}
    return settings
