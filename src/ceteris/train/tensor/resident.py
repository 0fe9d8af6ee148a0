"""The rows of a stack on its device: moved there once, gathered there for every batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ceteris.data.mapped import row_blocks
from ceteris.train.engine import Feed

KEPT = 8
"""Row numbers for so many evaluations stay on the device: every epoch evaluates the same ones."""


class ResidentRows:
    """Inputs and targets of all streams; an array that several streams share is there once."""

    def __init__(self, feeds: Sequence[Feed], members: int, device: torch.device) -> None:
        self._feeds = tuple(feeds)
        self._device = device
        arrays: dict[int, Tensor] = {}
        self._inputs = [self._moved(feed.x, feed.x, arrays) for feed in feeds]
        self._targets = [self._moved(feed.y, shaped_targets(feed.y), arrays) for feed in feeds]
        self._shared = len({id(own) for own in (*self._inputs, *self._targets)}) == 2
        numbers = np.zeros(members, dtype=np.int64)
        for number, feed in enumerate(feeds):
            numbers[feed.members] = number
        self.feed_of_member = torch.from_numpy(numbers).to(device)
        """(M,) number of the stream that a member reads."""
        self._measured: dict[tuple[int, ...], tuple[Sequence[NDArray[np.int64]], Tensor]] = {}

    def gather(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return what members read by the row numbers of their streams, (streams, n).

        Returns:
            (M, n, features) inputs and (M, n) class numbers or (M, n, k) values.
        """
        if self._shared:
            own = rows[self.feed_of_member]
            return self._inputs[0][own], self._targets[0][own]
        x = torch.stack([array[part] for array, part in zip(self._inputs, rows, strict=True)])
        y = torch.stack([array[part] for array, part in zip(self._targets, rows, strict=True)])
        return x[self.feed_of_member], y[self.feed_of_member]

    def numbers(self, rows: Sequence[NDArray[np.int64]], length: int) -> Tensor:
        """Return row numbers, one array a stream, as (streams, length) on the device.

        Shorter arrays are repeated and longer ones are cut. Arrays that come again are not moved again.
        """
        key = (*map(id, rows), length)
        if key not in self._measured:
            if len(self._measured) == KEPT:
                del self._measured[next(iter(self._measured))]
            fitted = np.stack([np.resize(own, length) for own in rows])
            # The arrays are kept, so that no other ones can take over their identity.
            self._measured[key] = (tuple(rows), torch.from_numpy(fitted).to(self._device))
        return self._measured[key][1]

    def refresh(self, stretches: Sequence[tuple[int, int]]) -> None:
        """Move rows (begin, end) that have changed, once for all streams that share an array."""
        arrays = {id(feed.x): number for number, feed in enumerate(self._feeds)}
        for number in arrays.values():
            feed = self._feeds[number]
            for begin, end in stretches:
                if end <= len(feed.x):
                    self._inputs[number][begin:end].copy_(torch.from_numpy(feed.x[begin:end]))
                    self._targets[number][begin:end].copy_(
                        torch.from_numpy(shaped_targets(feed.y[begin:end]))
                    )

    def _moved(
        self, key: NDArray[np.generic], array: NDArray[np.generic], known: dict[int, Tensor]
    ) -> Tensor:
        """Move an array piece by piece: one that is mapped from a file never stands in memory whole."""
        if id(key) not in known:
            empty = torch.from_numpy(np.empty(0, array.dtype))
            there = torch.empty(array.shape, dtype=empty.dtype, device=self._device)
            for begin, part in row_blocks(array):
                there[begin : begin + len(part)].copy_(torch.from_numpy(np.array(part)))
            known[id(key)] = there
        return known[id(key)]


def shaped_targets(y: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return class numbers (N,) as they are, and values as (N, k)."""
    if np.issubdtype(y.dtype, np.integer) or y.ndim == 2:
        return y
    return y.reshape(len(y), -1)
