"""The one number that all inputs of a data set come from, where there is one: what a fit is drawn along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ceteris.data.dataset import Dataset


@dataclass(frozen=True, eq=False)
class OneInput:
    """A number x per row, and how the inputs of a row follow from it."""

    values: NDArray[np.float64]
    """(N,): x of every row."""
    features: Callable[[NDArray[np.float64]], NDArray[Any]]
    """From x (n,) to inputs (n, features) in the source's own scale."""

    def grid(self, rows: NDArray[np.int64], points: int) -> NDArray[np.float64]:
        """Return equally spaced x (points,) from the smallest to the largest of the numbered rows."""
        own = self.values[rows]
        return np.linspace(np.nanmin(own), np.nanmax(own), points)


def one_input(dataset: Dataset) -> OneInput | None:
    """Return what the inputs of a data set come from: what its source says, or its only feature."""
    if dataset.one_input is not None and dataset.before is None:
        return dataset.one_input
    if dataset.features != 1:
        return None
    return OneInput(dataset.x.reshape(-1).astype(np.float64), _column)


def _column(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x[:, None]
