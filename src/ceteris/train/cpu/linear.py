"""The matrix products of linear layers, forward and backward; shapes as in ``layers``.

Small ones go through tiles of our own where the processor has AVX-512: OpenBLAS would copy matrices into
another order first. The others go through the BLAS that SciPy brings. Which, is a function of shapes alone.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import numpy as np

from ceteris.train.cpu.decorators import counting, kernel
from ceteris.train.cpu.tiled import PLAIN, TRANSPOSED, multiply
from ceteris.train.cpu.views import matrix
from ceteris.train.numerics import has_avx512

TILED = has_avx512()
MOST_ROWS = 64
"""Batches of more rows go through the BLAS, whose copies of matrices are repaid then ..."""
BLAS_UNITS, BLAS_GRADIENT_UNITS = 128, 32
"""... where a layer has so many outputs; and gradients of weights from inputs that stand by unit."""
ALIASED = 512
"""Rows whose distance is a multiple of so many numbers meet in the same lines of the cache."""


@kernel
def is_tiled(n, units):
    """Tell whether products of a layer's weights with ``n`` columns or rows are computed by tiles."""
    return TILED and (n <= MOST_ROWS or units < BLAS_UNITS)


@kernel
def is_gradient_tiled(n, units, apart, by_row):
    """Tell whether the gradient of the weights is; of inputs whose rows are ``apart``, by row or by unit."""
    if by_row:
        return TILED and n <= MOST_ROWS and apart % ALIASED != 0
    return TILED and units < BLAS_GRADIENT_UNITS


@kernel
def product(tiled, m, n, k, a, b, b_at, apart, turned, c):
    """C = A B, of flat matrices: C (m, n), A (m, k), B (k, n) or, ``turned``, (n, k).

    B begins at ``b_at``, with rows that are ``apart``; by the BLAS these touch.
    """
    if tiled:
        multiply(m, n, k, a, 0, k, PLAIN, b, b_at, apart, TRANSPOSED if turned else PLAIN, False, c, 0, n)
    else:
        multiply_by_blas(m, n, k, a, 0, PLAIN, b, b_at, TRANSPOSED if turned else PLAIN, c)


@counting
def multiply_by_blas(m, n, k, a, a_at, turn_a, b, b_at, turn_b, c):
    """C = A B by the BLAS, of flat matrices whose rows touch; see ``tiled.multiply``."""
    out = matrix(c, 0, m, n)
    if turn_a == TRANSPOSED:
        np.dot(matrix(a, a_at, k, m).T, matrix(b, b_at, k, n), out)
    elif turn_b == TRANSPOSED:
        np.dot(matrix(a, a_at, m, k), matrix(b, b_at, n, k).T, out)
    else:
        np.dot(matrix(a, a_at, m, k), matrix(b, b_at, k, n), out)


@kernel
def linear_forward(x, weight, y):
    """y = W x; the bias is added by ``add_bias``. Shapes: (i, b), (o, i), (o, b)."""
    (width, rows), units = x.shape, y.shape[0]
    tiled = is_tiled(rows, units)
    product(tiled, units, rows, width, weight.reshape(-1), x.reshape(-1), 0, rows, False, y.reshape(-1))


@kernel
def linear_forward_rows(x, weight, y):
    """``linear_forward`` for gathered inputs (b, i), which stand row by row."""
    (rows, width), units = x.shape, y.shape[0]
    tiled = is_tiled(rows, units)
    product(tiled, units, rows, width, weight.reshape(-1), x.reshape(-1), 0, width, True, y.reshape(-1))
