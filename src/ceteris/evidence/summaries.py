"""What each level came to: means with intervals at the end and at the best epoch, and curves with bands."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from ceteris.evidence.layout import Layout
from ceteris.evidence.multiplicity import ALPHA
from ceteris.evidence.quantities import best_epoch, metric_curve, metric_names
from ceteris.evidence.ranges import Range, cut, metric_range, range_seen
from ceteris.evidence.student import estimate, interval
from ceteris.spec.metrics import Direction

if TYPE_CHECKING:
    from ceteris.records.views import TrialRecord

Numbers = tuple[float | None, ...]


@dataclass(frozen=True)
class Summary:
    """A metric over the trials of a level that finished; ``low`` and ``high`` bound the mean (95%, t).

    They are cut where no value of the metric can be (`ranges`): below 0 for a loss, above 1 for an accuracy.
    """

    mean: float
    low: float | None
    high: float | None
    sd: float | None
    """Standard deviation from seed to seed; None with one seed."""
    n: int
    epoch: float
    """The last epoch, or the median over seeds of the best (from 1; chosen by this same metric)."""
    sampling_error: float | None = None
    """Standard error of a validation accuracy that comes from the validation rows being a sample alone:
    sqrt(p (1 - p) / rows). None for everything else."""


@dataclass(frozen=True)
class MetricSummary:
    """A metric at the end of training and at its best epoch."""

    last: Summary
    best: Summary | None
    """None where it is not known whether lower or higher values are better."""
    better: Direction | None = None


@dataclass(frozen=True)
class Band:
    """A mean curve with its 95% t interval at each epoch; None where fewer than two seeds got so far."""

    epochs: tuple[int, ...]
    mean: Numbers
    low: Numbers
    high: Numbers
    n: tuple[int, ...]


@dataclass(frozen=True)
class LevelEvidence:
    """What one combination of levels came to."""

    level: str
    coordinates: Mapping[str, str]
    planned: int
    """Seeds (or folds of the only seed) that the study asks for."""
    finished: int
    diverged: int
    diverged_steps: tuple[int | None, ...]
    """Optimisation step at which each diverged trial did."""
    metrics: Mapping[str, MetricSummary]
    curves: Mapping[str, Band]
    note: str
    """What a reader of the means has to know; empty where there is nothing."""


def summarise(layout: Layout, level: str, validation_rows: int | None) -> LevelEvidence:
    """Summarise one combination of levels over the units whose trials finished."""
    units = [[layout.at(level, place) for place in unit] for unit in layout.units]
    finished = [[t for t in unit if t is not None and t.status == "finished"] for unit in units]
    whole = [trials for trials, unit in zip(finished, units, strict=True) if len(trials) == len(unit)]
    lost = [t for unit in units for t in unit if t is not None and t.status == "diverged"]
    diverged = sum(any(t is not None and t.status == "diverged" for t in unit) for unit in units)
    names = dict.fromkeys(name for unit in whole for trial in unit for name in metric_names(trial.curves))
    extra = layout.dependence
    rows = {"val_accuracy": validation_rows}
    return LevelEvidence(
        level=level,
        coordinates=layout.cells[level],
        planned=len(units),
        finished=len(whole),
        diverged=diverged,
        diverged_steps=tuple(trial.diverged_step for trial in lost),
        metrics={
            name: found
            for name in names
            if (found := _metric_summary(whole, name, extra, rows.get(name), layout.better(name))) is not None
        },
        curves={name: _band(whole, name, extra) for name in names},
        note=_note(len(whole), diverged, len(units), "folds" if layout.by_folds else "seeds"),
    )


def _note(finished: int, diverged: int, planned: int, unit: str) -> str:
    notes = []
    if diverged:
        over = (
            f"means are over the {finished} of {planned} {unit} that finished"
            if finished
            else "there is no mean"
        )
        notes.append(f"{diverged} of {planned} {unit} diverged; {over}")
    if finished + diverged < planned:
        notes.append(f"provisional: {finished + diverged} of {planned} {unit} finished")
    return "; ".join(notes)


def _metric_summary(
    units: Sequence[Sequence[TrialRecord]],
    metric: str,
    extra: float,
    rows: int | None,
    better: Direction | None,
) -> MetricSummary | None:
    curves = [[metric_curve(trial.curves, metric) for trial in trials] for trials in units]
    known = [[c for c in unit if c is not None and len(c)] for unit in curves]
    whole = [unit for unit, asked in zip(known, units, strict=True) if len(unit) == len(asked)]
    if not whole:
        return None
    possible = metric_range(metric)
    last = _summary(whole, lambda c: float(c[-1]), len, extra, rows, possible)
    if last is None or better is None:
        return None if last is None else MetricSummary(last, None)
    best = _summary(
        whole,
        lambda c: float(c[best_epoch(c, better) - 1]),
        lambda c: best_epoch(c, better),
        extra,
        rows,
        possible,
    )
    return None if best is None else MetricSummary(last, best, better)


def _summary(
    units: Sequence[Sequence[NDArray[np.float64]]],
    take: Callable[[NDArray[np.float64]], float],
    epoch: Callable[[NDArray[np.float64]], int],
    extra: float,
    rows: int | None,
    possible: Range,
) -> Summary | None:
    """Summarise one number per unit (folds averaged); None where one of them is not a finite number."""
    values = np.array([np.mean([take(curve) for curve in unit]) for unit in units])
    if not np.isfinite(values).all():
        return None
    epochs = float(np.median([epoch(curve) for unit in units for curve in unit]))
    mean = float(np.mean(values))
    error = accuracy_error(mean, rows) if rows else None
    if len(values) < 2:
        return Summary(mean, None, None, None, len(values), epochs, error)
    found = estimate(values, extra=extra)
    low, high = cut(*interval(found, ALPHA), range_seen(values, possible))
    return Summary(mean, low, high, float(np.std(values, ddof=1)), len(values), epochs, error)


def accuracy_error(accuracy: float, rows: int) -> float:
    """Return the standard error of an accuracy measured on ``rows`` rows: sqrt(p (1 - p) / rows)."""
    return math.sqrt(max(0.0, accuracy * (1 - accuracy)) / rows)


def _band(units: Sequence[Sequence[TrialRecord]], metric: str, extra: float) -> Band:
    """Average curves over folds, then over seeds, epoch by epoch."""
    curves = [_unit_curve(trials, metric) for trials in units]
    longest = max(map(len, curves), default=0)
    table = np.full((len(curves), longest), math.nan)
    for row, curve in zip(table, curves, strict=True):
        row[: len(curve)] = np.where(np.isfinite(curve), curve, math.nan)
    n = np.sum(~np.isnan(table), axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", RuntimeWarning
        )  # epochs without any, or with one number: nan is meant
        mean, sd = np.nanmean(table, axis=0), np.nanstd(table, axis=0, ddof=1)
    least, most = range_seen(table, metric_range(metric))
    half = -stdtrit(np.maximum(n - 1, 1), ALPHA / 2) * sd * np.sqrt(1 / np.maximum(n, 1) + extra)
    return Band(
        tuple(range(1, longest + 1)),
        _plain(mean),
        _plain(np.maximum(mean - half, least)),
        _plain(np.minimum(mean + half, most)),
        tuple(n.tolist()),
    )


def _unit_curve(trials: Sequence[TrialRecord], metric: str) -> NDArray[np.float64]:
    """Average a metric's curve over the folds of a seed, up to the shortest."""
    curves = [metric_curve(trial.curves, metric) for trial in trials]
    known = [curve for curve in curves if curve is not None]
    if len(known) < len(curves):
        return np.zeros(0)
    shortest = min(map(len, known))
    return np.asarray(np.mean([curve[:shortest] for curve in known], axis=0), dtype=np.float64)


def _plain(values: NDArray[np.float64]) -> Numbers:
    return tuple(float(value) if math.isfinite(value) else None for value in values)
