"""How the rows of a batch come into a network, and what its outputs are worth, for one member."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import numpy as np

from ceteris.train.cpu.class_losses import class_loss, halved
from ceteris.train.cpu.decorators import inlined, kernel
from ceteris.train.cpu.losses import (
    CROSS_ENTROPY,
    HALF_SQUARED_ERROR,
    SQUARED_ERROR,
    WEIGHTED_CROSS_ENTROPY,
    robust_error,
    squared_error,
    weighted_cross_entropy,
)
from ceteris.train.cpu.passes import gather
from ceteris.train.cpu.softmax import cross_entropy
from ceteris.train.cpu.table import DY, EXTRA, N_IN, N_OUT, X, Y
from ceteris.train.cpu.views import matrix


@kernel
def transpose(source, out):
    """Copy a small matrix (a, b) to its transpose (b, a)."""
    for i in range(source.shape[0]):
        for j in range(source.shape[1]):
            out[j, i] = source[i, j]


@kernel
def fetch(data, rows, table, space):
    """Copy the numbered rows to where the first layer reads them, and their labels."""
    gather(data.x, rows, matrix(space.work, table[0, X], rows.size, table[0, N_IN]))
    if data.labels.size > 0:
        for i in range(rows.size):
            space.labels[i] = data.labels[rows[i]]


@inlined
def score_rows(loss, smoothing, class_weights, beta, outputs, labels, data, rows, gradient):
    """Return the summed loss and the right answers of a batch (n, k); fills ``gradient`` (n, k)."""
    n, units = outputs.shape
    if loss == WEIGHTED_CROSS_ENTROPY:
        return weighted_cross_entropy(outputs, labels, smoothing, class_weights, gradient)
    if data.labels.size > 0:
        return class_loss(loss, outputs, labels, gradient)
    # The targets are gathered into the rows that the gradient will overwrite.
    for i in range(n):
        row = np.uintp(rows[i])  # of a signed number Numba asks whether it counts from the end
        for unit in range(units):
            gradient[i, unit] = data.values[row, unit]
    if loss == SQUARED_ERROR:
        return squared_error(outputs, gradient, gradient), 0
    if loss == HALF_SQUARED_ERROR:
        return halved(squared_error(outputs, gradient, gradient), gradient), 0
    return robust_error(loss, beta, outputs, gradient, gradient)


@inlined
def score(loss, smoothing, class_weights, beta, final, space, data, rows):
    """Score the outputs of the final layer on the rows that were fetched; fills its DY.

    Returns:
        The summed loss and the right answers of the batch.
    """
    n, units, work = rows.size, final[N_OUT], space.work
    labels = space.labels[:n]
    by_unit, slope = matrix(work, final[Y], units, n), matrix(work, final[DY], units, n)
    if loss == CROSS_ENTROPY:
        extra = final[EXTRA]
        return cross_entropy(by_unit, labels, slope, work[extra : extra + n], work[extra + n : extra + 2 * n])
    if units == 1:  # a column of one number is a row of one number
        outputs, gradient = matrix(work, final[Y], n, 1), matrix(work, final[DY], n, 1)
        return score_rows(loss, smoothing, class_weights, beta, outputs, labels, data, rows, gradient)
    # The other losses take rows: they are copied to EXTRA and back.
    outputs = matrix(work, final[EXTRA], n, units)
    gradient = matrix(work, final[EXTRA] + n * units, n, units)
    transpose(by_unit, outputs)
    found = score_rows(loss, smoothing, class_weights, beta, outputs, labels, data, rows, gradient)
    transpose(gradient, slope)
    return found
