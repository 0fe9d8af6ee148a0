"""Whether the numbers of compared levels are on one scale: the same loss, data and validation rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ceteris.evidence.layout import Layout
from ceteris.evidence.observations import Group
from ceteris.evidence.wording import listing

if TYPE_CHECKING:
    from ceteris.records.views import TrialRecord

MEASURED = ("train_", "val_", "gap_")
"""How the names of what is measured on rows begin."""

SECONDS = (
    "seconds are shares of what trials took that were trained together, on this machine and beside whatever "
    "else ran on it: they are a measurement of this run, not a property of the level"
)

VALIDATION_ROWS = ("validation", "validation_balanced", "split")
"""The settings of the data that decide which rows are validated on."""


def unlike(metric: str, layout: Layout, groups: Sequence[Group]) -> tuple[str, ...]:
    """Say why the groups' numbers of a metric cannot be compared as they stand; nothing where they can."""
    if metric == "seconds_per_epoch":
        return (SECONDS,)
    if not metric.startswith(MEASURED):
        return ()
    found = []
    losses = _differing(layout, groups, _loss)
    if "loss" in metric and losses:
        found.append(f"the levels' losses are different functions ({listing(losses)}), not on one scale")
    targets = _differing(layout, groups, _target_scale)
    if "loss" in metric and targets:
        found.append(
            f"the levels' losses are of targets on different scales ({listing(targets)}); `rmse` and "
            "`log_rmse` are in the targets' own units"
        )
    sources = _differing(layout, groups, _source)
    if sources:
        found.append(f"the levels are measured on different data ({listing(sources)})")
    elif not metric.startswith("train_") and _differing(layout, groups, _validation_rows):
        found.append("the levels are validated on different rows, so that a pair shares no validation split")
    return tuple(found)


def _differing(
    layout: Layout, groups: Sequence[Group], setting: Callable[[TrialRecord], str]
) -> tuple[str, ...]:
    """Return a setting's values where the groups do not have the same; nothing where they do."""
    each = [dict.fromkeys(setting(trial) for trial in layout.ended(group.cells)) for group in groups]
    known = [set(values) for values in each if values]
    if not known or all(values == known[0] for values in known):
        return ()
    return tuple(dict.fromkeys(value for values in each for value in values))


def _data(trial: TrialRecord) -> dict[str, Any]:
    return dict(trial.experiment.get("data") or {})


def _loss(trial: TrialRecord) -> str:
    name = str(trial.experiment.get("loss", "auto"))
    if name == "auto":
        return "cross_entropy" if any("accuracy" in curve for curve in trial.curves) else "mse"
    if name in ("smooth_l1", "huber"):
        return f"{name} with beta {trial.experiment.get('loss_beta', 1.0):g}"
    return name


def _target_scale(trial: TrialRecord) -> str:
    return str(_data(trial).get("target_scale", "none"))


def _source(trial: TrialRecord) -> str:
    return str(_data(trial).get("source", ""))


def _validation_rows(trial: TrialRecord) -> str:
    return repr([_data(trial).get(name) for name in VALIDATION_ROWS])
