"""Augmented training rows: made anew in every epoch, a few batches at a time, beside the rows as they are.

An engine reads rows by their numbers. The changed images of the next batches stand behind the data set's own
rows in the same array, one stretch for each stream that is augmented, and the order of an epoch points there.
So no engine needs to know of augmentation, and memory grows by a few batches per stream.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.data.mapped import empty_rows, row_blocks
from ceteris.data.preparation import Prepared
from ceteris.data.reduction import image_axes
from ceteris.data.scaling import scaling_from_json
from ceteris.draws import stream_key
from ceteris.draws.keyed import CELLS, UNIFORM_BITS
from ceteris.spec.augment import Augment
from ceteris.train.engine import Feed
from ceteris.train.plan import TrialPlan
from ceteris.train.warp import fill_maps, fill_words_at, warp

STRETCH_ROWS = 4096
"""About how many rows of a stream are changed at a time."""
DRAWS = 8
"""Words per row and epoch: two blocks, of which five are used."""


@dataclass(frozen=True)
class ImageShape:
    """How the numbers of a flat row make an image: (channels, height, width) or (height, width, channels)."""

    height: int
    width: int
    channels: int
    channels_first: bool

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> ImageShape:
        """Read a row's shape, which is that of an image."""
        axes = image_axes(shape)
        if axes is None:
            raise ValueError(f"rows of shape {shape} are not images")
        first = len(shape) == 3 and axes == (1, 2)
        channels = 1 if len(shape) == 2 else shape[0 if first else 2]
        return cls(shape[axes[0]], shape[axes[1]], channels, first)


@dataclass(frozen=True)
class _Stretch:
    """The place of one stream's changed rows, and what is done to them."""

    feed: int
    begin: int
    augment: Augment
    seed: int
    background: float
    """What 0 of the source is once it has been scaled."""


class Augmented:
    """Feeds whose augmented streams read changed rows; the others are as they were."""

    def __init__(
        self,
        feeds: Sequence[Feed],
        trials: Sequence[TrialPlan],
        prepared: Sequence[Prepared],
        shape: tuple[int, ...],
        batch_size: int,
    ) -> None:
        """Lay out the feeds. ``trials`` and ``prepared`` are those of the first member of each feed.

        ``batch_size`` are the rows of a step.
        """
        self._rows = max(1, STRETCH_ROWS // batch_size) * batch_size
        self._batch_size = batch_size
        self._orders: list[NDArray[np.int64]] = []
        self._epoch = 0
        chosen = [place for place, trial in enumerate(trials) if trial.experiment.data.augment.changes]
        self._shape = ImageShape.of(shape) if chosen else None
        found, self._stretches = list(feeds), []
        for key in dict.fromkeys(prepared[place].key for place in chosen):
            own = [place for place in chosen if prepared[place].key == key]
            x, y = self._longer(feeds[own[0]].x, len(own)), self._longer(feeds[own[0]].y, len(own))
            for number, place in enumerate(own):
                begin = len(feeds[place].x) + number * self._rows
                found[place] = Feed(x, y, feeds[place].members)
                self._stretches.append(_stretch(place, begin, trials[place], prepared[place]))
        self.feeds = tuple(found)

    @property
    def most_steps(self) -> int | None:
        """So many steps can be prepared at a time; None where nothing is augmented."""
        return self._rows // self._batch_size if self._stretches else None

    def begin_epoch(self, epoch: int, orders: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        """Take in the orders of an epoch by row numbers of the data set; return those that engines read."""
        self._epoch, self._orders = epoch, orders
        read = list(orders)
        for stretch in self._stretches:
            places = np.arange(len(orders[stretch.feed]), dtype=np.int64)
            read[stretch.feed] = stretch.begin + places % self._rows
        return read

    def prepare(self, first: int, last: int) -> tuple[tuple[int, int], ...]:
        """Make the rows of the steps ``first`` to ``last`` (exclusive), at most ``most_steps``.

        Returns the stretches (begin, end) of rows in the feeds' arrays that may have changed.
        """
        for stretch in self._stretches:
            order = self._orders[stretch.feed][first * self._batch_size : last * self._batch_size]
            places = (
                stretch.begin
                + np.arange(first * self._batch_size, first * self._batch_size + len(order), dtype=np.int64)
                % self._rows
            )
            self._fill(stretch, order, places)
        return tuple((s.begin, s.begin + self._rows) for s in self._stretches)

    def _longer(self, array: NDArray[Any], stretches: int) -> NDArray[Any]:
        longer = empty_rows((len(array) + stretches * self._rows, *array.shape[1:]), array.dtype)
        for begin, part in row_blocks(array):
            longer[begin : begin + len(part)] = part
        longer[len(array) :] = 0
        return longer

    def _fill(self, stretch: _Stretch, rows: NDArray[np.int64], places: NDArray[np.int64]) -> None:
        feed, shape = self.feeds[stretch.feed], self._shape
        if shape is None:
            raise RuntimeError("there are no images to change")
        feed.y[places] = feed.y[rows]
        maps = inverse_maps(stretch.augment, uniforms_at(stretch.seed, self._epoch, rows))
        layout = (shape.height, shape.width, shape.channels, shape.channels_first)
        warp(feed.x, rows, places, maps, *layout, np.float32(stretch.background))


def _stretch(feed: int, begin: int, trial: TrialPlan, prepared: Prepared) -> _Stretch:
    scaling = scaling_from_json(prepared.fitted)
    if not (isinstance(scaling.shift, float) and isinstance(scaling.divisor, float)):
        raise TypeError("augmented images need one scale for all pixels")
    background = (0.0 - scaling.shift) / scaling.divisor
    return _Stretch(feed, begin, trial.experiment.data.augment, trial.seed, background)


def uniforms_at(seed: int, epoch: int, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the uniform numbers (rows, 8) of rows of a data set in one epoch: those of ``draws.uniforms``.

    They depend on the seed, the epoch and a row's number alone.
    """
    key = stream_key(seed, "augment")
    words = np.empty((len(rows), DRAWS), dtype=np.uint32)
    fill_words_at(words, rows, key.k0, key.k1, epoch)
    return ((words >> (32 - UNIFORM_BITS)).astype(np.float64) + 0.5) / CELLS


def inverse_maps(augment: Augment, drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where the pixels of changed images come from, (rows, 6), by the uniform numbers drawn for them.

    A pixel at (right, down) from the centre comes from (a right + b down + c, d right + e down + f), in
    pixels from the centre: the inverse of mirroring, then scaling, rotating and shifting.
    """
    maps = np.empty((len(drawn), 6))
    fill_maps(maps, drawn, augment.flip, augment.shift, augment.scale, math.radians(augment.rotate))
    return maps
