"""What a constant would reach, beside what networks did: a level that is no better has learned nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ceteris.evidence.summaries import LevelEvidence
from ceteris.evidence.wording import listing, number

WHAT = "predicts"
HIGHER = "val_accuracy"
BY = (HIGHER, "val_log_rmse", "val_rmse", "val_loss")
"""The metrics by which a network is compared with a constant: the first that there is."""
MOST_SENTENCES = 4
"""Of constants that differ between levels, so many are told."""

Constants = Mapping[str, Mapping[str, Any]]


def constant_notes(constants: Constants, levels: Sequence[LevelEvidence]) -> tuple[str, ...]:
    """Say what a constant would reach on the validation rows, and which levels end no better.

    ``constants`` are a fact of the run: for each level what the constant ``predicts``, and its metrics.
    """
    alike: dict[str, list[str]] = {}
    for level in levels:
        if level.level in constants:
            alike.setdefault(constant_words(constants[level.level]), []).append(level.level)
    found = [
        f"A constant would reach {reach}{'' if len(alike) == 1 else f' ({listing(names)})'}."
        for reach, names in list(alike.items())[:MOST_SENTENCES]
    ]
    worse = list(_no_better(constants, levels))
    if worse:
        found.append(f"No better than that at the end: {listing(worse)}.")
    return tuple(found)


def constant_words(own: Mapping[str, Any]) -> str:
    """Say what one constant would reach, and what it is."""
    values = [f"{name} {number(value)}" for name, value in own.items() if name != WHAT]
    return f"{listing(values)} ({own[WHAT]})"


def _no_better(constants: Constants, levels: Sequence[LevelEvidence]) -> Iterator[str]:
    """Yield the levels whose mean over seeds is not better than their constant."""
    for level in levels:
        own = constants.get(level.level, {})
        metric = next((name for name in BY if name in own and name in level.metrics), None)
        if metric is None:
            continue
        mean, constant = level.metrics[metric].last.mean, own[metric]
        if mean <= constant if metric == HIGHER else mean >= constant:
            yield level.level
