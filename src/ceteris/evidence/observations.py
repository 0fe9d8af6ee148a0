"""From trials to numbers that can be compared: one per group of trials and seed, complete seeds only."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ceteris.evidence.layout import Layout

if TYPE_CHECKING:
    from ceteris.records.views import TrialRecord

Unit = Literal["seeds", "folds"]
Trials = tuple["TrialRecord", ...]


@dataclass(frozen=True)
class Group:
    """Combinations of levels that are averaged under one label: a level, over the other factors."""

    label: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Observations:
    """One number per group and unit, for the units that every group completed.

    A unit is a seed (folds of one seed are averaged), or a fold where there is one seed only. Infinite
    numbers stand for trials that diverged or never reached what was asked for.
    """

    labels: tuple[str, ...]
    values: NDArray[np.float64]
    """(groups, units)."""
    trials: tuple[tuple[Trials, ...], ...]
    """Per group and unit, the trials behind the number."""
    unit: Unit
    planned: int
    """Units that the study asks for."""
    undefined: int
    """Complete units left out because the quantity is not defined for one of their trials."""
    dependence: float = 0.0
    """What is added to 1/n because units share training rows (``Layout.dependence``)."""

    @property
    def n(self) -> int:
        """Number of units that are compared."""
        return int(self.values.shape[1])

    @cached_property
    def row(self) -> dict[str, int]:
        """Row of each label."""
        return {label: index for index, label in enumerate(self.labels)}

    def of(self, label: str) -> NDArray[np.float64]:
        """Return the (units,) numbers of a group."""
        return np.asarray(self.values[self.row[label]], dtype=np.float64)

    def diverged(self, label: str) -> int:
        """Count the units of a group in which a trial diverged."""
        units = self.trials[self.row[label]]
        return sum(any(trial.status == "diverged" for trial in unit) for unit in units)

    def identical(self, first: str, second: str) -> bool:
        """Tell whether all curves of two groups agree bit for bit in every unit."""
        pairs = zip(self.trials[self.row[first]], self.trials[self.row[second]], strict=True)
        return all(len(a) == len(b) and all(map(_same_curves, a, b)) for a, b in pairs)


def observe(layout: Layout, groups: Sequence[Group], measure: Callable[[TrialRecord], float]) -> Observations:
    """Collect one number per group and unit from the trials that ended (finished or diverged).

    A unit counts only where every trial of every group ended and has the number (``measure`` gives NaN
    where it is not defined), so that groups are compared over the same seeds.
    """
    found = [[_behind(layout, group, unit) for group in groups] for unit in layout.units]
    complete = [unit for unit in found if all(unit)]
    numbers = [[_average(trials, measure) for trials in unit] for unit in complete]
    values = np.array(numbers, dtype=np.float64).reshape(len(complete), len(groups)).T
    defined = [not np.isnan(column).any() for column in values.T]
    kept = [unit for unit, good in zip(complete, defined, strict=True) if good]
    return Observations(
        labels=tuple(group.label for group in groups),
        values=values[:, np.array(defined, dtype=bool)],
        trials=tuple(tuple(unit[i] for unit in kept) for i in range(len(groups))),
        unit="folds" if layout.by_folds else "seeds",
        planned=len(layout.units),
        undefined=len(complete) - len(kept),
        dependence=layout.dependence,
    )


def _behind(layout: Layout, group: Group, unit: Sequence[tuple[int, int]]) -> Trials:
    """Return the trials of a group in a unit; empty where one of them has not ended."""
    found = [layout.at(cell, place) for cell in group.cells for place in unit]
    ended = tuple(trial for trial in found if trial is not None)
    return ended if len(ended) == len(found) else ()


def _average(trials: Trials, measure: Callable[[TrialRecord], float]) -> float:
    """Average over folds and cells: infinite if one trial was lost, NaN if one is undefined."""
    numbers = [measure(trial) for trial in trials]
    return math.nan if {math.inf, -math.inf} <= set(numbers) else float(np.mean(numbers))


def _same_curves(first: TrialRecord, second: TrialRecord) -> bool:
    return first.curves.keys() == second.curves.keys() and all(
        np.array_equal(first.curves[name], second.curves[name], equal_nan=True) for name in first.curves
    )
