"""Scaling of inputs: every way to scale is one shift and one divisor, (x - shift) / divisor.

Both are single numbers, or one number per feature where they are estimated per feature.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Dataset
from ceteris.errors import CeterisError, Problem
from ceteris.spec.data import ScaleName

Number = float | NDArray[np.float64]
BLOCK_ROWS = 2048
"""Rows that are held in double precision at a time."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """(x - shift) / divisor, and whether the two were estimated from training rows."""

    shift: Number
    divisor: Number
    estimated: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the shift and the divisor as plain numbers or lists of numbers."""
        return {"shift": _plain(self.shift), "divisor": _plain(self.divisor), "estimated": self.estimated}


def scaling_from_json(fitted: Mapping[str, Any]) -> Scaling:
    """Return the scaling whose ``as_json`` is in ``fitted``."""
    return Scaling(_number(fitted["shift"]), _number(fitted["divisor"]), bool(fitted["estimated"]))


def is_estimated(dataset: Dataset, scale: ScaleName | float) -> bool:
    """Tell whether this scaling of this data set looks at the training rows."""
    return scale == "standardize" or (scale in ("unit", "symmetric") and dataset.value_range is None)


def fit_scaling(dataset: Dataset, scale: ScaleName | float, train: NDArray[np.int64]) -> Scaling:
    """Find shift and divisor, looking at the training rows alone where anything is estimated (law 5).

    ``unit`` without a documented range: minimum and maximum of the training rows, per feature for
    tables (rows with one axis), over all values for images. A constant feature gets the divisor 1.
    """
    if scale == "none":
        return Scaling(0.0, 1.0)
    if scale == "standardize":
        return _standardize(dataset, train)
    if scale in ("unit", "symmetric"):
        unit = _unit(dataset, train)
        half = unit.divisor / 2
        return unit if scale == "unit" else Scaling(unit.shift + half, half, unit.estimated)
    return Scaling(0.0, float(scale))


def _unit(dataset: Dataset, train: NDArray[np.int64]) -> Scaling:
    if dataset.value_range is not None:
        low, high = dataset.value_range
        return Scaling(low, high - low)
    lows, highs = ranges(dataset.x, train)
    if len(dataset.shape) > 1:
        low, high = float(lows.min()), float(highs.max())
        return Scaling(low, (high - low) or 1.0, estimated=True)
    return Scaling(lows, np.where(highs > lows, highs - lows, 1.0), estimated=True)


def _standardize(dataset: Dataset, train: NDArray[np.int64]) -> Scaling:
    """Mean and standard deviation per feature (divided by N, as scikit-learn's StandardScaler does)."""
    mean = sum(block.sum(axis=0) for block in blocks(dataset.x, train)) / len(train)
    square = sum(((block - mean) ** 2).sum(axis=0) for block in blocks(dataset.x, train)) / len(train)
    lows, highs = ranges(dataset.x, train)
    varies = (highs > lows) & (square > 0)  # a mean rounds: its deviations alone do not tell a constant
    return Scaling(mean, np.where(varies, np.sqrt(square), 1.0), estimated=True)


def ranges(x: NDArray[Any], rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the smallest and the largest value of each feature over ``rows``."""
    pairs = [(block.min(axis=0), block.max(axis=0)) for block in blocks(x, rows)]
    return np.min([low for low, _ in pairs], axis=0), np.max([high for _, high in pairs], axis=0)


def blocks(x: NDArray[Any], rows: NDArray[np.int64]) -> Iterator[NDArray[np.float64]]:
    """Yield ``x[rows]`` flattened to (rows, features) in double precision, some rows at a time."""
    for start in range(0, len(rows), BLOCK_ROWS):
        part = x[rows[start : start + BLOCK_ROWS]]
        yield part.reshape(len(part), -1).astype(np.float64)


def scaled(x: NDArray[Any], scaling: Scaling) -> NDArray[np.float32]:
    """Return (x - shift) / divisor as a C-contiguous float32 array (N, features).

    Computed in double precision and rounded once. Single bytes go through a table of 256 numbers.
    Raises CeterisError where a result does not fit into a 32-bit float.
    """
    flat = x.reshape(len(x), -1)
    single = isinstance(scaling.shift, float) and isinstance(scaling.divisor, float)
    if single and scaling.shift == 0 and scaling.divisor == 1 and x.dtype == np.float32:
        return np.ascontiguousarray(flat, dtype=np.float32)
    if single and x.dtype == np.uint8:
        table = _rounded((np.arange(256, dtype=np.float64) - scaling.shift) / scaling.divisor)
        return np.ascontiguousarray(table[flat])
    out = np.empty(flat.shape, dtype=np.float32)
    for start in range(0, len(flat), BLOCK_ROWS):
        block = flat[start : start + BLOCK_ROWS].astype(np.float64)
        out[start : start + BLOCK_ROWS] = _rounded((block - scaling.shift) / scaling.divisor)
    return out


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        rounded = values.astype(np.float32)
    if not np.isfinite(rounded).all():
        message = "the scaled inputs leave the range of a 32-bit float (3.4e38)"
        raise CeterisError(Problem(message, where="experiment.data.scale"))
    return rounded


def _plain(value: Number) -> float | list[float]:
    return value if isinstance(value, float) else [float(v) for v in value]


def _number(value: float | list[float]) -> Number:
    return np.asarray(value, dtype=np.float64) if isinstance(value, list) else float(value)
