"""Levels that are numbers: what numbers they are, and where they stand on an axis."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ceteris.report.settings import flattened
from ceteris.spec.labels import format_label

LEAST = 3
"""So many different numbers make a factor numeric; two levels are compared, not drawn as a course."""
MOST_APART = 2
"""So many levels of a numeric factor may be none, such as ``none`` among strengths."""
LOG_FROM = 10.0
"""The axis is logarithmic where the largest number is this many times the smallest above 0, or more."""
EVEN = 0.05
"""Steps that differ by less than this share of each other count as equal."""

Numbers = dict[str, float | None]


@dataclass(frozen=True)
class NumericFactor:
    """A factor by what its levels' numbers are; ``numbers`` has None for a level without one."""

    name: str
    """What the numbers are of: the factor, or the one setting that its levels change."""
    numbers: Numbers


@dataclass(frozen=True)
class Place:
    """A level on the axis: where it stands, what is written there, and whether it is off the scale."""

    at: float
    text: str
    apart: bool


@dataclass(frozen=True)
class Axis:
    """Where numbers stand. On a logarithmic axis ``at`` is log10, and what has no logarithm stands apart."""

    log: bool
    places: Mapping[str, Place]
    """By level, or whatever the numbers were given by."""


def numeric_factor(
    factor: Mapping[str, Any], experiments: Mapping[str, Mapping[str, Any]]
) -> NumericFactor | None:
    """Return the numbers of a factor's levels; None where it is not numeric.

    Labels that are numbers are taken at their word; else the levels have to differ in one numeric setting.

    Args:
        factor: as a record keeps it, {name, levels: [{label, patch}, ...]}.
        experiments: label -> an experiment with that level, resolved, equal in the other factors.
    """
    labels = [level["label"] for level in factor["levels"]]
    by_label = {label: _as_number(label) for label in labels}
    if _is_numeric(by_label):
        return NumericFactor(factor["name"], by_label)
    settings = {label: dict(flattened(experiments[label])) for label in labels if label in experiments}
    paths = dict.fromkeys(path for level in factor["levels"] for path in level["patch"])
    found = {
        path: {label: _as_number(settings.get(label, {}).get(path)) for label in labels}
        for path in dict.fromkeys(path for own in settings.values() for path in own)
        if any(path == patched or path.startswith(f"{patched}.") for patched in paths)
    }
    varied = {path: n for path, n in found.items() if len({v for v in n.values() if v is not None}) > 1}
    if len(varied) != 1:
        return None
    ((path, numbers),) = varied.items()
    return NumericFactor(path, numbers) if _is_numeric(numbers) else None


def _as_number(value: Any) -> float | None:
    """Return a finite number, also one that is written out or alone in a list, else None."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = value[0] if len(value) == 1 else None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _is_numeric(numbers: Numbers) -> bool:
    known = {number for number in numbers.values() if number is not None}
    without = sum(number is None for number in numbers.values())
    return len(known) >= LEAST and without <= MOST_APART


def axis_of(
    numbers: Mapping[str, float | None],
    *,
    log: bool | None = None,
    words: Callable[[float], str] = format_label,
) -> Axis:
    """Place numbers on an axis: logarithmic for powers, with 0 and what is no number left of the rest.

    ``log`` says whether it is logarithmic, where that is not to be seen by the numbers; ``words`` writes one.
    """
    known = sorted({number for number in numbers.values() if number is not None})
    log = _reads_logarithmically(known) if log is None else log
    on_scale = {n: math.log10(n) if log else n for n in known if not log or n > 0}
    low, high = min(on_scale.values()), max(on_scale.values())
    gap = max(0.14 * (high - low), 0.3 if log else 0.0) or 1.0
    places: dict[str, Place] = {}
    off: list[str] = []
    for name, number in numbers.items():
        if number is not None and number in on_scale:
            places[name] = Place(on_scale[number], words(number), False)
        else:
            off.append(name)
    off.sort(key=lambda name: numbers[name] is None)  # 0 next to the scale, what is no number beyond it
    for steps, name in enumerate(off, start=1):
        number = numbers[name]
        places[name] = Place(low - steps * gap, name if number is None else words(number), True)
    return Axis(log, {name: places[name] for name in numbers})


def _reads_logarithmically(known: Sequence[float]) -> bool:
    """Tell whether numbers (ascending) are powers rather than evenly spaced."""
    positive = [number for number in known if number > 0]
    if known[0] < 0 or len(positive) < 2:
        return False
    steps = [b - a for a, b in pairwise(known)]
    if len(steps) > 1 and max(steps) - min(steps) <= EVEN * max(steps):
        return False
    ratios = [b / a for a, b in pairwise(positive)]
    equal = len(ratios) > 1 and max(ratios) <= (1 + EVEN) * min(ratios)
    return equal or positive[-1] >= LOG_FROM * positive[0]
