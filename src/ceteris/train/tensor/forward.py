"""Forward passes of stacked networks in torch; every tensor has the member axis first."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from ceteris.nets.architecture import Activate, Architecture, BatchNorm, Drop, Linear

Tensors = Mapping[str, Tensor]
ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "leaky_relu": functional.leaky_relu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "elu": functional.elu,
    "softplus": functional.softplus,
    "hardtanh": functional.hardtanh,
    "scaled_sigmoid": lambda x: 4 * torch.sigmoid(x) - 2,
    "identity": lambda x: x,
}


def forward(
    net: Architecture,
    parameters: Tensors,
    buffers: Tensors,
    x: Tensor,
    mask: Callable[[Drop, Tensor], Tensor] | None,
) -> Tensor:
    """Run all members on their batches: x (M, n, features) to outputs (M, n, k).

    Args:
        mask: in training, gives the factor (M, n, units) of a dropout place; None means evaluation
            mode: no dropout, and batch norm with its running statistics.
    """
    for layer in net.layers:
        match layer:
            case Linear():
                x = _linear(layer, parameters, x)
            case BatchNorm():
                x = _batch_norm(layer, parameters, buffers, x, training=mask is not None)
            case Activate():
                x = ACTIVATIONS[layer.kind](x)
            case Drop():
                x = x if mask is None else x * mask(layer, x)
    return x


def _linear(layer: Linear, parameters: Tensors, x: Tensor) -> Tensor:
    weight = parameters[layer.weight.name].transpose(1, 2)
    if layer.bias is None:
        return torch.bmm(x, weight)
    return torch.baddbmm(parameters[layer.bias.name][:, None], x, weight)


def _batch_norm(
    layer: BatchNorm, parameters: Tensors, buffers: Tensors, x: Tensor, *, training: bool
) -> Tensor:
    mean, variance = buffers[layer.running_mean.name], buffers[layer.running_var.name]
    if training:
        batch_variance, batch_mean = torch.var_mean(x, dim=1, correction=0)
        with torch.no_grad():
            rows = x.shape[1]
            mean.lerp_(batch_mean, layer.momentum)
            variance.lerp_(batch_variance * (rows / max(rows - 1, 1)), layer.momentum)
        mean, variance = batch_mean, batch_variance
    normal = (x - mean[:, None]) * torch.rsqrt(variance + layer.eps)[:, None]
    return normal * parameters[layer.weight.name][:, None] + parameters[layer.bias.name][:, None]
