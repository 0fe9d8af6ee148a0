"""What was measured on request: histograms, fitted curves, confusion counts, as they are read from a run.

Kinds of arrays, and how training lays them out (``ceteris.train.requested``):

- ``parameter`` and ``activation``, by the name of a tensor or a hidden layer: a histogram, (2, bins + 1)
  floats. The first row has the edges; the second the counts, and at its end how many numbers were not finite.
- ``grid``: a fitted curve, (1 + outputs, points) floats: x, then every output.
- ``confusion``: (classes, classes) whole numbers, true class by predicted class.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ceteris.errors import CeterisError
from ceteris.records.arrays import unpack_array
from ceteris.records.curves import DamagedBlobError
from ceteris.records.schema import AnyRow
from ceteris.records.store import Store
from ceteris.records.views import RunRecord

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Histogram:
    """How many numbers fall between edges that are equally far apart."""

    edges: NDArray[np.float64]
    """(bins + 1,), from the smallest to the largest finite number of that epoch."""
    counts: NDArray[np.int64]
    """(bins,)"""
    not_finite: int
    """NaN and infinities, which are in no bin."""

    def on(self, edges: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the counts (n,) between other edges (n + 1,), a bin being shared out by its overlaps."""
        below = np.concatenate([[0.0], np.cumsum(self.counts, dtype=np.float64)])
        shared: NDArray[np.float64] = np.diff(np.interp(edges, self.edges, below))
        return shared


def common_edges(histograms: Sequence[Histogram], bins: int = 64) -> NDArray[np.float64]:
    """Return edges (bins + 1,) over all that some histograms cover."""
    low = min(float(own.edges[0]) for own in histograms)
    high = max(float(own.edges[-1]) for own in histograms)
    return np.linspace(low, high, bins + 1)


@dataclass(frozen=True, eq=False)
class FittedCurve:
    """What a network makes of the one number that its inputs come from."""

    x: NDArray[np.float64]
    """(points,), in the units of the data, from the smallest to the largest of the training rows."""
    y: NDArray[np.float64]
    """(points, outputs), in the units of the targets."""


@dataclass(frozen=True, eq=False)
class Probed(Generic[T]):
    """One measurement of one trial after an epoch."""

    level: str
    seed: int
    fold: int
    identity: str
    kind: str
    """``parameter``, ``activation``, ``grid`` or ``confusion``."""
    name: str
    """A parameter tensor or a hidden layer; empty where there is but one of a kind."""
    epoch: int
    """0 is before training, n after n epochs."""
    value: T


def histograms(run: RunRecord) -> tuple[Probed[Histogram], ...]:
    """Read the histograms of a run, by trial, kind, name and epoch; none where none were asked for.

    Raises ``CeterisError`` where one of them is damaged.
    """
    return _read(run, ("parameter", "activation"), _as_histogram)


def fitted_curves(run: RunRecord) -> tuple[Probed[FittedCurve], ...]:
    """Read the fitted curves of a run, by trial and epoch; otherwise as ``histograms``."""
    return _read(run, ("grid",), lambda array: FittedCurve(array[0], array[1:].T))


def confusions(run: RunRecord) -> tuple[Probed[NDArray[np.int64]], ...]:
    """Read the confusion counts (true class, predicted class) of a run, by trial and epoch."""
    return _read(run, ("confusion",), lambda array: array.astype(np.int64, copy=False))


def _read(run: RunRecord, kinds: Sequence[str], make: Callable[[NDArray[Any]], T]) -> tuple[Probed[T], ...]:
    with Store(run.folder.parent, create=False) as store:
        rows = store.load_arrays(run.id, kinds)
    return tuple(
        Probed(
            row.level,
            int(row.seed),
            row.fold,
            row.identity,
            row.kind,
            row.name,
            row.epoch,
            make(_unpacked(row, run.id)),
        )
        for row in rows
    )


def _unpacked(row: AnyRow, run: str) -> NDArray[Any]:
    try:
        return unpack_array(row.block)
    except DamagedBlobError as damage:
        what = " ".join(filter(None, (row.kind, row.name)))
        raise CeterisError(
            f"what was measured of trial {row.identity} (level `{row.level}`, seed {row.seed}) in run {run} "
            f"after epoch {row.epoch} ({what}) is damaged: {damage}"
        ) from damage


def _as_histogram(array: NDArray[np.float64]) -> Histogram:
    counts = array[1].astype(np.int64)
    return Histogram(array[0], counts[:-1], int(counts[-1]))
