"""Initial weights, drawn by seed and layer so that variants share the numbers behind them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ceteris.draws import normals, stream_key, uniforms
from ceteris.errors import unknown_name
from ceteris.nets.architecture import Architecture, Tensor
from ceteris.nets.reading import narrowed, padded
from ceteris.spec.init import (
    OTHERS,
    ConstantInit,
    DefaultInit,
    EachInit,
    HeInit,
    InitSpec,
    NormalInit,
    OneInit,
    UniformInit,
    XavierInit,
    ZerosInit,
    drawn_part,
)

Array = NDArray[np.float64]


def initial_parameters(net: Architecture, init: InitSpec, seed: int, columns: int | None = None) -> Array:
    """Draw the flat parameter vector of one member, shape (n_parameters,).

    ``columns``: how many its rows have, where these are not all that the network reads; it then starts as
    the network of that width, with zeros behind: see ``ceteris.nets.reading``.

    The draw behind weight (i, j) of a layer depends on the seed, the layer's role, i and j alone,
    so networks of other widths or depths start with the same numbers where they overlap.
    """
    tensors = net.parameters if columns is None else narrowed(net, columns)
    flat = np.zeros(sum(tensor.size for tensor in tensors))
    init = drawn_part(init)
    for tensor in tensors:
        own = init.of(tensor.role) if isinstance(init, EachInit) else init
        values = _initial_tensor(tensor, own, seed)
        flat[tensor.offset : tensor.offset + tensor.size] = values.reshape(-1)
    return flat if columns is None else padded(net, flat, columns)


def unknown_layers(net: Architecture, init: InitSpec) -> Iterator[tuple[str, str]]:
    """Yield (name, sentence) for every layer that an initialisation names and that the network lacks."""
    init = drawn_part(init)
    roles = list(dict.fromkeys(t.role for t in net.parameters if t.kind in ("weight", "bias")))
    for name in init.layers if isinstance(init, EachInit) else ():
        if name != OTHERS and name not in roles:
            yield name, unknown_name("layer with weights", name, [*roles, OTHERS])


def initial_buffers(net: Architecture) -> Array:
    """Return the flat buffer vector: running means 0, running variances 1."""
    flat = np.zeros(net.n_buffers)
    for tensor in net.buffers:
        if tensor.kind == "running_var":
            flat[tensor.offset : tensor.offset + tensor.size] = 1.0
    return flat


def _initial_tensor(tensor: Tensor, init: OneInit, seed: int) -> Array:
    if tensor.kind == "norm_weight":
        return np.ones(tensor.shape)
    if tensor.kind == "weight":
        return _weight(tensor, init, seed)
    if tensor.kind == "bias" and init.biases is not None:
        return np.full(tensor.shape, init.biases)
    if tensor.kind == "bias" and isinstance(init, DefaultInit):
        return _uniform(tensor, seed, 1 / math.sqrt(tensor.fan_in))
    return np.zeros(tensor.shape)


def _weight(tensor: Tensor, init: OneInit, seed: int) -> Array:
    match init:
        case DefaultInit():
            values = _uniform(tensor, seed, 1 / math.sqrt(tensor.fan_in))
        case NormalInit():
            values = init.mean + _normal(tensor, seed, init.std)
        case UniformInit():
            values = (init.low + init.high) / 2 + _uniform(tensor, seed, (init.high - init.low) / 2)
        case ConstantInit():
            values = np.full(tensor.shape, init.value)
        case ZerosInit():
            values = np.zeros(tensor.shape)
        case XavierInit() | HeInit():
            values = _scaled(tensor, init, seed)
    return values


def _scaled(tensor: Tensor, init: XavierInit | HeInit, seed: int) -> Array:
    fans = tensor.fan_in + tensor.fan_out if isinstance(init, XavierInit) else tensor.fan_in
    variance = 2 / fans
    if init.distribution == "normal":
        return _normal(tensor, seed, init.gain * math.sqrt(variance))
    return _uniform(tensor, seed, init.gain * math.sqrt(3 * variance))


def _uniform(tensor: Tensor, seed: int, bound: float) -> Array:
    return (2 * _draw(uniforms, tensor, seed) - 1) * bound


def _normal(tensor: Tensor, seed: int, std: float) -> Array:
    return std * _draw(normals, tensor, seed)


def _draw(source: Callable[..., Array], tensor: Tensor, seed: int) -> Array:
    rows = tensor.shape[0] if len(tensor.shape) > 1 else 1
    columns = tensor.size // rows
    return source(stream_key(seed, tensor.kind, tensor.role), rows, columns).reshape(tensor.shape)
