"""Successive halving: how large its rounds are, and which candidates go on to the next one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ceteris.spec.experiment import Experiment
from ceteris.spec.labels import format_label
from ceteris.spec.search import Halving
from ceteris.spec.study import Level

ALL_ROWS = "all"
"""Label of the last round where the base experiment trains on all rows."""


def size_path(halving: Halving) -> str:
    """Return the setting that grows from round to round."""
    return "epochs" if halving.by == "epochs" else "data.rows"


def rounds(halving: Halving, base: Experiment, training_rows: int) -> list[Level]:
    """Return a level per round that sets its size, the last one being that of the base experiment.

    Rounds that would be of one size are one round.
    """
    full = base.epochs if halving.by == "epochs" else training_rows
    shares = [halving.factor**step for step in range(halving.rounds - 1, 0, -1)]
    sizes = [size for share in shares if 1 <= (size := round(full / share)) < full]
    path = size_path(halving)
    small = [Level(label=format_label(size), patch={path: size}) for size in dict.fromkeys(sizes)]
    last = base.epochs if halving.by == "epochs" else base.data.rows
    label = ALL_ROWS if last is None else format_label(last)
    return [*small, Level(label=label, patch={path: last})]


def survivors(scores: Mapping[str, float], factor: int) -> list[str]:
    """Return the labels that go on: the best one in ``factor``, at least one, and none that was lost.

    ``scores``: less is better, infinite for lost ones; of equals the earlier goes on.
    """
    alive = [label for label, score in scores.items() if math.isfinite(score)]
    count = max(1, math.ceil(len(scores) / factor))
    best: Sequence[str] = sorted(alive, key=lambda label: scores[label])[:count]
    return [label for label in alive if label in best]
