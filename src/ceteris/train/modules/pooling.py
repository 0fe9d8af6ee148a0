"""Max pooling of built-in networks on the processor: a byte a window is kept, where torch keeps eight."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from ceteris.train.cpu.pooling import pool_backward, pool_forward

KNOWN = torch.float32, torch.float64, torch.bfloat16
"""Numbers that the kernels know."""


def as_array(x: Tensor) -> NDArray[Any]:
    """View a tensor as an array; bfloat16, which NumPy does not know, as its bits (uint16)."""
    if x.dtype == torch.bfloat16:
        bits: NDArray[Any] = x.view(torch.int16).numpy().view(np.uint16)
        return bits
    array: NDArray[Any] = x.numpy()
    return array


class HalvingPool(nn.Module):
    """``torch.nn.MaxPool2d(2)``: maps (rows, channels, height, width) to half the height and width.

    What the kernels cannot take (float16, images whose pixels' channels do not stand together) goes through
    torch.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Take the largest of every two by two pixels."""
        known = x.device.type == "cpu" and x.dtype in KNOWN
        if not known or not x.is_contiguous(memory_format=torch.channels_last) or min(x.shape) < 2:
            return functional.max_pool2d(x, 2)
        out: Tensor = _Halve.apply(x)  # type: ignore[no-untyped-call]
        return out


class _Halve(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        rows, channels, height, width = x.shape
        y = torch.empty((rows, height // 2, width // 2, channels), dtype=x.dtype)
        ctx.chosen = np.empty(y.shape, np.uint8)
        ctx.shape = (rows, height, width, channels)
        pool_forward(as_array(x.detach().permute(0, 2, 3, 1)), as_array(y), ctx.chosen)
        return y.permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        dy = gradients[0].permute(0, 2, 3, 1).contiguous()
        dx = torch.empty(ctx.shape, dtype=dy.dtype)
        pool_backward(as_array(dy), ctx.chosen, as_array(dx))
        return dx.permute(0, 3, 1, 2)


def replace_pools(module: nn.Module) -> None:
    """Put ``HalvingPool`` in the place of every pooling by halves of a built-in network."""
    for owner in list(module.modules()):
        for name, child in list(owner._modules.items()):
            if type(child) is nn.MaxPool2d and _halves(child):
                owner._modules[name] = HalvingPool()


def _halves(pool: nn.MaxPool2d) -> bool:
    pairs = {(2, 2), 2}
    plain = pool.padding in (0, (0, 0)) and pool.dilation in (1, (1, 1)) and not pool.ceil_mode
    return plain and not pool.return_indices and pool.kernel_size in pairs and pool.stride in pairs
