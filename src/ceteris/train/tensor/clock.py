"""Where training stands, on the device: numbers that every step reads there and moves on itself.

A step that is recorded once and replayed sees no number of Python's again. So whatever changes from step to
step (row numbers, the counters of draws, rates, corrections of an optimiser) is computed on the device from
two numbers that stand at fixed addresses, and Python decides only what is known before an epoch begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ceteris.train.engine import GRADIENT_EVERY
from ceteris.train.probes import noise_every, pair_at


@dataclass(frozen=True)
class StepKind:
    """What of a step follows from its place in the epoch alone: steps of one kind do the same work."""

    rows: int
    """Rows that each stream reads."""
    length: int | None
    """Only members of streams with so many rows in an epoch take part; None: all."""
    ends: bool
    """Whether the step is over; one that is done once per length of the streams ends with the last."""
    measured: bool
    """Whether norms of gradients are measured."""
    begins_pair: bool = False
    ends_pair: bool = False
    """Whether gradients are kept for the next step, or compared with those kept (``add_noise``)."""


class StepClock:
    """The epoch's orders of rows, and the number of the step, on the device."""

    def __init__(self, batch_size: int, accumulate: int, steps: int, device: torch.device) -> None:
        self._rows_of_step = batch_size * accumulate
        self._accumulate, self._steps = accumulate, steps
        self._noise_every = noise_every(steps)
        self._device = device
        self.epoch = torch.zeros((), dtype=torch.int64, device=device)
        self.step = torch.zeros((), dtype=torch.int64, device=device)
        """Of the epoch; both from 0."""
        self._places = torch.arange(self._rows_of_step, device=device)
        self._orders = torch.zeros((0, 0), dtype=torch.int64, device=device)
        self._lengths: tuple[int, ...] = ()
        self.members: dict[int, Tensor] = {}
        """By the length of a stream in an epoch: the members (M,) that read so many rows."""

    @property
    def done(self) -> Tensor:
        """The steps done since training began, a number on the device."""
        return self.epoch * self._steps + self.step

    def begin_epoch(self, epoch: int, orders: Sequence[NDArray[np.int64]], feed_of_member: Tensor) -> bool:
        """Take in an epoch's orders; tells whether they stand where those of the epoch before did."""
        self.epoch.fill_(epoch)
        self.step.zero_()
        lengths = tuple(map(len, orders))
        padded = np.stack([np.pad(order, (0, max(lengths) - len(order))) for order in orders])
        stays = lengths == self._lengths
        if stays:
            self._orders.copy_(torch.from_numpy(padded))
        else:
            self._orders, self._lengths = torch.from_numpy(padded).to(self._device), lengths
            own = torch.tensor(lengths, device=self._device)[feed_of_member]
            self.members = {length: own == length for length in set(lengths)}
        return stays

    def go_to(self, step: int) -> None:
        """Go on with this step of the epoch."""
        self.step.fill_(step)

    def kinds(self, step: int) -> tuple[StepKind, ...]:
        """Return what is done at a step: one thing, or one for each length of a last batch."""
        begin, size = step * self._rows_of_step, self._rows_of_step
        measured = step % GRADIENT_EVERY == 0
        pair = pair_at(step, self._noise_every)
        lengths = sorted(set(self._lengths))
        if len(lengths) == 1 or begin + size <= lengths[0]:
            return (StepKind(min(size, lengths[0] - begin), None, True, measured, *pair),)
        reached = [length for length in lengths if length > begin]
        return tuple(
            StepKind(min(size, length - begin), length, length == reached[-1], measured, *pair)
            for length in reached
        )

    def first_row(self, begin: int) -> Tensor:
        """Return the position in the epoch of the row that stands at ``begin`` of the step."""
        return self.step * self._rows_of_step + begin

    def rows(self, begin: int, count: int) -> Tensor:
        """Return ``count`` row numbers of every stream from ``begin`` of the step on, (streams, count)."""
        return self._orders.index_select(1, self.first_row(begin) + self._places[:count])

    def nth_batch(self, number: int) -> Tensor:
        """Return how many batches came before the step's batch ``number``, since training began."""
        return self.done * self._accumulate + number
