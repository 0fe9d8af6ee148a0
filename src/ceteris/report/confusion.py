"""Which class was taken for which, on the rows that validate: for every level, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.records.probed import Probed
from ceteris.report.curves import thinned
from ceteris.report.final_test import share_text

Counts = NDArray[np.int64]

MOST_NUMBERS = 60_000
"""Numbers of matrices that a page holds at most; epochs are left out before that."""
MOST_CLASSES = 60
"""More classes than this make a table that nobody reads."""


@dataclass(frozen=True)
class ConfusionFigure:
    """The section on validation confusion: classes, levels, epochs, and the matrix that is shown at first."""

    hint: str
    classes: tuple[str, ...]
    levels: tuple[tuple[int, str], ...]
    """Place among all levels, and label."""
    epochs: tuple[int, ...]
    rows: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]
    """Of the first level at its last epoch: true class, and per predicted class the share in words and as a
    number."""
    drawn: dict[str, Any]


def confusion_figure(
    found: Sequence[Probed[Counts]], labels: Sequence[str], classes: Sequence[str]
) -> ConfusionFigure | None:
    """Lay out confusion counts (true class, predicted class), summed over the trials of a level.

    None where none were asked for, or there are too many classes to be read.
    """
    if len(classes) > MOST_CLASSES:
        return None
    summed: dict[str, dict[int, Counts]] = {}
    for one in found:
        by_epoch = summed.setdefault(one.level, {})
        by_epoch[one.epoch] = by_epoch.get(one.epoch, 0) + one.value
    levels = [label for label in labels if label in summed]
    if not levels:
        return None
    epochs = sorted({epoch for own in summed.values() for epoch in own})
    each = len(levels) * len(classes) ** 2
    epochs = [epochs[k] for k in thinned(len(epochs), MOST_NUMBERS // max(each, 1))]
    shown = {label: {e: c for e, c in sorted(summed[label].items()) if e in epochs} for label in levels}
    last = list(shown[levels[0]].values())[-1]
    return ConfusionFigure(
        hint=_hint(len(epochs)),
        classes=tuple(classes),
        levels=tuple((labels.index(label), label) for label in levels),
        epochs=tuple(epochs),
        rows=tuple((name, _cells(row)) for name, row in zip(classes, last, strict=True)),
        drawn={
            "epochs": epochs,
            "levels": [
                {
                    "level": labels.index(label),
                    "steps": [{"epoch": epoch, "counts": counts.tolist()} for epoch, counts in own.items()],
                }
                for label, own in shown.items()
            ],
        },
    )


def _cells(row: Counts) -> tuple[tuple[str, float], ...]:
    shares = [float(share) for share in row / max(int(row.sum()), 1)]
    return tuple((share_text(share), share) for share in shares)


def _hint(epochs: int) -> str:
    moved = " Epoch 0 is before training. The arrow keys move the slider." if epochs > 1 else ""
    return (
        "Percent of the validation rows of each true class (rows), by predicted class (columns), over all "
        f"trials of a level.{moved}"
    )
