"""Losses of classes besides cross-entropy: on log-probabilities, on a probability, on a margin."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import math

import numpy as np

from ceteris.train.cpu.decorators import kernel
from ceteris.train.cpu.losses import (
    BINARY,
    BINARY_PROBABILITIES,
    HALF_SQUARED_ERROR_ONE_HOT,
    HINGE,
    NLL,
    SQUARED_ERROR_ONE_HOT,
    binary_cross_entropy,
    classify,
    squared_error_one_hot,
)

LEAST_LOG = -100.0
"""A logarithm of a probability is not smaller, as in ``torch.nn.BCELoss``."""
LEAST_SPREAD = 1e-12
"""p (1 - p) is not smaller where the gradient divides by it, as in ``torch.nn.BCELoss``."""


@kernel
def class_loss(loss, outputs, labels, gradient):
    """Return the summed loss and the right answers of a batch (n, k), by the loss; fills ``gradient``."""
    if loss == BINARY:
        return binary_cross_entropy(outputs, labels, gradient)
    if loss == NLL:
        return negative_log_likelihood(outputs, labels, gradient)
    if loss in (SQUARED_ERROR_ONE_HOT, HALF_SQUARED_ERROR_ONE_HOT):
        total, right = squared_error_one_hot(outputs, labels, gradient)
        return (halved(total, gradient) if loss == HALF_SQUARED_ERROR_ONE_HOT else total), right
    return one_output_loss(loss, outputs, labels, gradient)


@kernel
def halved(total, gradient):
    """Return half of a loss, and halve its gradient (n, k) in place."""
    half = gradient.dtype.type(0.5)
    for row in range(gradient.shape[0]):
        for unit in range(gradient.shape[1]):
            gradient[row, unit] *= half
    return 0.5 * total


@kernel
def negative_log_likelihood(outputs, labels, gradient):
    """Minus the output of the label's class, of log-probabilities (b, c) (``torch.nn.NLLLoss``).

    Fills ``gradient`` with -1 / b at the labels.

    Returns:
        The sum of the losses over the rows, and how many rows are classified rightly.
    """
    rows = outputs.shape[0]
    total = 0.0
    right = 0
    gradient[:] = outputs.dtype.type(0)
    for row in range(rows):
        right += classify(outputs[row], labels[row])
        total -= np.float64(outputs[row, labels[row]])
        gradient[row, labels[row]] = outputs.dtype.type(-1.0 / rows)
    return total, right


@kernel
def one_output_loss(loss, outputs, labels, gradient):
    """A loss of one output z a row (b, 1) with labels 0 and 1, that is t = -1 and 1.

    Binary cross-entropy of a probability z (``torch.nn.BCELoss``); the hinge max(0, 1 - t z); or the
    perceptron's max(0, -t z), whose gradient at t z = 0 is that of a mistake, so that it starts from zeros.
    Fills ``gradient`` with that of the mean.

    Returns:
        The sum of the losses over the rows, and how many rows are classified rightly.
    """
    rows = outputs.shape[0]
    total = 0.0
    right = 0
    for row in range(rows):
        z, label = np.float64(outputs[row, 0]), labels[row]
        if loss == BINARY_PROBABILITIES:
            right += 1 if (z > 0.5) == (label == 1) else 0
            own = z if label == 1 else 1.0 - z
            total -= max(math.log(own), LEAST_LOG) if own > 0.0 else (LEAST_LOG if own <= 0.0 else own)
            slope = (z - label) / max(z * (1.0 - z), LEAST_SPREAD)
        else:
            right += 1 if (z > 0.0) == (label == 1) else 0
            aim = 1.0 if label == 1 else -1.0
            miss = 1.0 - aim * z if loss == HINGE else -aim * z
            wrong = miss > 0.0 if loss == HINGE else miss >= 0.0
            total += 0.0 if miss < 0.0 else miss
            slope = -aim if wrong else 0.0
        gradient[row, 0] = outputs.dtype.type(slope / rows)
    return total, right
