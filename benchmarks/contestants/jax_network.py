"""The networks of the workloads as pure JAX functions of one member."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from benchmarks.task import Task

NORM_MOMENTUM, NORM_EPS = 0.1, 1e-5


class Layer(NamedTuple):
    """Weights (in, out), of a convolution (3, 3, in, out); scale and shift of batch norm, or None."""

    weights: Any
    bias: Any
    scale: Any = None
    shift: Any = None


class Running(NamedTuple):
    """Mean and variance that batch norm uses in evaluation."""

    mean: Any
    variance: Any


def initial_layers(task: Task, seed: int) -> list[Layer]:
    """Weights and biases uniform in +-1/sqrt(fan_in), as PyTorch's layers start."""
    draw = np.random.default_rng(seed)
    shapes = _shapes(task)
    layers = []
    for number, shape in enumerate(shapes):
        bound = float(np.prod(shape[:-1])) ** -0.5
        weights, bias = (draw.uniform(-bound, bound, size).astype(np.float32) for size in (shape, shape[-1:]))
        if task.batch_norm and number < len(shapes) - 1:
            layers.append(Layer(weights, bias, np.ones_like(bias), np.zeros_like(bias)))
        else:
            layers.append(Layer(weights, bias))
    return layers


def initial_running(layers: list[Layer]) -> list[Running]:
    return [
        Running(np.zeros_like(layer.scale), np.ones_like(layer.scale))
        for layer in layers
        if layer.scale is not None
    ]


def _shapes(task: Task) -> list[tuple[int, ...]]:
    if not task.convolutional:
        return list(pairwise([task.features, *task.hidden, task.outputs]))
    channels, height, width = task.image
    convolutions = list(pairwise([channels, *task.model["convolutions"]]))
    shrunk = 2 ** len(convolutions)
    flat = (height // shrunk) * (width // shrunk) * convolutions[-1][1]
    linear = pairwise([flat, *task.hidden, task.outputs])
    return [*((3, 3, into, out) for into, out in convolutions), *linear]


def forward(
    task: Task, layers: list[Layer], running: list[Running], x: Array, key: Array | None = None
) -> tuple[Array, list[Running]]:
    """Return the outputs and batch norm's statistics; with a key in training mode."""
    statistics = iter(running)
    updated: list[Running] = []
    if task.convolutional:
        x = jnp.moveaxis(x.reshape(-1, *task.image), 1, -1)  # channels last
    for number, layer in enumerate(layers[:-1]):
        convolution = layer.weights.ndim == 4
        if not convolution:
            x = x.reshape(len(x), -1)
        x = (_convolve(x, layer.weights) if convolution else x @ layer.weights) + layer.bias
        if layer.scale is not None:
            x, now = _normalise(x, layer, next(statistics), training=key is not None)
            updated.append(now)
        x = _pool(jax.nn.relu(x)) if convolution else _drop(jax.nn.relu(x), task.dropout, key, number)
    return x.reshape(len(x), -1) @ layers[-1].weights + layers[-1].bias, updated


def _convolve(x: Array, weights: Array) -> Array:
    return lax.conv_general_dilated(x, weights, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def _pool(x: Array) -> Array:
    """2 x 2 max pooling by reshaping, whose gradient is quicker on a processor than that of a window."""
    rows, height, width, channels = x.shape
    x = x[:, : height // 2 * 2, : width // 2 * 2]
    return x.reshape(rows, height // 2, 2, width // 2, 2, channels).max((2, 4))


def _normalise(x: Array, layer: Layer, running: Running, training: bool) -> tuple[Array, Running]:
    mean, variance = running
    if training:
        axes = tuple(range(x.ndim - 1))
        mean, variance = x.mean(axes), x.var(axes)
        count = x.size // x.shape[-1]
        unbiased = variance * count / (count - 1)
        old, new = 1 - NORM_MOMENTUM, NORM_MOMENTUM
        running = Running(
            *(old * kept + new * seen for kept, seen in zip(running, (mean, unbiased), strict=True))
        )
    return (x - mean) * lax.rsqrt(variance + NORM_EPS) * layer.scale + layer.shift, running


def _drop(x: Array, share: float, key: Array | None, number: int) -> Array:
    if not share or key is None:
        return x
    kept = jax.random.bernoulli(jax.random.fold_in(key, number), 1 - share, x.shape)
    return jnp.where(kept, x / (1 - share), 0)
