"""From factors to combinations: which levels are trained together, and over which seeds."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ceteris.errors import Problem, unknown_name
from ceteris.spec.experiment import Experiment
from ceteris.spec.labels import combination_label
from ceteris.spec.patch import apply_patch
from ceteris.spec.study import Factor, Level, Study

MAX_COMBINATIONS = 2_000


@dataclass(frozen=True)
class Combination:
    """One level of every factor, and the experiment that they make of the base."""

    label: str
    coordinates: dict[str, str]
    """Factor -> label of its level, in the order of the factors."""
    experiment: Experiment


def combinations(study: Study) -> tuple[Combination, ...]:
    """Return what the study trains, the first factor changing slowest; one, ``base``, without factors.

    Raises:
        CeterisError: where the levels together make an impossible experiment.
    """
    return tuple(
        Combination(
            combination_label(coordinates),
            dict(coordinates),
            apply_patch(study.experiment, merged_patch(study.vary, coordinates)),
        )
        for coordinates in coordinates_of(study.vary, study.combine)
    )


def seed_list(study: Study) -> tuple[int, ...]:
    """Return the seeds of a study: 0, 1, ... for a number, or those that are listed."""
    return tuple(range(study.seeds)) if isinstance(study.seeds, int) else study.seeds


def coordinates_of(
    factors: Sequence[Factor], combine: str | Sequence[Mapping[str, str]]
) -> Iterator[dict[str, str]]:
    """Yield {factor: label} for every combination of the levels."""
    if not isinstance(combine, str):
        for row in combine:
            yield {factor.name: row[factor.name] for factor in factors}
        return
    labels = [factor.labels for factor in factors]
    rows = itertools.product(*labels) if combine == "cross" or not factors else zip(*labels, strict=True)
    for labels_of_row in rows:
        yield {factor.name: label for factor, label in zip(factors, labels_of_row, strict=True)}


def merged_patch(factors: Sequence[Factor], coordinates: Mapping[str, str]) -> dict[str, Any]:
    """Return the patch of all levels of a combination together."""
    patch: dict[str, Any] = {}
    for factor in factors:
        patch |= level_of(factor, coordinates[factor.name]).patch
    return patch


def level_of(factor: Factor, label: str) -> Level:
    """Return the level with this label."""
    return next(level for level in factor.levels if level.label == label)


def combine_problems(factors: Sequence[Factor], combine: Any) -> list[Problem]:
    """Return what keeps factors from being combined in this way (a valid value of ``combine``)."""
    problems = _overlaps(factors)
    if combine == "zip" and len({len(factor.levels) for factor in factors}) > 1:
        counts = ", ".join(f"`{factor.name}` has {len(factor.levels)}" for factor in factors)
        problems.append(Problem(f"zipped factors need equally many levels, but {counts}", where="combine"))
    elif isinstance(combine, tuple | list):
        problems += _listed_problems(factors, combine)
    elif combine == "cross":
        count = math.prod(len(factor.levels) for factor in factors)
        if count > MAX_COMBINATIONS:
            message = f"the factors make {count:,} combinations; at most {MAX_COMBINATIONS:,} can be run"
            problems.append(Problem(message, where="vary"))
    return problems


def _overlaps(factors: Sequence[Factor]) -> list[Problem]:
    problems = []
    for i, first in enumerate(factors):
        paths = {path for level in first.levels for path in level.patch}
        for second in factors[i + 1 :]:
            both = [path for level in second.levels for path in level.patch if path in paths]
            if both:
                message = f"`{first.name}` and `{second.name}` both set {both[0]}; one factor must do it"
                problems.append(Problem(message, where=f"vary.{second.name}"))
    return problems


def _listed_problems(factors: Sequence[Factor], rows: Sequence[Mapping[str, str]]) -> list[Problem]:
    if not rows:
        return [Problem("the list of combinations is empty; give at least one", where="combine")]
    if len(rows) > MAX_COMBINATIONS:
        return [
            Problem(
                f"{len(rows):,} combinations are listed; at most {MAX_COMBINATIONS:,} can be run", "combine"
            )
        ]
    known = {factor.name: list(factor.labels) for factor in factors}
    problems = []
    for i, row in enumerate(rows):
        where = f"combine.{i}"
        for name, label in row.items():
            if name not in known:
                problems.append(Problem(unknown_name("factor", name, list(known)), where=f"{where}.{name}"))
            elif label not in known[name]:
                problems.append(Problem(unknown_name("level", label, known[name]), where=f"{where}.{name}"))
        missing = [name for name in known if name not in row]
        if missing:
            problems.append(Problem(f"the level of `{missing[0]}` is missing", where=where))
        elif row in rows[:i]:
            problems.append(Problem("this combination is listed twice", where=where))
    return problems
