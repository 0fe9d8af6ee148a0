"""Other inputs made of each row by itself: images of another size, and random projections.

Nothing is estimated, so rows that train, validate and test are treated alike (law 5 has nothing to say).
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Dataset
from ceteris.data.mapped import empty_rows
from ceteris.draws import normals, stream_key
from ceteris.errors import CeterisError, Problem
from ceteris.spec.data import REDUCED

BLOCK_ROWS = 2048
"""Rows that are held in double precision at a time, at most."""
BLOCK_NUMBERS = 4 << 20
"""So many numbers at most, unless a single row has more."""
CHANNELS = (1, 3)


@dataclass(frozen=True)
class Reduction:
    """What is made of each row: images of another size, then fewer numbers."""

    resize: tuple[int, int] | None = None
    project: int | None = None

    @property
    def text(self) -> str:
        """How a reading ends that asks for this (``DataSpec.reading``)."""
        given = {"project": self.project, "resize": self.resize}
        named = {name: value for name, value in given.items() if value is not None}
        return REDUCED + json.dumps(named) if named else ""

    def rows(self, x: NDArray[Any], name: str) -> NDArray[Any]:
        """Return inputs made of ``x`` (N, *shape), as float32; ``x`` itself where nothing is asked for.

        Raises CeterisError, naming the data set ``name``, for rows that are no images.
        """
        if self.resize is not None:
            x = _resized(x, self.resize, name)
        if self.project is not None:
            x = _projected(x, self.project)
        return x

    def of_dataset(self, data: Dataset) -> Dataset:
        """Return a data set with other inputs.

        Its content hash is made of that of the rows as they were and of what was done with them, so that it
        does not hang on the last bits of a sum.
        """
        if not self.text:
            return data
        if data.table is not None:
            message = f"`{data.name}` is a table, whose columns are prepared by the rows of each fold"
            raise CeterisError(
                Problem(f"{message}; leave `project` and `resize` out", where="experiment.data")
            )
        content = hashlib.sha256(f"{data.content}{self.text}".encode()).hexdigest()
        return replace(
            data,
            x=self.rows(data.x, data.name),
            value_range=self._range(data.value_range),
            content=content,
            before=data,
        )

    def _range(self, value_range: tuple[float, float] | None) -> tuple[float, float] | None:
        """Means keep to the range of what they are means of; projections do not."""
        return value_range if self.project is None else None


def split_reading(reading: str) -> tuple[str, Reduction]:
    """Return what is read, and what is then made of it: the parts of ``DataSpec.reading``."""
    source, mark, text = reading.rpartition(REDUCED)
    if not mark or not text.startswith("{"):
        return reading, Reduction()
    given = json.loads(text)
    size = given.get("resize")
    return source, Reduction(None if size is None else (size[0], size[1]), given.get("project"))


def image_axes(shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Return the axes of height and width in a row's shape, channels first or last; None for no image."""
    if len(shape) == 2 or (len(shape) == 3 and shape[2] in CHANNELS):
        return 0, 1
    return (1, 2) if len(shape) == 3 and shape[0] in CHANNELS else None


def axis_weights(before: int, after: int) -> NDArray[np.float64]:
    """Return the weights (after, before) that make ``after`` values of ``before`` along one axis.

    Fewer: the means over the stretches of ``torch.nn.functional.adaptive_avg_pool2d``. More: bilinear
    interpolation between the centres of pixels, as ``torch.nn.functional.interpolate`` has it with
    ``align_corners=False``.
    """
    weights = np.zeros((after, before))
    for place in range(after):
        if after <= before:
            begin, end = place * before // after, -(-(place + 1) * before // after)
            weights[place, begin:end] = 1 / (end - begin)
        else:
            centre = max((place + 0.5) * before / after - 0.5, 0.0)
            left = int(centre)
            weights[place, left] += 1 - (centre - left)
            weights[place, min(left + 1, before - 1)] += centre - left
    return weights


def _resized(x: NDArray[Any], size: tuple[int, int], name: str) -> NDArray[np.float32]:
    axes = image_axes(x.shape[1:])
    if axes is None:
        message = (
            f"`{name}` has rows of shape {x.shape[1:]}, which are not images that could be resized; they "
            "need (height, width), with 1 or 3 channels first or last"
        )
        raise CeterisError(Problem(message, where="experiment.data.resize"))
    height, width = (axis + 1 for axis in axes)
    rows = axis_weights(x.shape[height], size[0])
    columns = axis_weights(x.shape[width], size[1])
    shape = list(x.shape)
    shape[height], shape[width] = size
    out: NDArray[np.float32] = empty_rows(tuple(shape), np.float32)
    step = _rows_at_a_time(x)
    for start in range(0, len(x), step):
        block = np.moveaxis(x[start : start + step].astype(np.float64), (height, width), (-2, -1))
        out[start : start + step] = np.moveaxis(rows @ block @ columns.T, (-2, -1), (height, width))
    return out


def _rows_at_a_time(x: NDArray[Any]) -> int:
    return max(1, min(BLOCK_ROWS, BLOCK_NUMBERS // max(1, x[0].size if len(x) else 1)))


def _projected(x: NDArray[Any], k: int) -> NDArray[np.float32]:
    flat = x.reshape(len(x), -1)
    weights = normals(stream_key(0, "projection"), flat.shape[1], k) / math.sqrt(k)
    out: NDArray[np.float32] = empty_rows((len(flat), k), np.float32)
    for start in range(0, len(flat), BLOCK_ROWS):
        out[start : start + BLOCK_ROWS] = flat[start : start + BLOCK_ROWS].astype(np.float64) @ weights
    return out
