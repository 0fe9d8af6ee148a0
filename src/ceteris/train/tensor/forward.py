"""Forward passes of stacked networks in torch; every tensor has the member axis first."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from ceteris.nets.architecture import (
    OUTPUT,
    Activate,
    Add,
    Architecture,
    BatchNorm,
    Drop,
    Fork,
    LayerNorm,
    Linear,
    Noise,
    Softmax,
)
from ceteris.nets.root_plus_eps import safe_root
from ceteris.train.tensor.masks import Draws

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
    draws: Draws | None,
    kept: list[Tensor] | None = None,
) -> Tensor:
    """Run all members on their batches: x (M, n, features) to outputs (M, n, k).

    Args:
        draws: what is drawn in training; None means evaluation mode: nothing is drawn, and batch norm
            uses its running statistics.
        kept: receives the activations of every hidden layer.
    """
    forks: list[Tensor] = []
    for layer in net.layers:
        match layer:
            case Linear():
                x = _linear(layer, parameters, x, draws)
            case BatchNorm():
                x = _batch_norm(layer, parameters, buffers, x, training=draws is not None)
            case Activate():
                x = ACTIVATIONS[layer.kind](x)
                if kept is not None and layer.role != OUTPUT:
                    kept.append(x)
            case Softmax():
                x = functional.log_softmax(x, dim=2) if layer.log else functional.softmax(x, dim=2)
            case Fork():
                forks.append(x)
            case Add():
                x = forks.pop() + x
            case Drop():
                x = x if draws is None else draws.dropped(layer, x)
            case Noise():
                x = x if draws is None else draws.noisy(layer, x)
            case LayerNorm():
                x = _layer_norm(layer, parameters, x)
    return x


def _linear(layer: Linear, parameters: Tensors, x: Tensor, draws: Draws | None) -> Tensor:
    weight = parameters[layer.weight.name]
    if draws is not None and layer.slot is not None:
        weight = draws.connected(layer.slot, weight)
    weight = weight.transpose(1, 2)
    if layer.bias is None:
        return torch.bmm(x, weight)
    return torch.baddbmm(parameters[layer.bias.name][:, None], x, weight)


def _layer_norm(layer: LayerNorm, parameters: Tensors, x: Tensor) -> Tensor:
    normal = functional.layer_norm(x, (layer.n,), eps=layer.eps)
    return normal * parameters[layer.weight.name][:, None] + parameters[layer.bias.name][:, None]


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
    if layer.eps_place == "outside":
        inverse = 1 / (safe_root(variance) + layer.eps)
    else:
        inverse = torch.rsqrt(variance + layer.eps)
    normal = (x - mean[:, None]) * inverse[:, None]
    return normal * parameters[layer.weight.name][:, None] + parameters[layer.bias.name][:, None]
