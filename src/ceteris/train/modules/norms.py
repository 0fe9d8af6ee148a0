"""Batch normalisation of built-in networks on the processor, in fewer passes over memory than torch's.

torch reads images several times for the statistics and once more for the ReLU behind them; a fifth of a
convolutional network's training went into that. What is computed is the same, to rounding.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from ceteris.train.cpu.channel_norm import batch_statistics, normalise, normalise_backward, slope_sums
from ceteris.train.modules.pooling import as_array


class RowNorm(nn.Module):
    """``torch.nn.BatchNorm1d`` or ``BatchNorm2d``, and the ReLU behind it where ``cuts``.

    It has the parameters and buffers of the layer whose place it takes. Maps (rows, n) or (rows, n, height,
    width) to the same shape. What the kernels cannot take (float16, other layouts, a gradient in evaluation
    mode) goes through torch.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, norm: nn.BatchNorm1d | nn.BatchNorm2d, *, cuts: bool) -> None:
        super().__init__()
        self.weight, self.bias = norm.weight, norm.bias
        for name, buffer in norm.named_buffers():
            self.register_buffer(name, buffer)
        self.eps, self.momentum, self.cuts = norm.eps, float(norm.momentum or 0.0), cuts

    def forward(self, x: Tensor) -> Tensor:
        """Normalise by the batch in training, which moves the running statistics; else by those."""
        rows = len(x) if x.dim() == 2 else x.numel() // max(x.shape[1], 1)
        learns = torch.is_grad_enabled()
        if rows < 2 or not _suits(x, self.weight) or learns != self.training:
            return self._by_torch(x)
        if not self.training:
            return _normalised(x, self.running_mean, self.running_var, self)
        self.num_batches_tracked += 1
        out: Tensor = _Normalise.apply(x, self.weight, self.bias, self)  # type: ignore[no-untyped-call]
        return out

    def follow(self, mean: Tensor, variance: Tensor, rows: int) -> None:
        """Move the running statistics (n,) towards those of a batch."""
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * (rows / (rows - 1)), self.momentum)

    def _by_torch(self, x: Tensor) -> Tensor:
        if self.training:
            self.num_batches_tracked += 1
        mean, variance = self.running_mean, self.running_var
        y = functional.batch_norm(
            x, mean, variance, self.weight, self.bias, self.training, self.momentum, self.eps
        )
        return functional.relu(y) if self.cuts else y


class _Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, norm: RowNorm) -> Tensor:
        flat = _table(x)
        mean, variance = (np.empty(flat.shape[1]) for _ in range(2))
        work = np.empty((2, flat.shape[1]), _real(weight))
        batch_statistics(flat, work[0], work[1], mean, variance)
        exact = torch.from_numpy(mean), torch.from_numpy(variance)
        norm.follow(exact[0].to(weight.dtype), exact[1].to(weight.dtype), len(flat))
        ctx.save_for_backward(x, weight, bias)
        ctx.mean, ctx.root, ctx.cuts = mean, np.sqrt(variance + norm.eps), norm.cuts
        return _normalised(x, exact[0], exact[1], norm)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, weight, bias = ctx.saved_tensors
        flat, dy = _table(x), _table(_laid_out(gradients[0]))
        rows, channels = flat.shape
        real = _real(weight)
        slope64 = weight.detach().double().numpy() / ctx.root
        centre, slope, shift = ctx.mean.astype(real), slope64.astype(real), bias.detach().numpy()
        work = np.empty((2, channels), real)
        total, products = np.empty((2, channels))
        slope_sums(flat, dy, centre, slope, shift, ctx.cuts, work[0], work[1], total, products)
        constant = (-slope64 * total / rows).astype(real)
        factor = (-slope64 * products / ctx.root**2 / rows).astype(real)
        dx = _empty_like(x)
        normalise_backward(flat, dy, centre, slope, shift, ctx.cuts, constant, factor, _table(dx))
        d_weight, d_bias = (torch.from_numpy(own).to(weight.dtype) for own in (products / ctx.root, total))
        return dx, d_weight, d_bias, None


def _normalised(x: Tensor, mean: Tensor, variance: Tensor, norm: RowNorm) -> Tensor:
    """Normalise by the statistics (n,) that are given."""
    flat, y = _table(x), _empty_like(x)
    real = _real(norm.weight)
    slope = norm.weight.detach().double() / torch.sqrt(variance.double() + norm.eps)
    centre, slopes = mean.numpy().astype(real), slope.numpy().astype(real)
    normalise(flat, centre, slopes, norm.bias.detach().numpy(), norm.cuts, _table(y))
    return y


def _suits(x: Tensor, weight: Tensor) -> bool:
    """Tell whether the kernels know the numbers, and rows (rows, n) or channels of a pixel stand together."""
    if x.device.type != "cpu" or x.dtype not in {weight.dtype, torch.bfloat16}:
        return False
    return x.is_contiguous() if x.dim() == 2 else x.is_contiguous(memory_format=torch.channels_last)


def _laid_out(gradient: Tensor) -> Tensor:
    if gradient.dim() == 2:
        return gradient.contiguous()
    return gradient.contiguous(memory_format=torch.channels_last)


def _table(x: Tensor) -> NDArray[Any]:
    """View rows, or the pixels of images, as (rows, n)."""
    own = x.detach()
    return as_array(own if own.dim() == 2 else own.permute(0, 2, 3, 1).flatten(0, 2))


def _real(weight: Tensor) -> np.dtype[Any]:
    return np.dtype(np.float64 if weight.dtype == torch.float64 else np.float32)


def _empty_like(x: Tensor) -> Tensor:
    if x.dim() == 2:
        return torch.empty(x.shape, dtype=x.dtype)
    rows, channels, height, width = x.shape
    return torch.empty((rows, height, width, channels), dtype=x.dtype).permute(0, 3, 1, 2)


def replace_norms(module: nn.Module, watched: Collection[str]) -> None:
    """Put ``RowNorm`` in the place of every batch norm of a built-in network, with the ReLU behind it.

    A layer that stands in several places stays as it is, and so does the ReLU behind a layer whose own output
    is ``watched`` (paths).
    """
    places = [child for owner in module.modules() for child in owner._modules.values()]
    for path, owner in list(module.named_modules()):
        if not isinstance(owner, nn.Sequential):
            continue
        names = list(owner._modules)
        for name, after in pairwise([*names, ""]):
            norm, behind = owner._modules[name], owner._modules.get(after)
            if not isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d) or places.count(norm) > 1:
                continue
            cuts = type(behind) is nn.ReLU and f"{path}.{name}" not in watched
            owner._modules[name] = RowNorm(norm, cuts=cuts)
            if cuts:
                owner._modules[after] = nn.Identity()
