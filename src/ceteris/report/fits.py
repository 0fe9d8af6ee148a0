"""Fitted curves over the one number that the inputs come from, epoch by epoch, with rows behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ceteris.report.curves import thinned
from ceteris.report.extras import Fit, FitRows
from ceteris.report.numbers import rounded

MOST_SEEDS = 5
"""Seeds of a level whose curves are drawn at most."""
MOST_NUMBERS = 60_000
"""Numbers of curves that a page holds at most; epochs are left out before that."""
MOST_ROWS = 500
"""Training rows drawn behind the curves at most."""


@dataclass(frozen=True)
class FitFigure:
    """The section on fits: which epochs can be stepped through, and what is drawn."""

    hint: str
    epochs: tuple[int, ...]
    drawn: dict[str, Any]


def fitted(fits: Sequence[Fit], rows: FitRows | None, labels: Sequence[str]) -> FitFigure | None:
    """Lay out fitted curves; None where there are none."""
    seeds: dict[str, list[int]] = {}
    for fit in fits:
        own = seeds.setdefault(fit.level, [])
        if fit.seed not in own and len(own) < MOST_SEEDS:
            own.append(fit.seed)
    kept = [fit for fit in fits if fit.level in labels and fit.seed in seeds[fit.level]]
    if not kept:
        return None
    epochs = sorted({fit.epoch for fit in kept})
    numbers = sum(len(fit.x) for fit in kept) / len(epochs)
    epochs = [epochs[k] for k in thinned(len(epochs), int(MOST_NUMBERS / max(numbers, 1)))]
    levels = [label for label in labels if label in seeds]
    return FitFigure(
        hint=_hint(rows, max(map(len, seeds.values())), len(epochs)),
        epochs=tuple(epochs),
        drawn={
            "epochs": epochs,
            "rows": _rows(rows),
            "levels": [
                {"level": labels.index(label), "seeds": _seeds(kept, label, seeds[label], epochs)}
                for label in levels
            ],
        },
    )


def _seeds(
    fits: Sequence[Fit], label: str, seeds: Sequence[int], epochs: Sequence[int]
) -> list[dict[str, Any]]:
    """Return the curves of each seed of a level: epoch, x and y."""
    wanted = set(epochs)
    return [
        {
            "seed": seed,
            "curves": [
                {"epoch": fit.epoch, "points": _points(fit)}
                for fit in fits
                if fit.level == label and fit.seed == seed and fit.epoch in wanted
            ],
        }
        for seed in seeds
    ]


def _points(fit: Fit) -> list[list[float | None]]:
    return [[rounded(float(x), 5), rounded(float(y), 4)] for x, y in zip(fit.x, fit.y, strict=True)]


def _rows(rows: FitRows | None) -> list[list[float | None]]:
    if rows is None:
        return []
    order = np.argsort(rows.x, kind="stable")
    order = order[thinned(len(order), MOST_ROWS)]
    return [[rounded(float(rows.x[k]), 5), rounded(float(rows.y[k]), 5)] for k in order]


def _hint(rows: FitRows | None, seeds: int, epochs: int) -> str:
    lines = "One line per seed of a level, the first one wider." if seeds > 1 else "One line per level."
    parts = [f"What the networks make of the one number that their inputs come from. {lines}"]
    if rows is not None:
        parts.append(f"Dots: training rows of seed {rows.seed}.")
    if epochs > 1:
        parts.append("Epoch 0 is before training. The arrow keys move the slider.")
    return " ".join([*parts, "The legend above the curves switches levels here too."])
