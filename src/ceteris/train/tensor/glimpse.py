"""Numbers that come from a device while it goes on working."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Glimpse:
    """The latest values of a tensor that have arrived: a copy is asked for, and read once it is there."""

    def __init__(self, like: Tensor) -> None:
        self._on_card = like.device.type == "cuda"
        self._host = torch.empty(like.shape, dtype=like.dtype, pin_memory=self._on_card)
        self._under_way: torch.cuda.Event | None = None
        self._seen: NDArray[np.float64] | None = None

    def look(self, tensor: Tensor) -> NDArray[np.float64] | None:
        """Return values that ``tensor`` had a little while ago; None where none have arrived yet.

        Only on a card; elsewhere there is nothing to wait for but the operations themselves.
        """
        if not self._on_card:
            return tensor.cpu().numpy().copy()
        if self._under_way is not None and self._under_way.query():  # type: ignore[no-untyped-call]
            self._seen, self._under_way = self._host.numpy().copy(), None
        if self._under_way is None:
            self._host.copy_(tensor, non_blocking=True)
            self._under_way = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._under_way.record(torch.cuda.current_stream(tensor.device))
        return self._seen

    def forget(self) -> None:
        """Begin an epoch: what is under way belongs to the one before."""
        self._under_way = self._seen = None


def copied_out(tensor: Tensor) -> Tensor:
    """Return a copy in the host's memory, which has arrived once the device has been waited for."""
    if tensor.device.type != "cuda":
        return tensor.cpu()
    return torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True).copy_(tensor, non_blocking=True)
