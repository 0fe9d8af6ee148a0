"""Metrics that Ceteris brings besides loss and accuracy, and which way a metric improves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ceteris.spec.claim import Claim

PROVIDED_METRICS = ("log_rmse", "rmse")
"""Measured where an experiment lists them. ``log_rmse``: sqrt(mean((log max(output, 1) - log target)^2)),
for positive targets such as prices. ``rmse``: sqrt(mean((output - target)^2)). Both are in the units of the
targets, however these were scaled."""

OF_TRIALS = {
    "epochs": "number of epochs trained",
    "diverged": "share of trials that diverged",
    "seconds_per_epoch": "time per epoch in seconds",
}
"""Numbers that a trial has as a whole, which claims may be about, and how each is called in a sentence."""

Direction = Literal["lower", "higher"]
"""Which values of a metric are the better ones."""

LOWER = re.compile(r"\w*(loss|error|rmse)\w*|r?mse|rmsle|mae|mape|brier|perplexity")
HIGHER = re.compile(r"\w*accuracy\w*|auc|auroc|f1|precision|recall|r2|score|top\d*")
"""Words of a name, between its underscores, that tell which values are the better ones."""


def direction(metric: str, stated: Mapping[str, Direction] | None = None) -> Direction | None:
    """Return which values of a recorded metric are the better ones, None where nobody has said so.

    ``stated`` is what an experiment says in `better`, by the metric's own name (``mae`` for ``val_mae``).
    Else the name tells: losses, errors and gaps are better when lower; accuracies, scores and the like
    when higher; a name that says both, or neither, tells nothing.
    """
    own = without_rows(metric)
    if stated and (own in stated or metric in stated):
        return stated[own] if own in stated else stated[metric]
    if metric.startswith("gap_"):
        return "lower"
    words = own.lower().split("_")
    lower, higher = (any(map(known.fullmatch, words)) for known in (LOWER, HIGHER))
    if lower == higher:
        return None
    return "lower" if lower else "higher"


def direction_of_claim(claim: Claim, stated: Mapping[str, Direction] | None = None) -> Direction | None:
    """Return which values of a claim's metric count as better: what `coming` says, or as ``direction``."""
    if claim.coming is not None:
        return "lower" if claim.coming == "down" else "higher"
    return direction(claim.metric, stated)


def without_rows(metric: str) -> str:
    """Return a metric's name without the rows that it was measured on: ``val_mae`` gives ``mae``."""
    for split in ("train_", "val_"):
        if metric.startswith(split):
            return metric.removeprefix(split).removesuffix("_running")
    return metric


def unknown_direction(metric: str) -> str:
    """Say that nobody has said which values of a metric are the better ones, and how to say it."""
    name = without_rows(metric)
    return (
        f"whether a lower or a higher `{metric}` is better is not known; "
        f"say it in the experiment: `better: {{{name}: lower}}` or `better: {{{name}: higher}}`"
    )
