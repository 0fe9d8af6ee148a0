"""Factors: from the short forms of ``vary`` to named lists of labelled patches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ceteris.errors import CeterisError, Problem
from ceteris.spec.base import wrong
from ceteris.spec.experiment import Experiment
from ceteris.spec.labels import format_label, shown
from ceteris.spec.patch import own_path, path_problem
from ceteris.spec.paths import has_kinds, setting_paths
from ceteris.spec.plain import plain_data
from ceteris.spec.study import Factor, Level

ROOT = "vary"


Places = Mapping[tuple[str, str, str], str]
"""(factor, level, path) -> dotted place in the study, such as ``vary.optimizer.lr.1``."""


@dataclass(frozen=True)
class ReadFactors:
    """Factors, where each of their patched paths stands in the source, and what is wrong."""

    factors: tuple[Factor, ...] = ()
    places: Places = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def make_factor(name: str, levels: Sequence[Any] | Mapping[str, Any]) -> Factor:
    """Return a factor from a list of values of one setting, or from {label: {path: value}}.

    Raises:
        CeterisError: for an unknown path, an empty list, two levels with one label.
    """
    read = read_factors({name: levels})
    if read.problems:
        raise CeterisError(read.problems)
    return read.factors[0]


def factors_in_python(value: Any) -> Any:
    """Accept in ``Study(vary=...)`` what a file may hold; other values are left to the validation."""
    if not isinstance(value, Mapping):
        return value
    read = read_factors(value)
    if read.problems:
        raise wrong(
            "; ".join(
                f"{problem.where.removeprefix(ROOT + '.')}: {problem.message}" for problem in read.problems
            )
        )
    return read.factors


def read_factors(vary: Any) -> ReadFactors:
    """Read ``vary``: {factor: [value, ...]}, {factor: {label: {path: value}}}, or a list of factors.

    Every problem is collected, with its dotted place (``vary.optimizer.lr.1``).
    """
    if vary is None:
        return ReadFactors()
    try:
        vary = plain_data(vary)
    except CeterisError as error:
        return ReadFactors(
            problems=[Problem(p.message, f"{ROOT}.{p.where}".strip(".")) for p in error.problems]
        )
    reader = _Reader()
    if isinstance(vary, dict):
        for name, levels in vary.items():
            reader.short(own_path(name), levels, f"{ROOT}.{name}".rstrip("."))
    elif isinstance(vary, list):
        for i, factor in enumerate(vary):
            reader.long(factor, f"{ROOT}.{i}")
    else:
        reader.wrong(
            ROOT, f"{shown(vary)} is not a mapping of factors; write `vary: {{optimizer.lr: [0.1, 0.01]}}`"
        )
    return ReadFactors(tuple(reader.factors), reader.places, reader.problems)


class _Reader:
    """Collects factors, places and problems while ``vary`` is read."""

    def __init__(self) -> None:
        self.factors: list[Factor] = []
        self.places: dict[tuple[str, str, str], str] = {}
        self.problems: list[Problem] = []

    def wrong(self, where: str, message: str) -> None:
        self.problems.append(Problem(message, where=where))

    def short(self, name: str, levels: Any, where: str) -> None:
        """Read one entry of the mapping form."""
        if isinstance(levels, list):
            self._values(name, levels, where)
        elif isinstance(levels, dict):
            self._labelled(name, levels, where)
        elif path_problem(name) is None:
            self.wrong(where, f"{shown(levels)} is not a list of levels; write [{shown(levels)}, ...]")
        else:
            self.wrong(where, f"{shown(levels)} is not a list of values or a mapping of labels to patches")

    def long(self, factor: Any, where: str) -> None:
        """Read one factor in the form that is recorded: {name, levels: [{label, patch}, ...]}."""
        levels = factor.get("levels") if isinstance(factor, dict) else None
        fits = isinstance(levels, list) and all(
            isinstance(level, dict) and set(level) == {"label", "patch"} and isinstance(level["patch"], dict)
            for level in levels
        )
        if not fits or set(factor) != {"name", "levels"} or not isinstance(factor["name"], str):
            self.wrong(
                where, "a factor in a list is {name: ..., levels: [{label: ..., patch: {path: value}}, ...]}"
            )
            return
        read = []
        for i, level in enumerate(levels or ()):
            below = f"{where}.levels.{i}.patch"
            places = {path: f"{below}.{path}" for path in level["patch"]}
            read.append((format_label(level["label"]), level["patch"], places))
        self._add(factor["name"], read, where)

    def _values(self, name: str, values: list[Any], where: str) -> None:
        problem = path_problem(name)
        if problem is not None:
            labels = "a factor with a name of your own needs labelled levels, {label: {path: value}}"
            self.wrong(where, problem if "did you mean" in problem else f"{problem}; {labels}")
            return
        read = [
            (format_label(value), {name: value}, {name: f"{where}.{i}"}) for i, value in enumerate(values)
        ]
        self._add(name, read, where)

    def _labelled(self, name: str, levels: dict[str, Any], where: str) -> None:
        is_path = path_problem(name) is None
        read = []
        for label, patch in levels.items():
            below = f"{where}.{label}"
            if is_path and not isinstance(patch, dict):
                read.append((label, {name: patch}, {name: below}))
            elif patch is None or isinstance(patch, dict):
                paths = patch or {}
                read.append((label, paths, {path: f"{below}.{path}" for path in paths}))
            else:
                self.wrong(
                    below, f"{shown(patch)} is not a patch; a level is {{label: {{path: value, ...}}}}"
                )
        self._add(name, read, where, given=bool(levels))

    def _add(
        self,
        name: str,
        levels: list[tuple[str, dict[str, Any], dict[str, str]]],
        where: str,
        given: bool = False,
    ) -> None:
        if not name:
            self.wrong(where, "a factor needs a name")
            return
        if any(factor.name == name for factor in self.factors):
            self.wrong(where, f"there are two factors `{name}`")
            return
        if not levels:
            if not given:
                self.wrong(where, "the list of levels is empty; give at least one")
            return
        seen: set[str] = set()
        read: list[Level] = []
        for label, patch, places in levels:
            if label in seen or not label:
                comma = "; decimals have a point, as in 0.1" if label == "0" else ""
                twice = f"two levels are called `{label}`{comma}"
                self.wrong(where, twice if label else "a level needs a label")
                continue
            seen.add(label)
            read.append(self._level(name, label, patch, places))
        if read:
            self.factors.append(Factor(name=name, levels=tuple(read)))

    def _level(self, name: str, label: str, patch: dict[str, Any], places: dict[str, str]) -> Level:
        kept: dict[str, Any] = {}
        for path, value in patch.items():
            problem = self._path_problem(name, own_path(path), value)
            if problem is not None:
                self.wrong(places[path], problem)
                continue
            kept[own_path(path)] = value
            self.places[name, label, own_path(path)] = places[path]
        return Level(label=label, patch=kept)

    def _path_problem(self, factor: str, path: str, value: Any) -> str | None:
        problem = path_problem(path)
        if problem is not None:
            inside = f"{factor}.{path}"
            if path_problem(inside) is None:
                return f"a level is {{label: {{path: value}}}}, so write the whole path, `{inside}`"
            return problem
        annotation = setting_paths(Experiment).get(path)
        if isinstance(value, dict) and "kind" not in value and has_kinds(annotation):
            setting = next(iter(value), "...")
            return (
                f"this replaces the whole {path}, so it needs a `kind`; "
                f"to change one setting of it, write `{path}.{setting}`"
            )
        return None
