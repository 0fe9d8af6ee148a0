"""The weights that read the data: what they start as where some columns are 0 in every row.

A fold of a table may lack a category that other folds have. Its network is as wide as theirs, so that all
train in one stack; but it starts as the narrower network that it stands for: the absent columns count in no
fan-in, and their weights are 0. What multiplies nothing but zeros has a gradient of 0, so they stay 0 and
count in no norm and no penalty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from ceteris.nets.architecture import Architecture
from ceteris.nets.layers import Again, Chain, Drop, Flatten, Linear, Noise, Tensor

Absent = Sequence[int]
"""Numbers of input columns."""

PASSED = (Drop, Flatten, Noise)
"""Layers that leave a column of zeros one."""


def reading_layer(net: Architecture) -> Linear | None:
    """Return the linear layer that reads the columns of the data, and nothing else; None where there is none.

    A residual connection from the data, or a layer that is used again, makes the width of the data that of
    other activations too.
    """
    composed = net.composition
    pieces: Sequence[Any] = net.layers if composed is None else composed.chain.pieces
    first = _first(pieces)
    while isinstance(first, Chain) and not first.residual:
        first = _first(first.pieces)
    if not isinstance(first, Linear):
        return None
    again = [] if composed is None else [p.of for p in composed.pieces if isinstance(p, Again)]
    return None if any(first.role.startswith(role) for role in again) else first


def _first(pieces: Sequence[Any]) -> Any:
    return next((piece for piece in pieces if not isinstance(piece, PASSED)), None)


def narrowed(net: Architecture, tensor: Tensor, absent: Absent) -> Tensor:
    """Return a tensor with the fan-in of its layer without the absent columns, where it reads the data."""
    layer = reading_layer(net) if absent else None
    if layer is None or tensor.role != layer.role or tensor not in (layer.weight, layer.bias):
        return tensor
    return replace(tensor, fan_in=max(1, tensor.fan_in - len(absent)))


def clear_absent(net: Architecture, parameters: NDArray[Any], absent: Absent) -> None:
    """Set the weights of absent columns to 0 in a member's flat vector (P,)."""
    layer = reading_layer(net) if absent else None
    if layer is not None:
        weight = layer.weight
        own = parameters[weight.offset : weight.offset + weight.size].reshape(weight.shape)
        own[:, list(absent)] = 0.0
