"""Forward and backward passes of the built-in layers, written out for one member.

``x`` and ``y`` are (rows, units) inputs and outputs, ``dx`` and ``dy`` the gradients of the loss
with respect to them. Matrix products go through the BLAS that SciPy brings; the rest is loops
that LLVM vectorises. Nothing here allocates.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ceteris.train.cpu.arithmetic import exponential, hyperbolic_tangent
from ceteris.train.cpu.table import LEAKY_RELU, RELU, SIGMOID, TANH

# Numba's Python error model would test every division for zero and so keep loops scalar.
kernel = njit(cache=True, nogil=True, error_model="numpy")

LEAK = 0.01
"""Slope of leaky ReLU below zero, PyTorch's default."""


@kernel
def linear_forward(x, weight, y):
    """y = x W^T; the bias is added by ``add_bias``. Shapes: (b, i), (o, i), (b, o)."""
    np.dot(x, weight.T, y)


@kernel
def add_bias(y, bias):
    """Add a bias (o,) to every row of y (b, o), in place."""
    for row in range(y.shape[0]):
        line = y[row]
        for unit in range(line.size):
            line[unit] += bias[unit]


@kernel
def linear_backward(x, weight, dy, grad_weight, dx):
    """grad_W = dy^T x, and dx = dy W where ``dx`` has rows. Shapes as in ``linear_forward``."""
    np.dot(dy.T, x, grad_weight)
    if dx.shape[0] > 0:
        np.dot(dy, weight, dx)


@kernel
def column_sums(dy, out):
    """out[u] = sum over rows of dy[., u]: the gradient of a bias."""
    out[:] = 0
    for row in range(dy.shape[0]):
        line = dy[row]
        for unit in range(line.size):
            out[unit] += line[unit]


@kernel
def activate_forward(variant, x, y):
    """Apply an activation to flat vectors of equal length."""
    zero = x.dtype.type(0)
    one = x.dtype.type(1)
    if variant == RELU:
        for i in range(x.size):
            y[i] = zero if x[i] <= zero else x[i]  # NaN passes, as in torch
    elif variant == TANH:
        for i in range(x.size):
            y[i] = hyperbolic_tangent(x[i])
    elif variant == SIGMOID:
        for i in range(x.size):
            y[i] = one / (one + exponential(-x[i]))
    elif variant == LEAKY_RELU:
        leak = x.dtype.type(LEAK)
        for i in range(x.size):
            y[i] = x[i] * leak if x[i] <= zero else x[i]
    else:
        y[:] = x


@kernel
def activate_backward(variant, y, dy, dx):
    """dx = dy * f'(x), with f' written in the output y; flat vectors."""
    zero = y.dtype.type(0)
    one = y.dtype.type(1)
    if variant == RELU:
        for i in range(y.size):
            dx[i] = dy[i] if y[i] > zero else zero
    elif variant == TANH:
        for i in range(y.size):
            dx[i] = dy[i] * (one - y[i] * y[i])
    elif variant == SIGMOID:
        for i in range(y.size):
            dx[i] = dy[i] * (y[i] * (one - y[i]))
    elif variant == LEAKY_RELU:
        leak = y.dtype.type(LEAK)
        for i in range(y.size):
            dx[i] = dy[i] if y[i] > zero else dy[i] * leak
    else:
        dx[:] = dy


@kernel
def drop_forward(rate, words, x, y):
    """Inverted dropout: keep where the shared uniform reaches ``rate``, scaled by 1 / (1 - rate).

    ``words`` are the uint32 words behind the uniforms (``ceteris.draws``): of two variants with the
    same seed, the one with the higher rate drops all that the other drops, and more.
    """
    scale = x.dtype.type(1.0 / (1.0 - rate))
    threshold = np.int64(math.ceil(rate * 2.0**24 - 0.5))
    zero = x.dtype.type(0)
    for i in range(x.size):
        y[i] = x[i] * scale if np.int64(words[i] >> 8) >= threshold else zero


@kernel
def norm_forward(x, weight, bias, eps, momentum, running_mean, running_var, y, normal, moments):
    """Batch norm in training mode; updates the running statistics as torch does (unbiased variance).

    ``normal`` (b, u) keeps the normalised inputs and ``moments`` (2, u) the batch mean and the
    inverse deviation, for the backward pass.
    """
    rows, units = x.shape
    mean, inverse = moments[0], moments[1]
    column_sums(x, mean)
    count = x.dtype.type(rows)
    for unit in range(units):
        mean[unit] /= count
    inverse[:] = 0
    for row in range(rows):
        for unit in range(units):
            centred = x[row, unit] - mean[unit]
            inverse[unit] += centred * centred
    rate = x.dtype.type(momentum)
    keep = x.dtype.type(1.0 - momentum)
    unbiased = x.dtype.type(1.0 / max(rows - 1, 1))
    small = x.dtype.type(eps)
    one = x.dtype.type(1)
    for unit in range(units):
        running_mean[unit] = keep * running_mean[unit] + rate * mean[unit]
        running_var[unit] = keep * running_var[unit] + rate * (inverse[unit] * unbiased)
        inverse[unit] = one / np.sqrt(inverse[unit] / count + small)
    for row in range(rows):
        for unit in range(units):
            normal[row, unit] = (x[row, unit] - mean[unit]) * inverse[unit]
            y[row, unit] = normal[row, unit] * weight[unit] + bias[unit]


@kernel
def norm_evaluate(x, weight, bias, eps, running_mean, running_var, y):
    """Batch norm in evaluation mode, with the running statistics."""
    small = x.dtype.type(eps)
    one = x.dtype.type(1)
    for row in range(x.shape[0]):
        for unit in range(x.shape[1]):
            inverse = one / np.sqrt(running_var[unit] + small)
            y[row, unit] = (x[row, unit] - running_mean[unit]) * inverse * weight[unit] + bias[unit]


@kernel
def norm_backward(dy, weight, normal, moments, grad_weight, grad_bias, dx):
    """Gradients of batch norm in training mode (Ioffe and Szegedy 2015, section 3)."""
    rows, units = dy.shape
    inverse = moments[1]
    grad_weight[:] = 0
    grad_bias[:] = 0
    for row in range(rows):
        for unit in range(units):
            grad_bias[unit] += dy[row, unit]
            grad_weight[unit] += dy[row, unit] * normal[row, unit]
    if dx.shape[0] == 0:
        return
    share = dy.dtype.type(1.0 / rows)
    for row in range(rows):
        for unit in range(units):
            centred = dy[row, unit] - share * grad_bias[unit]
            centred -= share * (normal[row, unit] * grad_weight[unit])
            dx[row, unit] = centred * (weight[unit] * inverse[unit])
