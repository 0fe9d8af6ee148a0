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
from ceteris.data.mapped import empty_rows, row_blocks
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
    absent: tuple[int, ...] | None = None
    """Features of a table that are 0 in every row, since no training row has their category. Where this is
    not None, missing numbers (NaN) are 0 too."""

    def as_json(self) -> dict[str, Any]:
        """Return the shift and the divisor as plain numbers or lists of numbers."""
        own = {"shift": _plain(self.shift), "divisor": _plain(self.divisor), "estimated": self.estimated}
        return own if self.absent is None else {**own, "absent": list(self.absent)}


def scaling_from_json(fitted: Mapping[str, Any]) -> Scaling:
    """Return the scaling whose ``as_json`` is in ``fitted``."""
    absent = None if fitted.get("absent") is None else tuple(map(int, fitted["absent"]))
    return Scaling(_number(fitted["shift"]), _number(fitted["divisor"]), bool(fitted["estimated"]), absent)


def is_estimated(dataset: Dataset, scale: ScaleName | float) -> bool:
    """Tell whether this scaling of this data set looks at the training rows."""
    return (
        dataset.table is not None
        or scale == "standardize"
        or (scale in ("unit", "symmetric") and dataset.value_range is None)
    )


def fit_scaling(dataset: Dataset, scale: ScaleName | float, train: NDArray[np.int64]) -> Scaling:
    """Find shift and divisor, looking at the training rows alone where anything is estimated (law 5).

    ``unit`` without a documented range: minimum and maximum of the training rows, per feature for
    tables (rows with one axis), over all values for images. A constant feature gets the divisor 1.
    """
    if dataset.table is not None:
        return fit_table(dataset.x, dataset.table.one_hot, scale, train)
    if scale == "none":
        return Scaling(0.0, 1.0)
    if scale == "standardize":
        return _standardize(dataset, train)
    if scale in ("unit", "symmetric"):
        unit = _unit(dataset, train)
        half = unit.divisor / 2
        return unit if scale == "unit" else Scaling(unit.shift + half, half, unit.estimated)
    return Scaling(0.0, float(scale))


def fit_table(
    x: NDArray[np.float64], one_hot: NDArray[np.bool_], scale: ScaleName | float, train: NDArray[np.int64]
) -> Scaling:
    """Find the scaling of a table's numbers, NaN left out, and the categories that its training rows lack.

    ``standardize`` divides the squares by n - 1, as pandas does. A column of numbers without two different
    ones gets the divisor 1; one-hot features are left as they are.
    """
    shift, divisor = np.zeros(len(one_hot)), np.ones(len(one_hot))
    for feature in np.flatnonzero(~one_hot):
        known = x[train, feature]
        lacking = np.isnan(known)
        known = known[~lacking] if lacking.any() else known
        if len(known):
            shift[feature], divisor[feature] = _of_numbers(known, scale)
    absent = absent_categories(x, one_hot, train)
    return Scaling(shift, divisor, estimated=True, absent=tuple(map(int, absent)))


def absent_categories(
    x: NDArray[np.float64], one_hot: NDArray[np.bool_], train: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the numbers of the one-hot features that no training row has, a few rows at a time."""
    found = np.zeros(len(one_hot), dtype=np.bool_)
    for start in range(0, len(train), BLOCK_ROWS):
        found |= (x[train[start : start + BLOCK_ROWS]] == 1).any(axis=0)
    return np.flatnonzero(one_hot & ~found)


def _of_numbers(known: NDArray[np.float64], scale: ScaleName | float) -> tuple[float, float]:
    """Return the shift and the divisor of one column of numbers."""
    low, high = float(known.min()), float(known.max())
    if scale == "none":
        return 0.0, 1.0
    if isinstance(scale, int | float):
        return 0.0, float(scale)
    if scale == "standardize":
        spread = float(known.std(ddof=1)) if high > low else 1.0
        return float(known.mean()), spread or 1.0
    half = (high - low) / 2 or 0.5
    return (low, 2 * half) if scale == "unit" else (low + half, half)


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
    ready = single and scaling.shift == 0 and scaling.divisor == 1 and x.dtype == np.float32
    if ready and flat.flags.writeable:  # rows that are mapped from a user's file are not
        return np.ascontiguousarray(flat, dtype=np.float32)
    out: NDArray[np.float32] = empty_rows(flat.shape, np.float32)
    if single and x.dtype == np.uint8:
        table = _rounded((np.arange(256, dtype=np.float64) - scaling.shift) / scaling.divisor)
        for begin, part in row_blocks(flat):
            out[begin : begin + len(part)] = table[part]
        return out
    for start in range(0, len(flat), BLOCK_ROWS):
        block = flat[start : start + BLOCK_ROWS].astype(np.float64)
        values = (block - scaling.shift) / scaling.divisor
        if scaling.absent is not None:
            values[np.isnan(values)] = 0.0
            values[:, scaling.absent] = 0.0
        out[start : start + BLOCK_ROWS] = _rounded(values)
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
