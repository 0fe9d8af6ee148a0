"""Levels against the base experiment: does every patch, alone and together, make a possible one?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ceteris.errors import CeterisError, Problem
from ceteris.spec.combine import coordinates_of, merged_patch
from ceteris.spec.experiment import Experiment
from ceteris.spec.factors import Places
from ceteris.spec.init import OwnInit
from ceteris.spec.labels import combination_label
from ceteris.spec.model import ModuleModel
from ceteris.spec.patch import ROOT, checked, patched_settings, resolve_kinds
from ceteris.spec.study import Factor, Study

ENOUGH = 20
"""After so many problems of combinations the rest is not looked at."""


def level_problems(base: Mapping[str, Any], factors: Sequence[Factor], places: Places) -> list[Problem]:
    """Return what is wrong when each level alone patches the base, besides what is wrong with the base.

    ``base``: the base experiment's settings, completed; they may be invalid themselves.
    """
    known = {str(problem) for problem in checked(base)[1]}
    found = []
    for factor in factors:
        for level in factor.levels:
            problems = [p for p in _patched_problems(base, level.patch) if str(p) not in known]
            found += [at_level(p, [factor], {factor.name: level.label}, places) for p in problems]
    return found


def _patched_problems(base: Mapping[str, Any], patch: Mapping[str, Any]) -> list[Problem]:
    try:
        return checked(patched_settings(base, patch))[1]
    except CeterisError as error:
        return [Problem(problem.message, where=f"{ROOT}.{problem.where}") for problem in error.problems]


def combination_problems(
    study: Study, factors: Sequence[Factor], base: Mapping[str, Any], places: Places, *, allow_code: bool
) -> list[Problem]:
    """Return what is wrong where levels come together, each sentence once."""
    found: dict[str, Problem] = {}
    for coordinates in coordinates_of(factors, study.combine):
        patch = merged_patch(factors, coordinates)
        problems = _patched_problems(base, patch)
        if not problems and not allow_code:
            problems = list(_code_problems(checked(patched_settings(base, patch))[0]))
        for problem in problems:
            placed = at_level(problem, factors, coordinates, places)
            together = f"with {combination_label(coordinates)}: " if len(factors) > 1 else ""
            found.setdefault(f"{placed.where} {problem}", replace(placed, message=together + placed.message))
        if len(found) >= ENOUGH:
            break
    return list(found.values())


def _code_problems(experiment: Experiment | None) -> Iterator[Problem]:
    if experiment is None:
        return
    named = {f"metrics.{i}": metric for i, metric in enumerate(experiment.metrics)}
    if isinstance(experiment.model, ModuleModel):
        named["model.name"] = experiment.model.name
    if isinstance(experiment.model.init, OwnInit):
        named["model.init.name"] = experiment.model.init.name
    for path, name in named.items():
        if ":" in name:
            message = f"`{name}` is code of your own; it is used only from Python or with --allow-code"
            yield Problem(message, where=f"{ROOT}.{path}")


def at_level(
    problem: Problem, factors: Sequence[Factor], coordinates: Mapping[str, str], places: Places
) -> Problem:
    """Place a problem of an experiment at the level whose patch comes nearest to its path.

    A problem that no level comes near to stays at its own path.
    """
    parts = problem.where.split(".")[1:]
    nearest_path: list[str] = []
    place, shared = "", 0
    for factor in factors:
        for (name, label, path), where in places.items():
            if (name, label) != (factor.name, coordinates.get(factor.name)):
                continue
            common = _common(parts, path.split("."))
            if common > shared:
                place, shared, nearest_path = where, common, path.split(".")
    if not place:
        return problem
    if shared == len(nearest_path):
        return Problem(problem.message, where=".".join([place, *parts[shared:]]))
    label = combination_label(coordinates)
    return Problem(f"with the level `{label}`, {problem.where}: {problem.message}", where=place)


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    """Count how many names two paths share from their start."""
    pairs = zip(first, second, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))


def resolved(factor: Factor, base: Mapping[str, Any]) -> Factor:
    """Return the factor with changes of a ``kind`` written out as the parts that they result in."""
    levels = tuple(
        level.model_copy(update={"patch": resolve_kinds(base, level.patch)}) for level in factor.levels
    )
    return factor.model_copy(update={"levels": levels})
