"""The products of a linear layer by the kernels that the engine picks for its shapes, in a loop."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

from ceteris.train.cpu.decorators import kernel
from ceteris.train.cpu.linear import (
    is_gradient_tiled,
    is_tiled,
    linear_forward,
    linear_forward_rows,
    multiply_by_blas,
    product,
)
from ceteris.train.cpu.tiled import PLAIN, TRANSPOSED, multiply


@kernel
def forward(times, x, weight, y):
    """y = W x; shapes (i, b), (o, i), (o, b)."""
    for _ in range(times):
        linear_forward(x, weight, y)


@kernel
def forward_rows(times, x, weight, y):
    """``forward`` for inputs that stand row by row, (b, i)."""
    for _ in range(times):
        linear_forward_rows(x, weight, y)


@kernel
def backward(times, x, weight, dy, grad, dx):
    """grad = dy x^T and dx = W^T dy; shapes as in ``forward``."""
    (width, rows), units = x.shape, dy.shape[0]
    tiled, grad_tiled = is_tiled(rows, units), is_gradient_tiled(rows, units, rows, False)
    for _ in range(times):
        product(
            grad_tiled, units, width, rows, dy.reshape(-1), x.reshape(-1), 0, rows, True, grad.reshape(-1)
        )
        if tiled:
            multiply(width, rows, units, weight, 0, width, TRANSPOSED, dy, 0, rows, PLAIN, False, dx, 0, rows)
        else:
            multiply_by_blas(width, rows, units, weight, 0, TRANSPOSED, dy, 0, PLAIN, dx)


@kernel
def backward_rows(times, x, dy, grad):
    """grad = dy x for inputs that stand row by row, (b, i)."""
    (rows, width), units = x.shape, dy.shape[0]
    tiled = is_gradient_tiled(rows, units, width, True)
    for _ in range(times):
        product(tiled, units, width, rows, dy.reshape(-1), x.reshape(-1), 0, width, False, grad.reshape(-1))
