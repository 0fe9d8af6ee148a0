"""Losses with their gradients, written out for one batch of one member."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import math

import numpy as np

from ceteris.train.cpu.arithmetic import exponential
from ceteris.train.cpu.decorators import kernel

CROSS_ENTROPY, SQUARED_ERROR, SQUARED_ERROR_ONE_HOT, BINARY, ABSOLUTE_ERROR, SMOOTH_L1, HUBER = range(7)
WEIGHTED_CROSS_ENTROPY = 7
"""Trained on where labels are smoothed or classes weighted; evaluated as plain cross-entropy."""
NLL, BINARY_PROBABILITIES, HINGE, PERCEPTRON, HALF_SQUARED_ERROR, HALF_SQUARED_ERROR_ONE_HOT = range(8, 14)


@kernel
def classify(outputs, label):
    """Return 1 where the first largest of ``outputs`` (c,) stands at ``label``, else 0."""
    best = 0
    for unit in range(1, outputs.size):
        if outputs[unit] > outputs[best]:
            best = unit
    return 1 if best == label else 0


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


@kernel
def weighted_cross_entropy(outputs, labels, smoothing, weights, gradient):
    """Cross-entropy of logits (b, c) with smoothed labels and class weights (``torch.nn.CrossEntropyLoss``).

    With p = softmax, w the class weights (c,) and W the sum of w[label] over the batch, the mean is
    sum over rows of ((1 - s) w[label] (-log p[label]) + s / c sum_k w[k] (-log p[k])) / W.
    Fills ``gradient`` (b, c) with that of the mean.

    Returns:
        The mean times the rows, and how many rows are classified rightly.
    """
    rows, units = outputs.shape
    real = outputs.dtype.type
    right = 0
    total, batch_weight, all_weights = 0.0, 0.0, 0.0
    for unit in range(units):
        all_weights += weights[unit]
    for row in range(rows):
        batch_weight += weights[labels[row]]
    share = smoothing / units
    for row in range(rows):
        logits, label, line = outputs[row], labels[row], gradient[row]
        right += classify(logits, label)
        largest = logits[0]
        for unit in range(1, units):
            largest = logits[unit] if logits[unit] > largest else largest
        partition = real(0)
        for unit in range(units):
            line[unit] = exponential(logits[unit] - largest)
            partition += line[unit]
        log_partition = np.log(np.float64(partition))
        own = (1.0 - smoothing) * weights[label]
        for unit in range(units):
            pull = share * weights[unit] + (own if unit == label else 0.0)
            total += pull * (log_partition - np.float64(logits[unit] - largest))
            spread = (own + share * all_weights) / np.float64(partition)
            line[unit] = real((spread * line[unit] - pull) / batch_weight)
    return total * rows / batch_weight, right


@kernel
def binary_cross_entropy(outputs, labels, gradient):
    """Binary cross-entropy of one logit a row (b, 1) with labels 0 and 1 (``torch.nn.BCEWithLogitsLoss``).

    Fills ``gradient`` with (sigmoid - label) / b.

    Returns:
        The sum of the losses over the rows, and how many rows are classified rightly.
    """
    rows = outputs.shape[0]
    real = outputs.dtype.type
    total = 0.0
    right = 0
    for row in range(rows):
        logit = np.float64(outputs[row, 0])
        label = labels[row]
        right += 1 if (logit > 0.0) == (label == 1) else 0
        small = math.exp(-abs(logit))
        total += max(logit, 0.0) - logit * label + math.log1p(small)
        probability = 1.0 / (1.0 + small) if logit >= 0.0 else small / (1.0 + small)
        gradient[row, 0] = real((probability - label) / rows)
    return total, right


@kernel
def robust_error(loss, beta, outputs, targets, gradient):
    """L1, smooth L1 or Huber loss of outputs (b, k) and targets (b, k), averaged over k, as in torch.

    With e = output - target: L1 is abs(e); smooth L1 is e^2 / (2 beta) below beta and abs(e) - beta / 2
    above; Huber's is beta times that (beta is torch's ``delta``). Fills ``gradient``; at e = 0 it is 0.

    Returns:
        The sum over the rows of the mean over the outputs.
    """
    rows, units = outputs.shape
    real = outputs.dtype.type
    edge = 0.0 if loss == ABSOLUTE_ERROR else beta
    scale = beta if loss == HUBER else 1.0
    share = 1.0 / (rows * units)
    total = 0.0
    for row in range(rows):
        for unit in range(units):
            error = np.float64(outputs[row, unit]) - np.float64(targets[row, unit])
            size = abs(error)
            if size < edge:
                total += scale * (0.5 * error * error / beta)
                slope = scale * (error / beta)
            else:
                total += scale * (size - 0.5 * edge)
                slope = scale * (1.0 if error > 0.0 else (-1.0 if error < 0.0 else 0.0))
            gradient[row, unit] = real(slope * share)
    return total / units, 0
