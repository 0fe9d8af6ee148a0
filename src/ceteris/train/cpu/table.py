"""The layer table: a network written as rows of integers that the compiled interpreter reads.

Every row is a layer. Offsets of activations and their gradients point into one workspace vector
that all members use in turn, so it stays in the processor's cache.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ceteris.nets.architecture import (
    Activate,
    Add,
    Architecture,
    BatchNorm,
    Drop,
    Fork,
    Layer,
    LayerNorm,
    Linear,
    Noise,
    Softmax,
)
from ceteris.train.numerics import has_avx512

# Columns of the table.
KIND, N_IN, N_OUT, WEIGHT, BIAS, VARIANT, MEAN, VARIANCE, X, Y, DX, DY, EXTRA, WORDS, BY_ROW = range(15)
MASKED = 15
OTHER, OTHER_BY_ROW = 16, 17
"""Of an Add, where the activations of its Fork stand, and how; of a Fork, the gradient of its Add."""
LINES_AT = 18
"""Of a network's only layer, where its members share their products (``one_layer``)."""
LINES = 64
"""Rows of weights (units times members) that stand below one another in a shared product."""
TURNED = 19
"""Of a Linear, where the transpose of its inputs has room."""
N_COLUMNS = 20
# Kinds of layers.
LINEAR, ACTIVATE, BATCH_NORM, DROP, NOISE, LAYER_NORM, SOFTMAX, FORK, ADD = range(9)
# Variants of ACTIVATE.
ACTIVATIONS = {
    "identity": 0,
    "relu": 1,
    "tanh": 2,
    "sigmoid": 3,
    "leaky_relu": 4,
    "gelu": 5,
    "silu": 6,
    "elu": 7,
    "softplus": 8,
    "hardtanh": 9,
    "scaled_sigmoid": 10,
}
IDENTITY, RELU, TANH, SIGMOID, LEAKY_RELU, GELU, SILU, ELU, SOFTPLUS, HARDTANH, SCALED_SIGMOID = range(11)
NONE = -1


MOST_TURNED, LEAST_TURNED = 64, 256
"""A transposed copy of its inputs is repaid in batches of up to so many rows, by a layer of so many units."""
APART = 16
"""How much further apart the rows of a transposed copy stand, so that they do not meet in the cache."""


@dataclass(frozen=True)
class LayerTable:
    """The table, the numbers of its batch-norm rows, and how large the workspaces have to be.

    ``rows`` is (layers, N_COLUMNS) int64; ``numbers`` is (layers, 3) float64: eps, momentum,
    and 1 where eps is added to the root. ``workspace`` counts floats, ``words`` counts 32-bit words.
    """

    rows: NDArray[np.int64]
    numbers: NDArray[np.float64]
    workspace: int
    words: int


def layer_table(net: Architecture, batch: int, used: NDArray[np.bool_]) -> LayerTable:
    """Write a network as a table for batches of up to ``batch`` rows.

    Args:
        net: the architecture.
        batch: largest number of rows handled at once, in training or evaluation.
        used: (n_slots,) whether any member draws something at a place; where none does, the rows of
            dropout and noise are left out, and weights are used as they are.
    """
    layers = [layer for layer in net.layers if not isinstance(layer, Drop | Noise) or used[layer.slot]]
    rows = np.full((len(layers), N_COLUMNS), NONE, dtype=np.int64)
    numbers = np.zeros((len(layers), 3))
    forks: list[int] = []
    place = batch * net.n_in
    x, dx = 0, NONE  # nobody needs the gradient of the inputs
    words = 0
    by_row = 1
    for index, layer in enumerate(layers):
        row = rows[index]
        n_in, n_out = _describe(layer, row, numbers[index])
        row[N_IN], row[N_OUT], row[X], row[DX], row[BY_ROW] = n_in, n_out, x, dx, by_row
        row[Y], row[DY], row[EXTRA] = place, place + batch * n_out, place + 2 * batch * n_out
        if isinstance(layer, Fork):
            row[Y] = x  # it changes nothing
            forks.append(index)
        if isinstance(layer, Add):
            fork = rows[forks.pop()]
            row[OTHER], row[OTHER_BY_ROW], fork[OTHER] = fork[Y], fork[BY_ROW], row[DY]
        # Batch norm keeps its normalised inputs and inverse deviations, the last layer its
        # outputs and their gradient row by row for the loss.
        place += 4 * batch * n_out + n_out
        if isinstance(layer, Drop | Noise):
            row[WORDS] = words
            words += batch * n_out
        if isinstance(layer, Linear) and layer.slot is not None and used[layer.slot]:
            row[VARIANT], row[WORDS], row[MASKED] = layer.slot, words, place
            words += n_in * n_out
            place += n_in * n_out
        if isinstance(layer, Linear) and len(layers) == 1 and row[MASKED] == NONE and n_out <= LINES:
            row[LINES_AT] = place
            place += 2 * LINES * (n_in + batch)  # weights and gradients, outputs and their slopes
        if isinstance(layer, Linear) and n_out >= LEAST_TURNED and has_avx512():
            row[TURNED] = place
            place += turned_room(batch, n_in)
        if isinstance(layer, LayerNorm):
            place += 3 * batch  # a mean, an inverse deviation and a sum for each row
        if isinstance(layer, Linear):
            by_row = 0
        x, dx = row[Y], NONE if by_row else row[DY]
    return LayerTable(rows, numbers, place, max(words, 1))


def turned_room(batch: int, n_in: int) -> int:
    """Return how many numbers the transposed inputs of a linear layer take."""
    return min(batch, MOST_TURNED) * (n_in + APART)


def _describe(layer: Layer, row: NDArray[np.int64], numbers: NDArray[np.float64]) -> tuple[int, int]:
    match layer:
        case Linear():
            row[KIND], row[WEIGHT] = LINEAR, layer.weight.offset
            row[BIAS] = NONE if layer.bias is None else layer.bias.offset
            return layer.n_in, layer.n_out
        case BatchNorm():
            row[KIND], row[WEIGHT], row[BIAS] = BATCH_NORM, layer.weight.offset, layer.bias.offset
            row[MEAN], row[VARIANCE] = layer.running_mean.offset, layer.running_var.offset
            numbers[:] = layer.eps, layer.momentum, layer.eps_place == "outside"
        case Activate():
            row[KIND], row[VARIANT] = ACTIVATE, ACTIVATIONS[layer.kind]
        case LayerNorm():
            row[KIND], row[WEIGHT], row[BIAS] = LAYER_NORM, layer.weight.offset, layer.bias.offset
            numbers[0] = layer.eps
        case Softmax():
            row[KIND], row[VARIANT] = SOFTMAX, layer.log
        case Fork():
            row[KIND] = FORK
        case Add():
            row[KIND] = ADD
        case Drop():
            row[KIND], row[VARIANT] = DROP, layer.slot
        case Noise():
            row[KIND], row[VARIANT] = NOISE, layer.slot
        case _:
            raise TypeError(f"the compiled engine does not run a {type(layer).__name__}")
    return layer.n, layer.n
