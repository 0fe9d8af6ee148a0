"""The number that a claim takes from each trial, and what that number is called."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ceteris.spec.claim import CHANGES, Take
from ceteris.spec.metrics import OF_TRIALS, Direction
from ceteris.spec.probes import FAMILIES, GRADIENT_NOISE, probe_parts

Curve = NDArray[np.float64]

GAPS = {"gap_loss": ("val_loss", "train_loss"), "gap_accuracy": ("train_accuracy", "val_accuracy")}
"""Derived curves: the first minus the second, so that a larger gap is a worse one."""

GAP_SIZES = {"gap_size_loss": "gap_loss", "gap_size_accuracy": "gap_accuracy"}
"""Derived curves: a gap without its sign."""

_WORDS = {
    "train": "training",
    "val": "validation",
    "lr": "learning rate",
    "grad": "gradient",
    "weight_error": "largest distance of a weight from the truth",
    "bias_error": "distance of the bias from the truth",
    "sharpness": "rise of the loss under small changes of the weights",
    "gap_loss": "validation minus training loss",
    "gap_accuracy": "training minus validation accuracy",
    "gap_size_loss": "size of the gap between training and validation loss",
    "gap_size_accuracy": "size of the gap between training and validation accuracy",
}


def worst_value(metric: str, at: Take, better: Direction | None) -> float:
    """Return what a diverged trial counts as: further than every trial that finished.

    Fluctuations, norms, spreads, what probes measure (but for mean activations) and epochs until a value grow
    without bound; losses and other metrics of which less is better too; those of which more is better fall.
    NaN where ``better`` is not known: such a trial cannot be ranked.
    """
    probe = probe_parts(metric)
    grows = metric in ("grad_norm", "weight_norm", "lr", "penalty", "sharpness", GRADIENT_NOISE) or (
        probe is not None and probe[0] != "activation_mean"
    )
    if grows or at in ("fluctuation", "epochs_until"):
        return math.inf
    return {"lower": math.inf, "higher": -math.inf, None: math.nan}[better]


def needs_direction(at: Take) -> bool:
    """Tell whether a number of a curve exists only where it is known which values are better."""
    return at in ("best", "epochs_until")


def metric_curve(curves: Mapping[str, Curve], metric: str) -> Curve | None:
    """Return a recorded or derived curve (epochs,), or None where the trial has none of that name."""
    if metric in curves:
        return np.asarray(curves[metric], dtype=np.float64)
    if metric in GAP_SIZES:
        gap = metric_curve(curves, GAP_SIZES[metric])
        return None if gap is None else np.abs(gap)
    parts = GAPS.get(metric)
    if parts is None or not all(part in curves for part in parts):
        return None
    return np.asarray(curves[parts[0]] - curves[parts[1]], dtype=np.float64)


def metric_names(curves: Mapping[str, Curve]) -> tuple[str, ...]:
    """Return all metrics that a trial has: the recorded ones, then the gaps that follow from them."""
    return (*curves, *(gap for gap, parts in GAPS.items() if all(part in curves for part in parts)))


def quantity(
    curve: Curve,
    at: Take,
    better: Direction | None,
    reach: float | None = None,
    between: tuple[int, int] | None = None,
) -> float:
    """Return one number of a curve (epochs,); NaN where it is not defined.

    ``epochs_until`` counts from 1 and is infinite where the value is never reached. ``fluctuation`` needs
    three epochs, changes two. ``between`` are two epochs, counted from 1, to which the curve is cut before;
    both have to be there.
    """
    if between is not None:
        curve = curve[between[0] - 1 : between[1]] if len(curve) >= between[1] else curve[:0]
    if len(curve) == 0 or (better is None and needs_direction(at)):
        return math.nan
    if at == "epochs_until":
        return _epochs_until(curve, better, reach)
    if at in ("first", "last"):
        return float(curve[0 if at == "first" else -1])
    if at == "best":
        return float(curve[best_epoch(curve, better) - 1])
    if at in CHANGES:
        return _change(curve, at)
    return float(np.std(np.diff(curve), ddof=1)) if len(curve) > 2 else math.nan


def _change(curve: Curve, at: Take) -> float:
    if len(curve) < 2:
        return math.nan
    if at == "change":
        return float(curve[-1] - curve[0])
    steps = np.diff(curve)
    return float(steps.max() if at == "largest_change" else steps.min())


def best_epoch(curve: Curve, better: Direction | None) -> int:
    """Return the epoch (from 1) of the lowest value where lower is better, else of the highest."""
    return int(np.argmin(curve) if better == "lower" else np.argmax(curve)) + 1


def _epochs_until(curve: Curve, better: Direction | None, reach: float | None) -> float:
    if reach is None:
        return math.nan
    reached = curve <= reach if better == "lower" else curve >= reach
    return float(np.argmax(reached) + 1) if reached.any() else math.inf


def resolution(metric: str, at: Take, rows: int | None) -> float:
    """Return the step in which it is counted: an epoch, trial or validation row, or 0 (not known)."""
    if at == "epochs_until" or metric in ("epochs", "diverged"):
        return 1.0
    counted = metric == "val_accuracy" and at in ("first", "last", "best", *CHANGES) and rows
    return 1 / rows if counted and rows else 0.0


def metric_words(metric: str) -> str:
    """Return a metric's name in words: ``val_loss`` is "validation loss"."""
    known = _WORDS | OF_TRIALS
    if metric in known:
        return known[metric]
    probe = probe_parts(metric)
    if probe is not None:
        return FAMILIES[probe[0]].format(probe[1])
    if metric.endswith("_running"):
        return f"running {metric_words(metric.removesuffix('_running'))}"
    return " ".join(_WORDS.get(part, part) for part in metric.split("_"))


def quantity_words(
    metric: str, at: Take, reach: float | None = None, between: tuple[int, int] | None = None
) -> str:
    """Return a quantity's name in words, to follow "the"."""
    name = metric_words(metric)
    if at == "epochs_until":
        return f"number of epochs until the {name} reaches {reach:g}" if reach is not None else name
    stretch = "" if between is None else f" from epoch {between[0]} to epoch {between[1]}"
    return {
        "first": f"{name} of the first epoch",
        "last": name,
        "best": f"best {name}{stretch or ' of all epochs'}",
        "change": f"change of the {name}{stretch or ' from the first epoch to the last'}",
        "largest_change": f"largest change of the {name} between adjacent epochs{stretch}",
        "smallest_change": f"smallest change of the {name} between adjacent epochs{stretch}",
        "fluctuation": f"fluctuation of the {name} between epochs{stretch}",
    }[at]
