"""Histograms of parameters and of hidden activations, for every level, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.records.probed import Histogram, Probed, common_edges
from ceteris.report.curves import thinned
from ceteris.report.numbers import counted, plain, rounded

MOST_NUMBERS = 60_000
"""Numbers of histograms that a page holds at most; epochs are left out before that."""
SPIKE = 4.0
"""A bin that is this many times higher than the next hides the others."""
QUANTILES = (0.05, 0.5, 0.95)
COLUMNS = ("Smallest", "5%", "Median", "95%", "Largest", "Not finite")
OF = {"parameter": "Parameters", "activation": "Activations"}


@dataclass(frozen=True)
class HistogramView:
    """One tensor or layer: what it is called, and where its numbers lie at the last epoch of each level."""

    key: str
    title: str
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class HistogramFigure:
    """The section on histograms: what can be chosen, the epochs, and what is drawn."""

    hint: str
    views: tuple[HistogramView, ...]
    columns: tuple[str, ...]
    epochs: tuple[int, ...]
    drawn: dict[str, Any]


@dataclass(frozen=True)
class _Pooled:
    """The numbers of all trials of a level in one histogram."""

    epoch: int
    edges: NDArray[np.float64]
    shares: NDArray[np.float64]
    """Of all finite numbers, per bin."""
    lost: int


Key = tuple[str, str]
"""Kind and name."""


def histogram_figure(found: Sequence[Probed[Histogram]], labels: Sequence[str]) -> HistogramFigure | None:
    """Lay out histograms, the trials of a level together; None where none were asked for."""
    groups: dict[Key, dict[str, dict[int, list[Histogram]]]] = {}
    for one in found:
        if one.level in labels:
            by_epoch = groups.setdefault((one.kind, one.name), {}).setdefault(one.level, {})
            by_epoch.setdefault(one.epoch, []).append(one.value)
    pooled = {
        key: {
            level: [made for epoch, own in sorted(epochs.items()) if (made := _pool(epoch, own)) is not None]
            for level, epochs in levels.items()
        }
        for key, levels in groups.items()
    }
    pooled = dict(sorted(pooled.items(), key=lambda entry: list(OF).index(entry[0][0])))
    epochs = _epochs(pooled)
    if not epochs:
        return None
    trials = max(len(own) for levels in groups.values() for e in levels.values() for own in e.values())
    return HistogramFigure(
        hint=_hint(trials, len(epochs)),
        views=tuple(_view(key, levels, labels) for key, levels in pooled.items()),
        columns=COLUMNS,
        epochs=tuple(epochs),
        drawn={
            "epochs": epochs,
            "views": {
                _name(key): {"log": _is_spiky(levels), "levels": _drawn(levels, labels, epochs)}
                for key, levels in pooled.items()
            },
        },
    )


def _pool(epoch: int, own: Sequence[Histogram]) -> _Pooled | None:
    """Put the histograms of several trials on common edges; None where no number was finite."""
    lost = sum(one.not_finite for one in own)
    filled = [one for one in own if one.counts.sum() > 0]
    if not filled:
        return None
    edges = common_edges(filled, len(filled[0].counts))
    if edges[-1] <= edges[0]:  # all numbers are one: a bin around it
        edges = edges[0] + np.array([-0.5, 0.5]) * max(1e-3 * abs(edges[0]), 1e-6)
        counts = np.array([sum(float(one.counts.sum()) for one in filled)])
    else:
        counts = np.sum([one.on(edges) for one in filled], axis=0)
    return _Pooled(epoch, edges, counts / max(float(counts.sum()), 1.0), lost)


def _epochs(pooled: dict[Key, dict[str, list[_Pooled]]]) -> list[int]:
    """Return the epochs that are drawn: all, or as many as fit."""
    every = [one for levels in pooled.values() for own in levels.values() for one in own]
    epochs = sorted({one.epoch for one in every})
    if not epochs:
        return []
    each = sum(len(one.shares) for one in every) / len(epochs)
    return [epochs[k] for k in thinned(len(epochs), int(MOST_NUMBERS / max(each, 1)))]


def _is_spiky(levels: dict[str, list[_Pooled]]) -> bool:
    """Tell whether one bin hides the others, as the zeros of a ReLU do: a logarithmic axis shows more."""
    tops = [np.sort(own[-1].shares)[-2:] for own in levels.values() if own and len(own[-1].shares) > 1]
    return any(top > SPIKE * second for second, top in tops)


def _name(key: Key) -> str:
    return " ".join(key)


def _drawn(
    levels: dict[str, list[_Pooled]], labels: Sequence[str], epochs: Sequence[int]
) -> list[dict[str, Any]]:
    return [
        {
            "level": labels.index(label),
            "steps": [
                {
                    "epoch": one.epoch,
                    "low": rounded(float(one.edges[0]), 6),
                    "high": rounded(float(one.edges[-1]), 6),
                    "shares": [rounded(float(share), 4) for share in one.shares],
                }
                for one in own
                if one.epoch in epochs
            ],
        }
        for label, own in levels.items()
    ]


def _view(key: Key, levels: dict[str, list[_Pooled]], labels: Sequence[str]) -> HistogramView:
    rows = tuple((label, _cells(levels[label][-1])) for label in labels if levels.get(label))
    return HistogramView(_name(key), f"{OF.get(key[0], key[0])} of {key[1]}", rows)


def _cells(one: _Pooled) -> tuple[str, ...]:
    below = np.concatenate([[0.0], np.cumsum(one.shares)])
    inner = [float(np.interp(share, below, one.edges)) for share in QUANTILES]
    numbers = (float(one.edges[0]), *inner, float(one.edges[-1]))
    return (*(plain(number, 3) for number in numbers), f"{one.lost:,}")


def _hint(trials: int, epochs: int) -> str:
    pooled = f"The numbers of {counted(trials, 'trial')} of a level together. " if trials > 1 else ""
    moved = " Epoch 0 is before training. The arrow keys move the slider." if epochs > 1 else ""
    return (
        f"{pooled}Height: share of the numbers per unit of length, so that every outline holds the same area."
        f"{moved} The legend above the curves switches levels here too."
    )
