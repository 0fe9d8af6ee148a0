"""The numbers behind the charts: mean curves with bands, and single seeds, few enough for one page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.evidence.assessment import Assessment
from ceteris.evidence.summaries import Band
from ceteris.records.views import RunRecord, TrialRecord
from ceteris.report.numbers import rounded
from ceteris.report.titles import title_of
from ceteris.spec.probes import probe_parts, without_many_probes

PAIRS = (("train_loss", "val_loss"), ("train_accuracy", "val_accuracy"))
"""Measured the same way on both sides, so drawn beside each other on one scale."""

MOST_MEANS = 60_000
"""Numbers of mean curves and of their bands that a page holds at most; longer curves are thinned."""
MOST_SINGLE = 60_000
"""Numbers of single-seed curves that a page holds at most."""
MOST_SEEDS = 30
"""Single seeds drawn per level at most."""

LOG_FROM = 100.0
"""The loss axis starts out logarithmic where the largest mean is this many times the smallest."""

COLORS = 6
"""Colours of the palette; the dashes change where they are used up."""
DASHES = 4


@dataclass(frozen=True)
class Row:
    """Charts that stand beside each other on one scale: (metric, title) for each."""

    kind: str
    panels: tuple[tuple[str, str], ...]


def chart_rows(metrics: Sequence[str]) -> tuple[Row, ...]:
    """Lay out the charts of losses, accuracies and the user's own metrics, training beside validation."""
    own = sorted(
        name[4:] for name in metrics if name.startswith("val_") and name not in ("val_loss", "val_accuracy")
    )
    pairs = [*PAIRS, *((f"train_{name}", f"val_{name}") for name in own)]
    rows = (tuple(metric for metric in pair if metric in metrics) for pair in pairs)
    return tuple(
        Row("loss" if "loss" in row[0] else "score", tuple((metric, title_of(metric)) for metric in row))
        for row in rows
        if row
    )


def further_metrics(metrics: Sequence[str], rows: Sequence[Row]) -> tuple[tuple[str, str], ...]:
    """Return (metric, title) of every curve that has no chart of its own."""
    drawn = {metric for row in rows for metric, _ in row.panels}
    return tuple((metric, f"{title_of(metric)} ({metric})") for metric in metrics if metric not in drawn)


