"""Equally spaced inputs for fitted curves, laid behind the data set's own rows as augmented rows are.

An engine reads rows by their numbers, so these are evaluated like any others; no epoch's order points there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ceteris.data.one_input import OneInput
from ceteris.data.preparation import Prepared, prepare_rows
from ceteris.train.engine import Feed


class Grids:
    """Feeds with the rows of grids behind their own; those that need none are as they were."""

    def __init__(
        self,
        feeds: Sequence[Feed],
        prepared: Sequence[Prepared],
        points: Sequence[frozenset[int]],
        source: OneInput | None,
    ) -> None:
        """Lay out the feeds.

        Args:
            prepared: of the first member of each feed.
            points: how many points the grids of each feed have; empty where none is asked for.
            source: what the inputs come from; needed where a grid is asked for.
        """
        self._rows: dict[tuple[int, int], NDArray[np.int64]] = {}
        self._x: dict[tuple[int, int], NDArray[np.float64]] = {}
        if source is not None:
            for number, (own, sizes) in enumerate(zip(prepared, points, strict=True)):
                for size in sorted(sizes):
                    self._x[number, size] = source.grid(own.split.train, size)
        self.feeds = tuple(feeds)
        if source is None or not self._x:
            return
        found = list(feeds)
        for array in dict.fromkeys((id(feed.x), id(feed.y)) for feed in feeds):
            sharing = [n for n, feed in enumerate(feeds) if (id(feed.x), id(feed.y)) == array]
            x, y = self._longer(feeds[sharing[0]], sharing, prepared, source)
            for number in sharing:
                found[number] = Feed(x, y, feeds[number].members)
        self.feeds = tuple(found)

    def rows(self, points: int) -> list[NDArray[np.int64]]:
        """Return the row numbers of grids of so many points by feed; a feed without one gets its row 0."""
        return [self._rows.get((n, points), np.zeros(points, np.int64)) for n in range(len(self.feeds))]

    def x(self, feed: int, points: int) -> NDArray[np.float64]:
        """Return the x (points,) of a grid."""
        return self._x[feed, points]

    def _longer(
        self, feed: Feed, sharing: Sequence[int], prepared: Sequence[Prepared], source: OneInput
    ) -> tuple[NDArray[np.float32], NDArray[np.generic]]:
        """Return the arrays of feeds that share them, with the grids of all of these behind."""
        parts, begin = [feed.x], len(feed.x)
        for (number, points), x in self._x.items():
            if number in sharing:
                parts.append(prepare_rows(source.features(x), prepared[number].fitted))
                self._rows[number, points] = np.arange(begin, begin + points, dtype=np.int64)
                begin += points
        targets = np.zeros((begin - len(feed.y), *feed.y.shape[1:]), feed.y.dtype)
        return np.concatenate(parts), np.concatenate([feed.y, targets])
