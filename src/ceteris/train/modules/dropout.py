"""Dropout layers that read keyed masks: the same draws as in every engine, whatever runs beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from ceteris.draws import Key
from ceteris.draws.compiled import fill_words
from ceteris.draws.philox import WORD_MASK
from ceteris.train.tensor.masks import Counter, keep_masks, words

CHANNEL_AXES: dict[type[nn.Module], int] = {nn.Dropout: 0, nn.Dropout1d: 1, nn.Dropout2d: 2, nn.Dropout3d: 3}
"""Over how many axes that what a dropout layer drops at once reaches: 2 for the channels of an image."""

KeyOf = Callable[[str], Key]
"""Name of a dropout layer in its module -> key of its draws."""


@dataclass
class Clock:
    """Which batch is trained on: the epoch, and the position of its first row in the epoch's order."""

    epoch: Counter = 0
    first_row: Counter = 0
    on_device: bool = False
    """Whether masks are drawn in torch, so that they can be vectorised over members and replayed."""
    calls: dict[str, int] | None = None

    def begin(self, epoch: Counter, first_row: Counter) -> None:
        """Start a batch."""
        self.epoch, self.first_row, self.calls = epoch, first_row, {}

    def count(self, name: str) -> int:
        """Return how often a layer was called before in this batch."""
        calls = self.calls if self.calls is not None else {}
        calls[name] = calls.get(name, -1) + 1
        return calls[name]


class KeyedDropout(nn.Module):
    """Dropout (Srivastava et al. 2014) whose mask is a function of key, epoch, row and unit alone.

    A layer that is called again within a step draws from another key.
    """

    key: Tensor
    rate: Tensor

    def __init__(self, name: str, p: float, channel_axes: int, key_of: KeyOf, clock: Clock) -> None:
        super().__init__()
        self.p = p
        self._name, self._channel_axes, self._clock = name, channel_axes, clock
        self._own = key_of(name)
        self.register_buffer("key", torch.tensor(list(self._own), dtype=torch.int64), persistent=False)
        self.register_buffer("rate", torch.tensor(p, dtype=torch.float64), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Zero units with probability p and scale the others by 1 / (1 - p); in training alone."""
        if not self.training or self.p == 0:
            return x
        if self.p >= 1 and not self._clock.on_device:
            return x * 0
        shape = x.shape[: x.dim() - self._channel_axes] if self._channel_axes else x.shape
        mask = self._mask(shape[0], int(np.prod(shape[1:], dtype=np.int64)), x)
        return x * mask.reshape(*shape, *(1 for _ in x.shape[len(shape) :]))

    def _mask(self, rows: int, columns: int, x: Tensor) -> Tensor:
        call = self._clock.count(self._name)
        if not self._clock.on_device:
            number = np.float64 if x.dtype == torch.float64 else np.float32
            key = Key(self._own.k0, (self._own.k1 + call) % 2**32)
            return torch.from_numpy(mask(key, self.p, rows, columns, self._clock, np.dtype(number))).to(
                x.dtype
            )
        shifted = torch.stack((self.key[0], (self.key[1] + call) & WORD_MASK))
        drawn = words(shifted[None], rows, columns, self._clock.epoch, self._clock.first_row)
        kept = keep_masks(drawn, self.rate[None])[0]
        return torch.where(self.rate >= 1, torch.zeros_like(kept), kept).to(x.dtype)


def mask(
    key: Key, rate: float, rows: int, columns: int, clock: Clock, dtype: np.dtype[Any]
) -> NDArray[np.floating]:
    """Return 1 / (1 - rate) where a unit is kept and 0 where it is dropped, (rows, columns)."""
    drawn = np.empty((rows, columns), np.uint32)
    fill_words(drawn, key.k0, key.k1, clock.epoch, clock.first_row)
    threshold = np.uint32(min(int(np.ceil(rate * 2.0**24 - 0.5)), 2**24 - 1) << 8)
    kept: NDArray[np.floating] = (drawn >= threshold).astype(dtype)
    kept *= dtype.type(1.0 / (1.0 - rate))
    return kept


def replace_dropouts(module: nn.Module, key_of: KeyOf, clock: Clock) -> None:
    """Put keyed dropout in the place of every dropout layer of torch, wherever it stands.

    A layer that stands in several places keeps being one. Subclasses and alpha dropout stay as they are.
    """
    replaced: dict[nn.Module, KeyedDropout] = {}
    for owner_name, owner in list(module.named_modules()):
        for name, child in _children(owner):
            if not isinstance(child, _DropoutNd) or type(child) not in CHANNEL_AXES:
                continue
            if child not in replaced:
                path = f"{owner_name}.{name}" if owner_name else name
                axes = CHANNEL_AXES[type(child)]
                replaced[child] = KeyedDropout(path, child.p, axes, key_of, clock)
            owner._modules[name] = replaced[child]


def _children(owner: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return all children by name; ``named_children`` leaves out one that stands there twice."""
    return [(name, child) for name, child in owner._modules.items() if child is not None]