def level_styles(run: RunRecord, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Give each level a colour and a dash, both counted from 0.

    With two factors the colour tells the first one's level and the dash the second's, where the palette
    is long enough; else levels go through the colours, and through the dashes once those are used up.
    """
    coordinates = {trial.level: tuple(trial.coordinates.values()) for trial in run.trials}
    places = [coordinates.get(label, ()) for label in labels]
    axes = [list(dict.fromkeys(values)) for values in zip(*places, strict=False)]
    if len(axes) == 2 and len(axes[0]) <= COLORS and len(axes[1]) <= DASHES and all(places):
        codes = [(axes[0].index(first), axes[1].index(second)) for first, second in places]
    else:
        codes = [(index % COLORS, index // COLORS) for index in range(len(labels))]
    return [
        {"label": label, "color": color, "dash": dash}
        for label, (color, dash) in zip(labels, codes, strict=True)
    ]


def thinned(epochs: int, most: int) -> NDArray[np.int64]:
    """Return at most ``most`` epoch indices of (0, ..., epochs - 1), evenly spread, both ends included."""
    most = max(2, most)
    if epochs <= most:
        return np.arange(epochs)
    return np.unique(np.linspace(0, epochs - 1, most).round().astype(np.int64))


def on_grid(curve: NDArray[np.float64], at: NDArray[np.int64], digits: int) -> list[float | None]:
    """Return a curve at the epoch indices ``at``, rounded; None where it ended or is not finite."""
    return [rounded(float(curve[k]), digits) if k < len(curve) else None for k in at]


def starts_logarithmic(curves: Mapping[str, Mapping[str, Any]]) -> bool:
    """Tell whether the losses differ so much that a linear axis would hide most of them."""
    values = [
        value
        for metric in ("train_loss", "val_loss")
        for curve in curves.get(metric, {}).get("mean", ())
        for value in curve
        if value is not None and value > 0
    ]
    return bool(values) and max(values) > LOG_FROM * min(values)


def single_seed_curves(
    run: RunRecord, labels: Sequence[str], metrics: Sequence[str], epochs: int
) -> tuple[list[int], dict[str, list[list[list[float | None]]]]]:
    """Return the epochs and, per metric and level, the curve of each seed.

    Thinned to `MOST_SINGLE` numbers; at most `MOST_SEEDS` per level. Folds of a seed are curves of their own.
    """
    by_level: dict[str, list[TrialRecord]] = defaultdict(list)
    for trial in run.trials:
        if trial.curves and len(by_level[trial.level]) < MOST_SEEDS:
            by_level[trial.level].append(trial)
    count = sum(len(trials) for trials in by_level.values()) * len(metrics)
    at = thinned(epochs, MOST_SINGLE // max(count, 1))
    empty = np.empty(0)
    return [int(k) + 1 for k in at], {
        metric: [
            [on_grid(trial.curves.get(metric, empty), at, 4) for trial in by_level[label]] for label in labels
        ]
        for metric in metrics
    }


@dataclass(frozen=True)
class Curves:
    """The section of curves: its charts, what else can be chosen, and the numbers that are drawn."""

    rows: tuple[Row, ...]
    further: tuple[tuple[str, str], ...]
    has_loss: bool
    log_loss: bool
    """The loss axis starts out logarithmic."""
    has_means: bool
    has_single: bool
    thinned: bool
    fewer_layers: bool
    """Probes of some layers have no chart."""
    data: dict[str, Any]


def with_room(metrics: Sequence[str], levels: int) -> tuple[str, ...]:
    """Return the metrics whose means have room on a page, for as many levels, with two epochs of each.

    Of probes of single parameters and layers those of layers between are left out, evenly, where a deep
    network has too many; of every family the first and the last stay.
    """
    families: dict[str, list[str]] = defaultdict(list)
    for metric in metrics:
        if (parts := probe_parts(metric)) is not None:
            families[parts[0]].append(metric)
    probes = sum(map(len, families.values()))
    room = MOST_MEANS // (6 * max(levels, 1)) - (len(metrics) - probes)
    if probes <= room:
        return tuple(metrics)
    each = room // len(families)
    left = {own[k] for own in families.values() for k in thinned(len(own), each)}
    return tuple(metric for metric in metrics if probe_parts(metric) is None or metric in left)


def curves(run: RunRecord, assessment: Assessment) -> Curves:
    """Collect the curves of a run, with bands, for the charts."""
    labels = [level.level for level in assessment.levels]
    every = _metrics(run, assessment)
    metrics = with_room(every, len(labels))
    epochs = max((len(curve) for trial in run.trials for curve in trial.curves.values()), default=0)
    at = thinned(epochs, MOST_MEANS // max(3 * len(labels) * len(metrics), 1))
    means = {
        metric: _bands([level.curves.get(metric) for level in assessment.levels], at) for metric in metrics
    }
    single_epochs, single = single_seed_curves(run, labels, without_many_probes(every), epochs)
    rows = chart_rows(metrics)
    several = len({(trial.seed, trial.fold) for trial in run.trials}) > 1
    lost = any(trial.status == "diverged" for trial in run.trials)
    data = {
        "levels": level_styles(run, labels),
        "epochs": [int(k) + 1 for k in at],
        "seed_epochs": single_epochs,
        "curves": means,
        "seeds": single if several or lost else {},
    }
    return Curves(
        rows=rows,
        further=further_metrics(metrics, rows),
        has_loss=any(row.kind == "loss" for row in rows),
        log_loss=starts_logarithmic(means),
        has_means=any(value is not None for m in means.values() for curve in m["mean"] for value in curve),
        has_single=several or lost,
        thinned=len(at) < epochs or (len(single_epochs) < epochs and (several or lost)),
        fewer_layers=len(metrics) < len(every),
        data=data,
    )


def _metrics(run: RunRecord, assessment: Assessment) -> tuple[str, ...]:
    """Return recorded metrics in the order of the records, then those that evidence derived from them."""
    recorded = [name for trial in run.trials for name in trial.curves]
    derived = [name for level in assessment.levels for name in level.curves]
    return tuple(dict.fromkeys([*recorded, *derived]))


def _bands(bands: Sequence[Band | None], at: NDArray[np.int64]) -> dict[str, Any]:
    """Return the mean of each level and its bounds at the epoch indices; no bounds where no level has any."""
    found = {side: [_numbers(band, side, at) for band in bands] for side in ("mean", "low", "high")}
    if all(value is None for curve in found["low"] for value in curve):
        return {"mean": found["mean"], "low": None, "high": None}
    return dict(found)


def _numbers(band: Band | None, side: str, at: NDArray[np.int64]) -> list[float | None]:
    values = () if band is None else getattr(band, side)
    return on_grid(np.array([np.nan if value is None else value for value in values]), at, 5)
