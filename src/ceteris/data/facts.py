"""Facts of a data set and of a preparation, as plain JSON."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Dataset
from ceteris.data.mapped import row_blocks
from ceteris.data.preparation import Prepared
from ceteris.data.scaling import blocks
from ceteris.data.table_layout import MANY_CATEGORIES, Layout

RMS_NUMBERS = 4_000_000
"""Numbers over which the size of inputs is measured at most, in evenly spaced rows."""


def facts(dataset: Dataset) -> dict[str, Any]:
    """Return what is known of a data set: names, shapes, types, classes, counts, ranges, content hash.

    All numbers are of the training rows; the test rows are not looked at.
    """
    return {
        "name": dataset.name,
        "task": dataset.task,
        "origin": dataset.origin,
        "content": dataset.content,
        "rows": len(dataset.x),
        "shape": list(dataset.shape),
        "features": dataset.features,
        "type": dataset.x.dtype.name,
        "range": _range_of(dataset),
        "rms": _root_mean_square(dataset),
        "documented_range": None if dataset.value_range is None else list(dataset.value_range),
        "target_type": dataset.y.dtype.name,
        "target_shape": list(dataset.y.shape[1:]),
        "classes": list(dataset.classes),
        "counts": class_counts(dataset),
        "target_range": None if dataset.classes else [float(dataset.y.min()), float(dataset.y.max())],
        **({"truth": dict(dataset.truth)} if dataset.truth else {}),
        **({"columns": column_facts(dataset.table, len(dataset.x))} if dataset.table else {}),
    }


def _range_of(dataset: Dataset) -> list[float]:
    """Return the smallest and largest input, missing ones left out; [0, 0] where there is none."""
    low, high = math.inf, -math.inf
    for _, part in row_blocks(dataset.x):
        known = part if dataset.table is None else part[~np.isnan(part)]
        if known.size:
            low, high = min(low, float(known.min())), max(high, float(known.max()))
    return [low, high] if low <= high else [0.0, 0.0]


def _root_mean_square(dataset: Dataset) -> float:
    """Return that of the inputs as they come, over evenly spaced rows; missing numbers count as none."""
    rows = max(1, RMS_NUMBERS // dataset.x[0].size)
    part = dataset.x[:: -(-len(dataset.x) // rows)].astype(np.float64)
    known = part if dataset.table is None else part[~np.isnan(part)]
    return float(np.sqrt(np.square(known).mean())) if known.size else 0.0


def column_facts(table: Layout, rows: int) -> list[dict[str, Any]]:
    """Return for each column of a table its kind, share of missing rows, categories and features."""
    return [
        {
            "name": column.name,
            "kind": "numbers" if column.numeric else "categories",
            "missing": column.missing / rows,
            "categories": len(column.categories),
            "features": column.features,
            "many": len(column.categories) > MANY_CATEGORIES,
        }
        for column in table.columns
    ]


def class_counts(dataset: Dataset) -> dict[str, int]:
    """Return the number of training rows of each class; empty for regression."""
    if not dataset.classes:
        return {}
    counts = np.bincount(dataset.y, minlength=len(dataset.classes))
    return {name: int(count) for name, count in zip(dataset.classes, counts, strict=True)}


def preparation_facts(prepared: Prepared) -> dict[str, Any]:
    """Return what the network gets to see: numbers over all prepared inputs of the training rows.

    ``rms`` is the root of the mean square; ``largest_spread`` and ``median_spread`` are standard deviations
    of single features; ``constant_features`` have none.
    """
    spreads, mean, mean_square, low, high = _moments(prepared.x, prepared.split.train)
    return {
        "train_rows": len(prepared.split.train),
        "validation_rows": len(prepared.split.validation),
        "mean": mean,
        "std": math.sqrt(max(mean_square - mean**2, 0.0)),
        "min": low,
        "max": high,
        "rms": math.sqrt(mean_square),
        "largest_spread": float(spreads.max()),
        "median_spread": float(np.median(spreads)),
        "constant_features": int((spreads == 0).sum()),
        "noisy_labels": prepared.fitted["noisy_labels"],
    }


def _moments(
    x: NDArray[np.float32], rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], float, float, float, float]:
    """Return the spread of each feature, and mean, mean square, minimum and maximum over all values."""
    origin = x[rows[0]].astype(np.float64)  # a shift that keeps the sums of squares accurate
    total, square, moved = np.zeros(x.shape[1]), np.zeros(x.shape[1]), np.zeros(x.shape[1])
    low, high = math.inf, -math.inf
    for block in blocks(x, rows):
        total += block.sum(axis=0)
        square += np.einsum("ij,ij->j", block, block)
        low, high = min(low, float(block.min())), max(high, float(block.max()))
        from_origin = block - origin
        moved += np.einsum("ij,ij->j", from_origin, from_origin)
    mean = total / len(rows)
    spreads = np.sqrt(np.maximum(moved / len(rows) - (mean - origin) ** 2, 0.0))
    spreads[moved == 0] = 0.0
    return spreads, float(mean.mean()), float(square.mean() / len(rows)), low, high
