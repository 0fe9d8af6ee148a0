"""Values of a search's dimensions: drawn, laid out on a grid, counted; and the space's corners as factors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ceteris.spec.factors import ReadFactors
from ceteris.spec.labels import BASE_LABEL, format_label
from ceteris.spec.patch import own_path
from ceteris.spec.search import Dimension, Search
from ceteris.spec.study import Factor, Level

DIGITS = 3
"""Digits that a drawn number keeps, so that a candidate is what its label says."""

INSIDE = 0.45
"""A share of the way through a range, neither its middle nor one of its ends."""


def value_at(dimension: Dimension, share: float) -> Any:
    """Return the value at a share of the way through a dimension, ``share`` from 0 to 1.

    Equal shares are equally likely values: of a logarithmic range equal factors, and of whole numbers and
    choices all alike.
    """
    if dimension.choices is not None:
        return dimension.choices[min(int(share * len(dimension.choices)), len(dimension.choices) - 1)]
    low, high = ends_of(dimension)
    if dimension.int is None:
        return rounded(_between(low, high, share, dimension.logarithmic), low, high)
    found = round(_between(low - 0.5, high + 0.5, share, dimension.logarithmic))
    return int(min(max(found, low), high))


def _between(low: float, high: float, share: float, logarithmic: bool) -> float:
    if logarithmic:
        return math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    return low + share * (high - low)


def ends_of(dimension: Dimension) -> tuple[float, float]:
    """Return the ends of a range. Raises ValueError for choices."""
    if dimension.ends is None:
        raise ValueError("choices have no ends")
    return dimension.ends


def rounded(value: float, low: float, high: float) -> float:
    """Return a number with three digits that lies in its range."""
    return min(max(float(f"{value:.{DIGITS}g}"), low), high)


def grid_values(dimension: Dimension, points: int) -> list[Any]:
    """Return evenly spaced values of a dimension, both ends among them; all choices."""
    if dimension.choices is not None:
        return list(dimension.choices)
    low, high = ends_of(dimension)
    steps = [_between(low, high, step / (points - 1), dimension.logarithmic) for step in range(points)]
    if dimension.int is not None:
        return list(dict.fromkeys(int(min(max(round(step), low), high)) for step in steps))
    return list(dict.fromkeys(rounded(step, low, high) for step in steps))


def grid_size(search: Search) -> int:
    """Return how many candidates a grid has."""
    return math.prod(len(grid_values(dimension, search.points)) for dimension in search.space.values())


def planned(search: Search) -> int:
    """Return how many candidates a search has at most: no more than its space holds."""
    if search.method == "grid":
        return grid_size(search)
    sizes = [_count(dimension) for dimension in search.space.values()]
    whole = [size for size in sizes if size is not None]
    return min(search.trials, math.prod(whole)) if len(whole) == len(sizes) else search.trials


def _count(dimension: Dimension) -> int | None:
    """Return how many values a dimension has; None for a range of any numbers."""
    if dimension.int is not None:
        return dimension.int[1] - dimension.int[0] + 1
    return None if dimension.choices is None else len(dimension.choices)


def corners(search: Search, *, inside: bool = False) -> ReadFactors:
    """Return a factor per dimension whose levels are its ends, or its choices, with their places.

    What is wrong with an end is told before anything is trained, at the line where it stands. ``inside``: a
    value between the ends too, which shows a setting of whole numbers in a range of any numbers.
    """
    factors, places = [], {}
    for name, dimension in search.space.items():
        path, levels = own_path(name), []
        for value, where in _corner_values(dimension, inside):
            label = str(value) if isinstance(value, float) else format_label(value)  # ends may be near
            levels.append(Level(label=label, patch={path: value}))
            places[path, label, path] = f"search.space.{name}.{where}"
        factors.append(Factor(name=path, levels=tuple(levels)))
    return ReadFactors(tuple(factors), places)


def corner_rows(factors: Sequence[Factor]) -> tuple[tuple[Factor, ...], tuple[dict[str, str], ...]]:
    """Return the corners' factors with a level ``base`` in each, and one combination per corner.

    All but one factor are at ``base`` in each of them; the first is the base experiment itself.
    """
    with_base = tuple(
        Factor(name=factor.name, levels=(Level(label=BASE_LABEL, patch={}), *factor.levels))
        for factor in factors
    )
    bases = {factor.name: BASE_LABEL for factor in factors}
    rows = [bases | {factor.name: level.label} for factor in factors for level in factor.levels]
    return with_base, (bases, *rows)


def _corner_values(dimension: Dimension, inside: bool) -> list[tuple[Any, str]]:
    if dimension.choices is not None:
        return [(choice, f"choices.{place}") for place, choice in enumerate(dimension.choices)]
    name = "int" if dimension.int is not None else "log" if dimension.logarithmic else "uniform"
    values = dimension.int or ends_of(dimension)
    between = value_at(dimension, INSIDE)
    within = [(between, name)] if inside and between not in values else []
    return [*((value, f"{name}.{place}") for place, value in enumerate(values)), *within]
