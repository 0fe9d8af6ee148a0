"""Philox4x32-10 in torch, so that masks on a device are those of the compiled kernels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ceteris.draws.philox import MULTIPLIER_0, MULTIPLIER_1, ROUNDS, WEYL_0, WEYL_1, WORD_MASK
from ceteris.nets.architecture import INPUT, Drop, Noise
from ceteris.train.tensor.exact import exactly

Counter = int | Tensor
"""A number that names draws: Python's, or one of int64 on the device, which a replayed step reads anew."""


def words(keys: Tensor, rows: int, columns: int, epoch: Counter, first_row: Counter) -> Tensor:
    """Return the words that ``ceteris.draws.words`` gives, for several keys at once.

    Args:
        keys: (K, 2) int64, values in [0, 2**32).
        rows: how many, from ``first_row`` on.

    Returns:
        (K, rows, columns) int64, values in [0, 2**32).
    """
    device = keys.device
    blocks = -(-columns // 4)
    shape = (len(keys), rows, blocks)
    c0 = torch.arange(blocks, device=device).expand(shape)
    c1 = (torch.arange(rows, device=device) + first_row)[:, None].expand(shape)
    c3 = torch.zeros(shape, dtype=torch.int64, device=device)
    c2 = c3 + epoch
    k0, k1 = keys[:, 0, None, None], keys[:, 1, None, None]
    for _ in range(ROUNDS):
        # 64-bit products wrap around as signed numbers; the mask after the shift undoes the sign.
        product_0, product_1 = c0 * MULTIPLIER_0, c2 * MULTIPLIER_1
        c0 = ((product_1 >> 32) & WORD_MASK) ^ c1 ^ k0
        c2 = ((product_0 >> 32) & WORD_MASK) ^ c3 ^ k1
        c1, c3 = product_1 & WORD_MASK, product_0 & WORD_MASK
        k0, k1 = (k0 + WEYL_0) & WORD_MASK, (k1 + WEYL_1) & WORD_MASK
    return torch.stack((c0, c1, c2, c3), dim=-1).reshape(len(keys), rows, blocks * 4)[..., :columns]


def keep_masks(drawn: Tensor, rates: Tensor) -> Tensor:
    """Return 1 / (1 - rate) where a unit is kept and 0 where it is dropped.

    Args:
        drawn: (M, rows, columns) words.
        rates: (M,) float64 probabilities in [0, 1).
    """
    threshold = torch.ceil(rates * 2.0**24 - 0.5).to(torch.int64)
    kept = (drawn >> 8) >= threshold[:, None, None]
    return kept / (1.0 - rates)[:, None, None]


@dataclass(frozen=True)
class Draws:
    """What is drawn at one step: for all members, at every place of their network.

    ``keys`` (M, places, 2) int64; ``amounts`` (M, places) float64: probabilities and deviations;
    ``epoch``, ``first_row`` and ``batch`` (counted over the whole training) name the draws.
    """

    keys: Tensor
    amounts: Tensor
    used: frozenset[int]
    """The places where any member draws something."""
    epoch: Tensor
    first_row: Tensor
    batch: Tensor
    on_host: tuple[int, int]
    """The epoch and the first row as numbers of Python's, for code that is never replayed."""
    columns: Tensor | None = None
    """How many columns the rows of each member have (M,), where some have fewer than the network reads."""

    def dropped(self, layer: Drop, x: Tensor) -> Tensor:
        """Return activations (M, n, units) after dropout."""
        if layer.slot not in self.used:
            return x
        return x * keep_masks(self._words(layer, x), self.amounts[:, layer.slot]).to(x.dtype)

    def noisy(self, layer: Noise, x: Tensor) -> Tensor:
        """Return activations (M, n, units) with Gaussian noise added."""
        if layer.slot not in self.used:
            return x
        normal: Tensor = torch.special.ndtri((exactly(self._words(layer, x) >> 8) + 0.5) / 2**24)
        if self.columns is not None and layer.role == INPUT:  # none falls on the zeros behind them
            normal = normal * (torch.arange(layer.n, device=x.device) < self.columns[:, None])[:, None]
        return x + (self.amounts[:, layer.slot, None, None] * normal).to(x.dtype)

    def connected(self, slot: int, weight: Tensor) -> Tensor:
        """Return weights (M, n_out, n_in) as drop-connect leaves them."""
        if slot not in self.used:
            return weight
        drawn = words(self.keys[:, slot], weight.shape[1], weight.shape[2], self.batch, 0)
        return weight * keep_masks(drawn, self.amounts[:, slot]).to(weight.dtype)

    def _words(self, layer: Drop | Noise, x: Tensor) -> Tensor:
        return words(self.keys[:, layer.slot], x.shape[1], layer.n, self.epoch, self.first_row)
