"""Batch normalisation (Ioffe and Szegedy 2015), written out."""

from __future__ import annotations

import torch
from torch import Tensor


class BatchNorm:
    """Normalises each unit over the rows of a batch, and over the rows seen so far in evaluation."""

    def __init__(self, units: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        self.scale = torch.ones(units, requires_grad=True)
        self.shift = torch.zeros(units, requires_grad=True)
        self.running_mean = torch.zeros(units)
        self.running_var = torch.ones(units)
        self._eps, self._momentum = eps, momentum

    def __call__(self, x: Tensor, *, training: bool) -> Tensor:
        """Return scale (x - mean) / sqrt(variance + eps) + shift; x (n, units), n at least 2 in training."""
        if not training:
            return self._normalise(x, self.running_mean, self.running_var)
        mean = x.mean(dim=0)  # (units,)
        variance = ((x - mean) ** 2).mean(dim=0)  # (units,), divided by n
        with torch.no_grad():
            unbiased = variance * len(x) / (len(x) - 1)  # an estimate for rows not seen is divided by n - 1
            self.running_mean += self._momentum * (mean - self.running_mean)
            self.running_var += self._momentum * (unbiased - self.running_var)
        return self._normalise(x, mean, variance)

    def _normalise(self, x: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        return self.scale * (x - mean) / torch.sqrt(variance + self._eps) + self.shift
