"""What was measured of every hidden layer, over the layers: after the first epoch and after the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.records.views import RunRecord, TrialRecord
from ceteris.report.curves import LOG_FROM, thinned
from ceteris.report.numbers import plain, rounded
from ceteris.spec.probes import OF_LAYERS, probe_parts

LEAST = 4
"""A network of so many hidden layers is drawn over its layers."""
MOST_NUMBERS = 20_000
"""Numbers that a page holds of this figure at most; layers between are left out before that."""
FIRST = ("activation_var", "activation_grad_var")
"""What a reader looks at first."""
COLUMNS = (
    "Layers",
    "First layer, first epoch",
    "Last layer, first epoch",
    "First layer, last epoch",
    "Last layer, last epoch",
)

Values = NDArray[np.float64]
Ends = tuple[Values, Values]
"""(layers,) after the first epoch and after the last; NaN where no trial has a number."""


@dataclass(frozen=True)
class LayerView:
    """One measurement: what it is called, and its numbers at both ends of the network and of the training."""

    key: str
    title: str
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class LayerFigure:
    """The section on layers."""

    hint: str
    views: tuple[LayerView, ...]
    columns: tuple[str, ...]
    drawn: dict[str, Any]


def layer_figure(run: RunRecord, labels: Sequence[str]) -> LayerFigure | None:
    """Lay out what was measured of layers; None where no network has enough of them."""
    found: dict[str, dict[str, Ends]] = {}
    for label in labels:
        trials = [trial for trial in run.trials if trial.level == label]
        for family, names in _layers_of(trials).items():
            if len(names) >= LEAST:
                found.setdefault(family, {})[label] = _ends(trials, family, names)
    if not found:
        return None
    families = sorted(found, key=lambda name: (name not in FIRST, list(OF_LAYERS).index(name)))
    lines = sum(2 * len(levels) for levels in found.values())
    most = max(LEAST, MOST_NUMBERS // lines)
    deepest = max(len(ends[0]) for levels in found.values() for ends in levels.values())
    return LayerFigure(
        hint=_hint(thin=deepest > most),
        views=tuple(_view(name, found[name]) for name in families),
        columns=COLUMNS,
        drawn={"views": {name: _drawn(name, found[name], labels, most) for name in families}},
    )


def _layers_of(trials: Sequence[TrialRecord]) -> dict[str, tuple[str, ...]]:
    """Return the hidden layers of a level's networks, from the data on, for each family measured of them."""
    found: dict[str, dict[str, None]] = {}
    for trial in trials:
        for metric in trial.curves:
            parts = probe_parts(metric)
            if parts is not None and parts[0] in OF_LAYERS:
                found.setdefault(parts[0], {})[parts[1]] = None
    return {family: tuple(names) for family, names in found.items()}


def _ends(trials: Sequence[TrialRecord], family: str, names: Sequence[str]) -> Ends:
    """Average a family over trials, layer by layer; trials that were lost have no last epoch."""
    curves = [[trial.curves.get(f"{family}/{name}", np.empty(0)) for name in names] for trial in trials]
    whole = [own for own, trial in zip(curves, trials, strict=True) if trial.status == "finished"]
    return _mean(family, [_at(own, 0) for own in curves]), _mean(family, [_at(own, -1) for own in whole])


def _at(curves: Sequence[Values], place: int) -> Values:
    return np.array([curve[place] if len(curve) else np.nan for curve in curves], dtype=np.float64)


def _mean(family: str, rows: Sequence[Values]) -> Values:
    """Average over trials, (trials, layers) to (layers,): variances by their logarithms."""
    table = np.array(rows)
    if not len(table):
        return np.full(0, np.nan)
    table = np.where(np.isfinite(table), table, np.nan)
    known = ~np.isnan(table)
    count = known.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.log(table) if _is_variance(family) else table
        mean = np.where(known, values, 0.0).sum(axis=0) / count
        return np.asarray(np.exp(mean) if _is_variance(family) else mean)


def _is_variance(family: str) -> bool:
    return family.endswith("_var")


def _drawn(family: str, levels: Mapping[str, Ends], labels: Sequence[str], most: int) -> dict[str, Any]:
    return {
        "title": _title(family),
        "log": _starts_logarithmic(family, levels),
        "levels": [
            {
                "level": labels.index(label),
                "first": _points(first, most),
                "last": [] if _is_fixed(family) else _points(last, most),
            }
            for label, (first, last) in levels.items()
        ],
    }


def _is_fixed(family: str) -> bool:
    """Tell whether a family is of the start alone, the same at every epoch."""
    return family.startswith("start_")


def _starts_logarithmic(family: str, levels: Mapping[str, Ends]) -> bool:
    values = np.concatenate([values for ends in levels.values() for values in ends])
    positive = values[values > 0]
    return _is_variance(family) and bool(positive.size and positive.max() > LOG_FROM * positive.min())


def _points(values: Values, most: int) -> list[list[float | None]]:
    """Return (layer counted from 1, value) for at most ``most`` layers, evenly spread."""
    places = thinned(len(values), most) if len(values) else ()
    return [[int(k) + 1, rounded(float(values[k]), 3)] for k in places]


def _view(family: str, levels: Mapping[str, Ends]) -> LayerView:
    return LayerView(family, _title(family), tuple((label, _cells(*ends)) for label, ends in levels.items()))


def _cells(first: Values, last: Values) -> tuple[str, ...]:
    numbers = [values[place] if len(values) else None for values in (first, last) for place in (0, -1)]
    return (str(len(first)), *(plain(None if n is None else float(n), 3) for n in numbers))


def _title(family: str) -> str:
    words = OF_LAYERS[family].format("each layer")
    return words[:1].upper() + words[1:]


def _hint(*, thin: bool) -> str:
    left = " Of deep networks some layers are left out." if thin else ""
    return (
        "Hidden layers from the data on, counted from 1. Wide line: after the last epoch; thin line: after "
        "the first. Mean over the trials of a level, of variances the geometric one; where trials diverged, "
        f"the wide line is of the others.{left} The legend above the curves switches levels here too."
    )
