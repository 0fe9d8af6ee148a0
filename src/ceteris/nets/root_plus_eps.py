"""Batch normalisation with eps beside the root: (x - mean) / (sqrt(var) + eps)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class RootPlusEps(nn.Module):
    """``torch.nn.BatchNorm1d`` and ``BatchNorm2d`` in all but the place of eps.

    Parameters and buffers have the names that they have there. Maps (rows, n, ...) to the same shape.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, n: int, eps: float, momentum: float) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(n))
        self.bias = nn.Parameter(torch.zeros(n))
        self.register_buffer("running_mean", torch.zeros(n))
        self.register_buffer("running_var", torch.ones(n))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise by the batch in training, which moves the running statistics; else by those."""
        mean, variance = self.running_mean, self.running_var
        if self.training:
            rest = [axis for axis in range(x.dim()) if axis != 1]
            variance, mean = torch.var_mean(x, dim=rest, correction=0)
            self._follow(mean.detach(), variance.detach(), x.numel() // x.shape[1])
        shape = (-1, *(1 for _ in x.shape[2:]))
        scale = self.weight / (safe_root(variance) + self.eps)
        return (x - mean.reshape(shape)) * scale.reshape(shape) + self.bias.reshape(shape)

    def _follow(self, mean: Tensor, variance: Tensor, count: int) -> None:
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / max(count - 1, 1)), self.momentum)


def safe_root(variance: Tensor) -> Tensor:
    """The square root, with a gradient of 0 where there is no variance (the root's own is infinite)."""
    return variance.clamp(min=torch.finfo(variance.dtype).tiny).sqrt()
