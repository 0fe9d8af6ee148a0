"""Scores against numbers: those that a factor's levels are, or how many parameters the levels have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ceteris.evidence.assessment import Assessment
from ceteris.evidence.quantities import GAPS
from ceteris.evidence.summaries import LevelEvidence, Summary
from ceteris.records.views import RunRecord
from ceteris.report.axis import Axis, axis_of, numeric_factor
from ceteris.report.curves import LOG_FROM, chart_rows
from ceteris.report.numbers import rounded, with_interval
from ceteris.report.titles import short_label, title_of

MOST_LINES = 12
"""Combinations of the other factors that one chart shows at most, each a line."""
PARAMETERS = "parameters"
WIDER = 1.1
"""Capacities that differ by less than this factor are not drawn against each other."""
SIDES = {"train_": "Training", "val_": "Validation"}


@dataclass(frozen=True)
class View:
    """One score in a chart: what it is called, and its numbers as a table."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    """Level, and per column its mean with the interval."""


@dataclass(frozen=True)
class Sweep:
    """A chart with its choice of scores; ``drawn`` is what the script gets."""

    id: str
    name: str
    heading: str
    """Of the first column of its tables."""
    views: tuple[View, ...]
    lines: tuple[str, ...]
    """What the lines are called; empty where there is only one."""
    paired: bool
    """Some score is drawn for training and validation."""
    hint: str
    drawn: dict[str, Any]


@dataclass(frozen=True)
class _Line:
    """Levels that are joined: what they have in common, and each with its name on the axis."""

    label: str
    levels: tuple[tuple[str, LevelEvidence], ...]


def sweeps(run: RunRecord, assessment: Assessment) -> tuple[Sweep, ...]:
    """Return a chart for every factor whose levels are numbers."""
    factors = run.study.get("vary") or ()
    if _has_no_means(assessment.levels):
        return ()
    together = run.study.get("combine", "cross") == "zip"
    found: list[Sweep] = []
    for factor in factors:
        joined = _lines(factor["name"], assessment.levels, together)
        numeric = numeric_factor(factor, _experiments(run, factor["name"]))
        if numeric is None or not joined:
            continue
        axis = axis_of(numeric.numbers)
        others = [other["name"] for other in factors if other["name"] != factor["name"]]
        beside = f", with {', '.join(others)}" if together and others else ""
        name = f"{numeric.name}{beside}"
        found.append(_sweep(f"sweep-{len(found)}", name, axis, joined, assessment))
    return tuple(found)


def capacity(parameters: Mapping[str, int], assessment: Assessment) -> Sweep | None:
    """Return the chart of the generalisation gap against the number of parameters.

    Args:
        parameters: level -> parameters of its network, each counted once.

    None where the levels are about equally large.
    """
    levels = [level for level in assessment.levels if level.level in parameters]
    sizes = [parameters[level.level] for level in levels]
    if _has_no_means(levels) or min(sizes) < 1 or max(sizes) < WIDER * min(sizes):
        return None
    numbers = {level.level: float(size) for level, size in zip(levels, sizes, strict=True)}
    axis = axis_of(numbers, log=True, words=lambda size: f"{size:,.0f}")
    grouped = _without_larger(levels, parameters)
    return _sweep("capacity", PARAMETERS, axis, grouped, assessment, gaps_first=True)


def _has_no_means(levels: Sequence[LevelEvidence]) -> bool:
    """Tell whether fewer than two levels have any mean, so that nothing can be drawn against anything."""
    return sum(bool(level.metrics) for level in levels) < 2


def _experiments(run: RunRecord, factor: str) -> dict[str, Mapping[str, Any]]:
    """Return an experiment for each level of a factor, the other factors at what the first trial has."""
    first = run.trials[0].coordinates if run.trials else {}
    others = {name: label for name, label in first.items() if name != factor}
    found: dict[str, Mapping[str, Any]] = {}
    for trial in run.trials:
        label = trial.coordinates.get(factor)
        same = all(trial.coordinates.get(name) == other for name, other in others.items())
        if label is not None and (label not in found or same):
            found[label] = trial.experiment
    return found


def _lines(factor: str, levels: Sequence[LevelEvidence], together: bool) -> tuple[_Line, ...]:
    """Join the levels that agree in all other factors; all of them where factors go together."""
    groups: dict[str, list[tuple[str, LevelEvidence]]] = {}
    for level in levels:
        others = {name: label for name, label in level.coordinates.items() if name != factor}
        key = "" if together else short_label(others)
        if factor in level.coordinates:
            groups.setdefault(key, []).append((level.coordinates[factor], level))
    return tuple(_Line(label, tuple(own)) for label, own in groups.items() if len(own) > 1)


def _without_larger(levels: Sequence[LevelEvidence], parameters: Mapping[str, int]) -> tuple[_Line, ...]:
    """Join levels across the factors that change how large a network is; the others make lines."""
    factors = tuple(levels[0].coordinates)
    larger = {name for name in factors if _changes_size(name, levels, parameters)}
    groups: dict[str, list[tuple[str, LevelEvidence]]] = {}
    for level in sorted(levels, key=lambda one: parameters[one.level]):
        others = {name: label for name, label in level.coordinates.items() if name not in larger}
        groups.setdefault(short_label(others), []).append((level.level, level))
    return tuple(_Line(label, tuple(own)) for label, own in groups.items())


def _changes_size(factor: str, levels: Sequence[LevelEvidence], parameters: Mapping[str, int]) -> bool:
    sizes: dict[tuple[str, ...], set[int]] = {}
    for level in levels:
        others = tuple(label for name, label in level.coordinates.items() if name != factor)
        sizes.setdefault(others, set()).add(parameters[level.level])
    return any(len(own) > 1 for own in sizes.values())


def _sweep(
    identifier: str,
    name: str,
    axis: Axis,
    lines: Sequence[_Line],
    assessment: Assessment,
    *,
    gaps_first: bool = False,
) -> Sweep:
    kinds = _kinds(assessment.levels)
    if gaps_first:
        kinds = dict(sorted(kinds.items(), key=lambda kind: kind[0] not in GAPS))
    shown = axis.places
    sizes = {name: place.text for name, place in shown.items()} if gaps_first else {}
    return Sweep(
        id=identifier,
        name=name,
        heading=f"Level ({name})" if gaps_first else name,
        views=tuple(_view(key, metrics, lines, sizes) for key, metrics in kinds.items()),
        lines=tuple(line.label for line in lines[:MOST_LINES]) if len(lines) > 1 else (),
        paired=any(len(metrics) > 1 for metrics in kinds.values()),
        hint=_hint(axis, assessment, len(lines)),
        drawn={
            "name": name,
            "log": axis.log,
            "ticks": sorted({(place.at, place.text) for place in shown.values()}),
            "views": {key: _drawn(metrics, lines[:MOST_LINES], axis) for key, metrics in kinds.items()},
        },
    )


def _kinds(levels: Sequence[LevelEvidence]) -> dict[str, tuple[str, ...]]:
    """Return what can be chosen: scores of training and validation together, gaps, scores of the whole."""
    names = tuple(dict.fromkeys(name for level in levels for name in level.metrics))
    pairs = [tuple(metric for metric, _ in row.panels) for row in chart_rows(names)]
    pairs.sort(key=lambda pair: not pair[-1].endswith("_accuracy"))
    kinds = {pair[-1]: pair for pair in pairs}
    paired = {metric for pair in pairs for metric in pair}
    alone = [
        n for n in names if n not in paired and "/" not in n and n != "lr" and not n.endswith("_running")
    ]
    alone.sort(key=lambda name: name not in GAPS)
    return kinds | {name: (name,) for name in alone}


def _view(key: str, metrics: Sequence[str], lines: Sequence[_Line], sizes: Mapping[str, str]) -> View:
    title = title_of(key)
    if len(metrics) > 1:
        title = f"{title_of(key.removeprefix('val_'))}, training and validation"
    columns = tuple(_side(metric) or title for metric in metrics)
    rows = tuple(
        (
            f"{level.level} ({sizes[label]})" if sizes else level.level,
            tuple(_text(level, metric) for metric in metrics),
        )
        for line in lines
        for label, level in line.levels
    )
    return View(key, title, columns, rows)


def _side(metric: str) -> str:
    return next((side for start, side in SIDES.items() if metric.startswith(start)), "")


def _summary(level: LevelEvidence, metric: str) -> Summary | None:
    found = level.metrics.get(metric)
    return None if found is None else found.last


def _text(level: LevelEvidence, metric: str) -> str:
    found = _summary(level, metric)
    return "–" if found is None else with_interval(found.mean, found.low, found.high)


def _drawn(metrics: Sequence[str], lines: Sequence[_Line], axis: Axis) -> dict[str, Any]:
    series: list[dict[str, Any]] = [
        {
            "line": place,
            "dashed": metric.startswith("train_"),
            "side": _side(metric),
            "points": _points(line, metric, axis),
        }
        for metric in metrics
        for place, line in enumerate(lines)
    ]
    means = [point["mean"] for one in series for point in one["points"] if point["mean"] is not None]
    log = bool(means) and min(means) > 0 and max(means) > LOG_FROM * min(means)
    share = all("accuracy" in metric and metric not in GAPS for metric in metrics)
    title = title_of(metrics[-1] if len(metrics) == 1 else metrics[-1].removeprefix("val_"))
    return {"title": title, "log": log, "share": share, "series": series}


def _points(line: _Line, metric: str, axis: Axis) -> list[dict[str, Any]]:
    found = []
    for label, level in line.levels:
        if label not in axis.places:
            continue
        place, summary = axis.places[label], _summary(level, metric)
        found.append(
            {
                "at": rounded(place.at, 8),
                "apart": place.apart,
                "level": level.level,
                "mean": None if summary is None else rounded(summary.mean, 5),
                "low": None if summary is None or summary.low is None else rounded(summary.low, 5),
                "high": None if summary is None or summary.high is None else rounded(summary.high, 5),
            }
        )
    return sorted(found, key=lambda point: (not point["apart"], point["at"]))


def _hint(axis: Axis, assessment: Assessment, lines: int) -> str:
    most = max((level.finished for level in assessment.levels), default=0)
    over = f"Mean over the {assessment.unit} after the last epoch"
    bars = f"{over}, with its 95% interval." if most > 1 else "After the last epoch."
    scale = " The horizontal axis is logarithmic." if axis.log else ""
    off = [place.text for place in axis.places.values() if place.apart]
    apart = f" {_listed(off)} {'stands' if len(off) == 1 else 'stand'} apart, off the scale." if off else ""
    lost = [level.level for level in assessment.levels if level.diverged and not level.finished]
    missing = f" Not drawn: {', '.join(lost)}, where every trial diverged." if lost else ""
    many = f" The first {MOST_LINES} of {lines} combinations are drawn." if lines > MOST_LINES else ""
    return bars + scale + apart + missing + many


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
