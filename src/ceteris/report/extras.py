"""What figures need besides a record: found by reading the data and the networks that were kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.records.probed import Histogram, Probed


@dataclass(frozen=True, eq=False)
class Predicted:
    """What the network of a level predicts for the rows that it validates on."""

    level: str
    seed: int
    targets: NDArray[np.float64]
    """(rows, outputs), in the units of the data."""
    predictions: NDArray[np.float64]
    """(rows, outputs)."""
    validated: bool
    """These are the validation rows; else, where none validate, the training rows."""


@dataclass(frozen=True, eq=False)
class Coefficients:
    """What the linear networks of a level learned, beside what their rows were drawn from."""

    level: str
    names: tuple[str, ...]
    """Of the inputs, ``x1`` and so on, and of the ``bias``."""
    truth: NDArray[np.float64]
    """(coefficients,)."""
    learned: NDArray[np.float64]
    """(trials, coefficients), for inputs in the units of the data."""


@dataclass(frozen=True, eq=False)
class Fit:
    """What networks of one input make of a grid of it."""

    level: str
    seed: int
    epoch: int
    """0 before training, else after so many epochs."""
    x: NDArray[np.float64]
    """(points,), in the units of the data."""
    y: NDArray[np.float64]
    """(points,): the first output."""


@dataclass(frozen=True, eq=False)
class FitRows:
    """The training rows of one seed, to be drawn behind a fitted curve."""

    seed: int
    x: NDArray[np.float64]
    y: NDArray[np.float64]


@dataclass(frozen=True)
class Extras:
    """Measured for one run; what could not be had is empty, and its figure is left out."""

    parameters: Mapping[str, int] = field(default_factory=dict)
    """Level -> parameters of its network, each counted once."""
    predicted: tuple[Predicted, ...] = ()
    coefficients: tuple[Coefficients, ...] = ()
    fits: tuple[Fit, ...] = ()
    fit_rows: FitRows | None = None
    histograms: tuple[Probed[Histogram], ...] = ()
    landscape: Mapping[str, Any] | None = None
    """What ``ceteris landscape`` computed last, as plain JSON."""
    confusions: tuple[Probed[NDArray[np.int64]], ...] = ()
