"""The matrix products of linear layers, forward and backward; shapes as in ``layers``.

They go through tiles of our own where the processor has AVX-512, which OpenBLAS uses to half at best, else
through the BLAS that SciPy brings.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import numpy as np

from ceteris.train.cpu.layers import kernel
from ceteris.train.cpu.tiled import PLAIN, TRANSPOSED, multiply
from ceteris.train.numerics import has_avx512

TILED = has_avx512()


@kernel
def linear_forward(x, weight, y):
    """y = W x; the bias is added by ``add_bias``. Shapes: (i, b), (o, i), (o, b)."""
    if TILED:
        (width, rows), units = x.shape, y.shape[0]
        multiply(units, rows, width, weight, 0, width, PLAIN, x, 0, rows, PLAIN, False, y, 0, rows)
    else:
        np.dot(weight, x, y)


@kernel
def linear_forward_rows(x, weight, y):
    """``linear_forward`` for gathered inputs (b, i), which stand row by row."""
    if TILED:
        (rows, width), units = x.shape, y.shape[0]
        multiply(units, rows, width, weight, 0, width, PLAIN, x, 0, width, TRANSPOSED, False, y, 0, rows)
    else:
        np.dot(weight, x.T, y)


@kernel
def linear_backward(x, weight, dy, grad_weight, dx):
    """grad_W = dy x^T, and dx = W^T dy. Shapes as in ``linear_forward``."""
    if TILED:
        (width, rows), units = x.shape, dy.shape[0]
        multiply(units, width, rows, dy, 0, rows, PLAIN, x, 0, rows, TRANSPOSED, False, grad_weight, 0, width)
        multiply(width, rows, units, weight, 0, width, TRANSPOSED, dy, 0, rows, PLAIN, False, dx, 0, rows)
    else:
        np.dot(dy, x.T, grad_weight)
        np.dot(weight.T, dy, dx)


@kernel
def linear_backward_rows(x, dy, grad_weight):
    """grad_W = dy x for gathered inputs (b, i), whose gradient nobody needs."""
    if TILED:
        (rows, width), units = x.shape, dy.shape[0]
        multiply(units, width, rows, dy, 0, rows, PLAIN, x, 0, width, PLAIN, False, grad_weight, 0, width)
    else:
        np.dot(dy, x, grad_weight)
