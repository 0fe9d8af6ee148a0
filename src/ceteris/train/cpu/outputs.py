"""Softmax with its logarithm, and residual sums, written out for one member; (units, batch) as in layers."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import numpy as np

from ceteris.train.cpu.arithmetic import exponential
from ceteris.train.cpu.decorators import kernel


@kernel
def softmax_forward(log, x, y, largest, partition):
    """Softmax over the units of every row, or its logarithm, by log-sum-exp; x, y (u, b), workspaces (b,)."""
    units, rows = x.shape
    real = x.dtype.type
    for row in range(rows):
        largest[row], partition[row] = x[0, row], real(0)
    for unit in range(1, units):
        for row in range(rows):
            largest[row] = x[unit, row] if x[unit, row] > largest[row] else largest[row]
    for unit in range(units):
        for row in range(rows):
            y[unit, row] = exponential(x[unit, row] - largest[row])
            partition[row] += y[unit, row]
    if log:
        for row in range(rows):
            partition[row] = real(np.log(np.float64(partition[row])))
    for unit in range(units):
        for row in range(rows):
            if log:
                y[unit, row] = (x[unit, row] - largest[row]) - partition[row]
            else:
                y[unit, row] /= partition[row]


@kernel
def softmax_backward(log, y, dy, dx, total):
    """Gradient of softmax or of its logarithm from the outputs y; all (u, b), ``total`` (b,) a workspace."""
    units, rows = y.shape
    for row in range(rows):
        total[row] = y.dtype.type(0)
    for unit in range(units):
        for row in range(rows):
            total[row] += dy[unit, row] if log else dy[unit, row] * y[unit, row]
    for unit in range(units):
        for row in range(rows):
            if log:
                dx[unit, row] = dy[unit, row] - exponential(y[unit, row]) * total[row]
            else:
                dx[unit, row] = y[unit, row] * (dy[unit, row] - total[row])


@kernel
def add_forward(x, other, by_row, y):
    """y = x + other for flat x and y (u b); ``other`` stands row by row (b, u) if ``by_row``."""
    if not by_row:
        for i in range(y.size):
            y[i] = x[i] + other[i]
        return
    units, rows = by_row, y.size // by_row
    for unit in range(units):
        for row in range(rows):
            y[unit * rows + row] = x[unit * rows + row] + other[row * units + unit]


@kernel
def fork_backward(dy, other, dx):
    """dx = dy + other: what comes back through the layers, and past them; flat."""
    for i in range(dx.size):
        dx[i] = dy[i] + other[i]
