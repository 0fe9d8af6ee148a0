"""Initial weights of any module: torch's own distributions through keyed draws, where they were left alone.

While a module is made, torch's random numbers come from a key of the seed, so whatever it draws by
itself is drawn anew and alike for every trial of that seed. The layers that torch starts at random are
then started once more by draws that are named by the layer's role, as in built-in networks: what stands
before a layer cannot shift them. A parameter that the module has changed since its layer started it (an
initialisation of the user's own, a tied weight) is left as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd
from torch.nn.modules.rnn import RNNBase, RNNCellBase

from ceteris.draws import normals, stream_key, uniforms
from ceteris.train.modules.seeding import seeded

Factory = Callable[..., Any]
"""A class or function of the user's own that makes a ``torch.nn.Module`` from its arguments."""

Started = dict[nn.Module, dict[str, Tensor]]
"""A layer -> the parameters with which torch started it."""


def make_module(
    factory: Factory,
    arguments: Mapping[str, Any],
    seed: int,
    row: Tensor | None = None,
    absent: Sequence[int] = (),
) -> Any:
    """Make what a factory makes, with the initial weights of a seed, in float32.

    Args:
        row: two rows of input, on which a module with lazy layers finds out their sizes.
        absent: input columns that are 0 in all rows. Their weights in a linear layer that reads the rows
            themselves are 0, and torch's own start is that of the layer without them.
    """
    with seeded(torch_seed(seed, "module")), _noting_starts() as started:
        module = factory(**arguments)
        if isinstance(module, nn.Module) and row is not None and _is_lazy(module):
            with torch.no_grad():
                module.eval()(row)
    if not isinstance(module, nn.Module):
        return module
    with torch.no_grad():
        reading = _reading(module, row) if absent and row is not None else []
        for role, layer in module.named_modules():
            lacking = list(absent) if layer in reading else []
            _draw_layer(layer, role, seed, started.get(layer, {}), lacking)
            if isinstance(layer, nn.Linear) and lacking:
                layer.weight[:, lacking] = 0.0
    return module.float().train()


def torch_seed(seed: int, purpose: str, role: str = "") -> int:
    """Return a seed for torch's own generator, named by what it is for."""
    key = stream_key(seed, purpose, role)
    return key.k0 << 32 | key.k1


def _is_lazy(module: nn.Module) -> bool:
    return any(nn.parameter.is_lazy(p) for p in module.parameters())


@contextmanager
def _noting_starts() -> Iterator[Started]:
    """Note the parameters of every known layer as its ``reset_parameters`` leaves them."""
    started: Started = {}
    own = {kind: kind.reset_parameters for kind in _BOUNDS}

    def noting(reset: Callable[[nn.Module], None]) -> Callable[[nn.Module], None]:
        def reset_parameters(layer: nn.Module) -> None:
            reset(layer)
            started[layer] = {name: p.detach().clone() for name, p in layer.named_parameters(recurse=False)}

        return reset_parameters

    try:
        for kind, reset in own.items():
            kind.reset_parameters = noting(reset)
        yield started
    finally:
        for kind, reset in own.items():
            kind.reset_parameters = reset


def _reading(module: nn.Module, rows: Tensor) -> list[nn.Module]:
    """Return the linear layers that are called on the rows as they are, and on nothing else."""
    called: dict[nn.Module, list[bool]] = {}

    def note(layer: nn.Module, given: tuple[Any, ...]) -> None:
        own = given[0] if given else None
        same = isinstance(own, Tensor) and own.data_ptr() == rows.data_ptr() and own.shape == rows.shape
        called.setdefault(layer, []).append(same)

    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    handles = [layer.register_forward_pre_hook(note) for layer in layers]
    try:
        module.eval()(rows)
    finally:
        for handle in handles:
            handle.remove()
    return [layer for layer, same in called.items() if all(same)]


def _draw_layer(
    layer: nn.Module, role: str, seed: int, started: Mapping[str, Tensor], lacking: Sequence[int]
) -> None:
    for name, first in started.items():
        parameter = getattr(layer, name, None)
        if isinstance(parameter, Tensor) and parameter.numel() and torch.equal(parameter, first):
            values = _values(layer, name, role, seed, tuple(parameter.shape), lacking)
            parameter.copy_(torch.from_numpy(values))
            if isinstance(layer, nn.Embedding | nn.EmbeddingBag) and layer.padding_idx is not None:
                parameter[layer.padding_idx] = 0


def _values(
    layer: nn.Module,
    name: str,
    role: str,
    seed: int,
    shape: tuple[int, ...],
    lacking: Sequence[int],
) -> NDArray[np.float64]:
    """Draw a parameter; of a linear layer as if it did not have the columns that are lacking."""
    rows = shape[0] if len(shape) > 1 else 1
    columns = math.prod(shape) // rows
    key = stream_key(seed, name, role)
    bound = next(bound for kind, bound in _BOUNDS.items() if isinstance(layer, kind))
    if bound is None:
        return normals(key, rows, columns).reshape(shape)
    if not isinstance(layer, nn.Linear) or not lacking:
        return ((2 * uniforms(key, rows, columns) - 1) * bound(layer)).reshape(shape)
    own = np.delete(np.arange(layer.in_features), lacking)
    narrow = 1 / math.sqrt(len(own))
    if name != "weight":
        return ((2 * uniforms(key, rows, columns) - 1) * narrow).reshape(shape)
    values = np.zeros(shape)
    values[:, own] = (2 * uniforms(key, rows, len(own)) - 1) * narrow
    return values


def _by_fan_in(layer: Any) -> float:
    """Return 1 / sqrt(fan_in): of Kaiming's uniform distribution with a = sqrt(5), and of biases."""
    return 1 / math.sqrt(math.prod(layer.weight.shape[1:]))


def _by_hidden_size(layer: Any) -> float:
    return 1 / math.sqrt(layer.hidden_size)


_BOUNDS: dict[type[Any], Callable[[Any], float] | None] = {
    nn.Linear: _by_fan_in,
    _ConvNd: _by_fan_in,
    nn.Bilinear: lambda layer: 1 / math.sqrt(layer.weight.shape[1]),
    RNNBase: _by_hidden_size,
    RNNCellBase: _by_hidden_size,
    nn.Embedding: None,
    nn.EmbeddingBag: None,
}
"""Layers that torch starts at random, and the bound b of their uniform [-b, b]; None: standard normal."""
