"""Wrong labels on purpose: a share of the training labels replaced by another class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Dataset
from ceteris.draws import permutation, stream_key, uniforms
from ceteris.errors import CeterisError, Problem

WHERE = "experiment.data.label_noise"


def noisy_rows(dataset: Dataset, train: NDArray[np.int64], share: float, seed: int) -> NDArray[np.int64]:
    """Choose ``round(share * len(train))`` of the training rows; a smaller share is part of a larger one.

    Raises CeterisError where there are no two classes to mistake for each other.
    """
    if dataset.task != "classification":
        raise CeterisError(
            Problem(f"`{dataset.name}` has numbers to predict; label noise needs classes", where=WHERE)
        )
    if len(dataset.classes) < 2:
        raise CeterisError(
            Problem(f"`{dataset.name}` has one class; label noise needs at least 2", where=WHERE)
        )
    order = permutation(stream_key(seed, "label-noise", "rows"), len(dataset.x))
    chosen: NDArray[np.int64] = order[np.isin(order, train)][: round(share * len(train))]
    return np.sort(chosen)


def with_label_noise(dataset: Dataset, rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return a copy of the labels in which each of ``rows`` has another class, all others equally likely."""
    classes = len(dataset.classes)
    drawn = uniforms(stream_key(seed, "label-noise", "classes"), len(dataset.x), 1)[rows, 0]
    step = 1 + np.floor(drawn * (classes - 1)).astype(np.int64)
    y = dataset.y.astype(np.int64, copy=True)
    y[rows] = (y[rows] + step) % classes
    return y
