"""Metrics by their names in words, and which of them a report puts first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ceteris.evidence.quantities import metric_words
from ceteris.spec.metrics import Direction

FIRST = ("val_accuracy", "val_loss", "train_accuracy", "train_loss")
"""What a reader looks at first, as far as it was measured."""


def title_of(metric: str) -> str:
    """Return a metric's name as a title: ``val_loss`` is "Validation loss"."""
    words = metric_words(metric)
    return words[:1].upper() + words[1:]


def direction_of(better: Direction | None) -> str:
    """Say which direction is the better one, where that is known."""
    return f"{better} is better" if better else ""


def short_label(coordinates: Mapping[str, str]) -> str:
    """Name levels of factors by the last word of each factor: ``lr 0.1, batch_size 32``."""
    return ", ".join(f"{name.rpartition('.')[2]} {label}" for name, label in coordinates.items())


def ordered(metrics: Sequence[str]) -> tuple[str, ...]:
    """Put the metrics of `FIRST` first; the others keep their order."""
    return tuple(dict.fromkeys([*(metric for metric in FIRST if metric in metrics), *metrics]))
