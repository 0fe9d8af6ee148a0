"""Losses with their gradients, written out for one batch of one member."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import numpy as np

from ceteris.train.cpu.arithmetic import exponential
from ceteris.train.cpu.layers import kernel

CROSS_ENTROPY, SQUARED_ERROR, SQUARED_ERROR_ONE_HOT = range(3)


@kernel
def classify(outputs, label):
    """Return 1 where the first largest of ``outputs`` (c,) stands at ``label``, else 0."""
    best = 0
    for unit in range(1, outputs.size):
        if outputs[unit] > outputs[best]:
            best = unit
    return 1 if best == label else 0


@kernel
def cross_entropy(outputs, labels, gradient):
    """Cross-entropy of logits (b, c) with labels (b,), by log-sum-exp.

    Fills ``gradient`` (b, c) with (softmax - one-hot) / b.

    Returns:
        The sum of the losses over the rows, and how many rows are classified rightly.
    """
    rows, units = outputs.shape
    total = 0.0
    right = 0
    share = outputs.dtype.type(1.0 / rows)
    for row in range(rows):
        logits = outputs[row]
        label = labels[row]
        right += classify(logits, label)
        largest = logits[0]
        for unit in range(1, units):
            largest = logits[unit] if logits[unit] > largest else largest
        own = logits[label] - largest
        line = gradient[row]
        for unit in range(units):
            line[unit] = exponential(logits[unit] - largest)
        partition = outputs.dtype.type(0)
        for unit in range(units):
            partition += line[unit]
        total += np.log(np.float64(partition)) - own
        scale = share / partition
        for unit in range(units):
            line[unit] *= scale
        line[label] -= share
    return total, right


@kernel
def squared_error(outputs, targets, gradient):
    """Squared error of outputs (b, k) and targets (b, k), averaged over k (``torch.nn.MSELoss``).

    Fills ``gradient`` with 2 (outputs - targets) / (b k).

    Returns:
        The sum over the rows of the mean over the outputs.
    """
    rows, units = outputs.shape
    total = 0.0
    share = outputs.dtype.type(2.0 / (rows * units))
    for row in range(rows):
        for unit in range(units):
            error = outputs[row, unit] - targets[row, unit]
            total += np.float64(error) * np.float64(error)
            gradient[row, unit] = error * share
    return total / units


@kernel
def squared_error_one_hot(outputs, labels, gradient):
    """``squared_error`` against one-hot targets; returns the sum and the rows classified rightly."""
    rows, units = outputs.shape
    total = 0.0
    right = 0
    share = outputs.dtype.type(2.0 / (rows * units))
    one = outputs.dtype.type(1)
    for row in range(rows):
        right += classify(outputs[row], labels[row])
        for unit in range(units):
            error = outputs[row, unit] - (one if unit == labels[row] else one - one)
            total += np.float64(error) * np.float64(error)
            gradient[row, unit] = error * share
    return total / units, right
