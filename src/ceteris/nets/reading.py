"""The columns that a network reads: where the rows of a fold have fewer than the whole table.

A fold of a table may lack a category that other folds have. Linear networks and MLPs of all folds train in
one stack, as wide as the table: a member's own columns stand first in its rows, in their order, and zeros
behind them. It is the network of its own width all the same. Only the first linear layer reads columns: its
weights are drawn at the true width, and those of the columns behind are 0. What multiplies nothing but zeros
has a gradient of 0, so they stay 0 and count in no norm. Outside of training nobody sees them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.nets.architecture import Architecture
from ceteris.nets.layers import Drop, Fork, Linear, Noise, Tensor

BESIDE = (Drop, Fork, Noise)
"""Layers that may stand before the first linear one, and leave zeros behind the own columns zeros."""


def reading_layer(net: Architecture) -> Linear | None:
    """Return the first linear layer of a linear network or an MLP; None for other networks.

    A freely composed network is laid out for the columns of its own rows, and so is not padded.
    """
    first = next((layer for layer in net.layers if not isinstance(layer, BESIDE)), None)
    return first if isinstance(first, Linear) and first.n_in == net.n_in else None


def narrowed(net: Architecture, columns: int) -> tuple[Tensor, ...]:
    """Return the parameters that a network has where its rows have so many columns, in the same order.

    The weight of the layer that reads them is narrower, and fans in from fewer; so does its bias.
    """
    layer = reading_layer(net)
    if layer is None or columns == net.n_in:
        return net.parameters
    found: list[Tensor] = []
    for tensor in net.parameters:
        own = tensor
        if tensor in (layer.weight, layer.bias):
            shape = (layer.n_out, columns) if tensor == layer.weight else tensor.shape
            own = replace(tensor, shape=shape, fan_in=columns)
        found.append(replace(own, offset=found[-1].offset + found[-1].size if found else 0))
    return tuple(found)


def own_part(net: Architecture, tensor: Tensor, flat: NDArray[Any], columns: int) -> NDArray[Any]:
    """Return a view of a tensor in a flat vector (P,), without the columns behind the first so many."""
    view = flat[tensor.offset : tensor.offset + tensor.size].reshape(tensor.shape)
    layer = reading_layer(net)
    return view[:, :columns] if layer is not None and tensor == layer.weight else view


def padded(net: Architecture, narrow: NDArray[Any], columns: int) -> NDArray[Any]:
    """Return the flat vector (P,) of a network for that of ``narrowed`` tensors; zeros behind own columns."""
    flat = np.zeros(net.n_parameters, narrow.dtype)
    for wide, own in zip(net.parameters, narrowed(net, columns), strict=True):
        own_part(net, wide, flat, columns)[:] = narrow[own.offset : own.offset + own.size].reshape(own.shape)
    return flat


def columns_of(net: Architecture, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Return how many columns the rows of a trial have, whose parameters have these shapes by name.

    ``net`` is laid out for the whole table. What goes over columns does so along its last axis.
    """
    for tensor in net.parameters:
        shape = shapes.get(tensor.name, tensor.shape)
        if shape != tensor.shape:
            return int(shape[-1])
    return net.n_in
