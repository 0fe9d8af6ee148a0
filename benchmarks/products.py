"""The products of a linear layer by the engine's tiles, many times in a call."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

from ceteris.train.cpu.layers import kernel
from ceteris.train.cpu.tiled import PLAIN, TRANSPOSED, multiply


@kernel
def forward(times, x, weight, y):
    """y = W x; shapes (i, b), (o, i), (o, b)."""
    (width, rows), units = x.shape, y.shape[0]
    for _ in range(times):
        multiply(units, rows, width, weight, 0, width, PLAIN, x, 0, rows, PLAIN, False, y, 0, rows)


@kernel
def forward_rows(times, x, weight, y):
    """``forward`` for inputs that stand row by row, (b, i)."""
    (rows, width), units = x.shape, y.shape[0]
    for _ in range(times):
        multiply(units, rows, width, weight, 0, width, PLAIN, x, 0, width, TRANSPOSED, False, y, 0, rows)


@kernel
def backward(times, x, weight, dy, grad, dx):
    """grad = dy x^T and dx = W^T dy; shapes as in ``forward``."""
    (width, rows), units = x.shape, dy.shape[0]
    for _ in range(times):
        multiply(units, width, rows, dy, 0, rows, PLAIN, x, 0, rows, TRANSPOSED, False, grad, 0, width)
        multiply(width, rows, units, weight, 0, width, TRANSPOSED, dy, 0, rows, PLAIN, False, dx, 0, rows)


@kernel
def backward_rows(times, x, dy, grad):
    """grad = dy x for inputs that stand row by row, (b, i)."""
    (rows, width), units = x.shape, dy.shape[0]
    for _ in range(times):
        multiply(units, width, rows, dy, 0, rows, PLAIN, x, 0, width, PLAIN, False, grad, 0, width)
