"""Predictions of classes: how often which class was taken for which, and pictures of right and wrong ones."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ceteris.errors import CeterisError

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from ceteris.data.dataset import Dataset

EACH = 24
"""How many rightly and how many wrongly classified rows are shown."""


def confusion_counts(
    targets: torch.Tensor, predicted: Sequence[torch.Tensor], classes: int
) -> tuple[tuple[int, ...], ...]:
    """Return how many rows of each class (first axis) were taken for each class, over all predictions.

    Args:
        targets: (N,) class numbers.
        predicted: class numbers (N,) of every trial.
        classes: how many there are.
    """
    import torch

    if not predicted:
        return ()
    counts = sum(torch.bincount(targets * classes + own, minlength=classes**2) for own in predicted)
    return tuple(tuple(map(int, row)) for row in torch.as_tensor(counts).reshape(classes, classes))


def pictures(
    dataset: Dataset, x: NDArray[Any], y: NDArray[Any], predicted: torch.Tensor
) -> tuple[Mapping[str, Any], ...]:
    """Return random rows with their images, rightly and wrongly classified ones apart; none if no images."""
    from dataclasses import replace

    from ceteris.data.examples import as_images, grey_limits, image_bytes
    from ceteris.data.png import png_bytes
    from ceteris.draws import permutation, stream_key

    shown = replace(dataset, x=x, y=y)
    try:
        images = as_images(shown)
    except CeterisError:
        return ()
    limits = grey_limits(shown)
    found = []
    labels = predicted.numpy()
    order = permutation(stream_key(0, "pictures"), len(x))
    for right in (True, False):
        rows = order[(labels[order] == y[order]) == right][:EACH]
        for row in map(int, rows):
            png = base64.b64encode(png_bytes(image_bytes(images[row], limits))).decode("ascii")
            found.append({"row": row, "true": int(y[row]), "predicted": int(labels[row]), "png": png})
    return tuple(found)
