"""Forward and backward passes of the built-in layers (products: ``linear``), written out for one member.

``x`` and ``y`` are inputs and outputs, ``dx`` and ``dy`` the gradients of the loss with respect to
them. They stand unit by unit, (units, batch): products with small batches are a third faster so.
Only the gathered inputs of the network stand row by row. These are loops that LLVM vectorises. Nothing here
allocates.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import math

import numpy as np

from ceteris.train.cpu.decorators import kernel, summing
from ceteris.train.cpu.quantile import normal_quantile


@kernel
def add_bias(y, bias):
    """Add a bias (o,) to every column of y (o, b), in place."""
    for unit in range(y.shape[0]):
        line = y[unit]
        own = bias[unit]
        for row in range(line.size):
            line[row] += own


@summing
def unit_sums(dy, out):
    """out[u] = sum over the batch of dy[u, .]: the gradient of a bias."""
    zero = dy.dtype.type(0)
    for unit in range(dy.shape[0]):
        line = dy[unit]
        total = zero
        for row in range(line.size):
            total += line[row]
        out[unit] = total


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
def add_noise(deviation, words, x, y):
    """y = x + deviation z, z normal by the inverse CDF of the uniforms behind ``words``; flat vectors."""
    real = x.dtype.type
    for i in range(x.size):
        share = (np.float64(words[i] >> 8) + 0.5) * 2.0**-24
        y[i] = x[i] + real(deviation * normal_quantile(share))


@kernel
def clear_behind(columns, x):
    """Set to 0 what stands behind the first columns of rows x (b, u)."""
    zero = x.dtype.type(0)
    for row in range(x.shape[0]):
        for column in range(columns, x.shape[1]):
            x[row, column] = zero


@kernel
def layer_norm_forward(x, weight, bias, eps, y, normal, inverse):
    """Normalise every row over its units; x, y and ``normal`` are (u, b), ``inverse`` (b,) is kept.

    The variance is that of the population, as in ``torch.nn.LayerNorm``.
    """
    units, rows = x.shape
    real = x.dtype.type
    zero, one, share, small = real(0), real(1), real(1.0 / units), real(eps)
    mean = inverse
    for row in range(rows):
        mean[row] = zero
    for unit in range(units):
        for row in range(rows):
            mean[row] += x[unit, row] * share
    for unit in range(units):
        for row in range(rows):
            normal[unit, row] = x[unit, row] - mean[row]
    for row in range(rows):
        inverse[row] = zero
    for unit in range(units):
        for row in range(rows):
            inverse[row] += normal[unit, row] * normal[unit, row] * share
    for row in range(rows):
        inverse[row] = one / np.sqrt(inverse[row] + small)
    for unit in range(units):
        for row in range(rows):
            normal[unit, row] *= inverse[row]
            y[unit, row] = normal[unit, row] * weight[unit] + bias[unit]


@summing
def layer_norm_backward(dy, weight, normal, inverse, grad_weight, grad_bias, dx, mean, product):
    """Gradients of layer norm; dy, ``normal`` and dx are (u, b), ``mean`` and ``product`` (b,) workspaces."""
    units, rows = dy.shape
    real = dy.dtype.type
    zero, share = real(0), real(1.0 / units)
    for row in range(rows):
        mean[row], product[row] = zero, zero
    for unit in range(units):
        sum_bias, sum_weight = zero, zero
        for row in range(rows):
            sum_bias += dy[unit, row]
            sum_weight += dy[unit, row] * normal[unit, row]
        grad_bias[unit], grad_weight[unit] = sum_bias, sum_weight
        for row in range(rows):
            pulled = dy[unit, row] * weight[unit] * share
            mean[row] += pulled
            product[row] += pulled * normal[unit, row]
    for unit in range(units):
        for row in range(rows):
            pulled = dy[unit, row] * weight[unit]
            dx[unit, row] = (pulled - mean[row] - normal[unit, row] * product[row]) * inverse[row]


@summing
def norm_forward(x, weight, bias, numbers, running_mean, running_var, y, normal, inverse, pull):
    """Batch norm in training mode; updates the running statistics as torch does (unbiased variance).

    ``numbers`` (3,) are eps, momentum, and whether eps is added to the root. ``normal`` (u, b) keeps the
    normalised inputs, ``inverse`` (u,) the inverse deviations, and ``pull`` (u,) how far the deviation counts
    in the gradient: 1 with eps inside the root, (root + eps) / root with eps outside, 0 where there is none.
    """
    eps, momentum, outside = numbers[0], numbers[1], numbers[2] != 0.0
    units, rows = x.shape
    real = x.dtype.type
    zero, one, count = real(0), real(1), real(rows)
    rate, keep, small = real(momentum), real(1.0 - momentum), real(eps)
    unbiased = real(1.0 / max(rows - 1, 1))
    for unit in range(units):
        line, own = x[unit], normal[unit]
        mean = zero
        for row in range(rows):
            mean += line[row]
        mean /= count
        squares = zero
        for row in range(rows):
            own[row] = line[row] - mean
            squares += own[row] * own[row]
        running_mean[unit] = keep * running_mean[unit] + rate * mean
        running_var[unit] = keep * running_var[unit] + rate * (squares * unbiased)
        scale = one / np.sqrt(squares / count + small)
        pull[unit] = one
        if outside:
            root = np.sqrt(squares / count)
            scale = one / (root + small)
            pull[unit] = (root + small) / root if root > zero else zero
        inverse[unit] = scale
        for row in range(rows):
            own[row] *= scale
            y[unit, row] = own[row] * weight[unit] + bias[unit]


@kernel
def norm_evaluate(x, weight, bias, numbers, running_mean, running_var, y):
    """Batch norm in evaluation mode, with the running statistics; x and y are (u, b)."""
    small, outside = x.dtype.type(numbers[0]), numbers[2] != 0.0
    one = x.dtype.type(1)
    for unit in range(x.shape[0]):
        if outside:
            scale = one / (np.sqrt(running_var[unit]) + small) * weight[unit]
        else:
            scale = one / np.sqrt(running_var[unit] + small) * weight[unit]
        shift = bias[unit] - running_mean[unit] * scale
        for row in range(x.shape[1]):
            y[unit, row] = x[unit, row] * scale + shift


@summing
def norm_backward(dy, weight, normal, inverse, pull, grad_weight, grad_bias, dx):
    """Gradients of batch norm in training mode (Ioffe and Szegedy 2015, section 3); all (u, b)."""
    units, rows = dy.shape
    zero = dy.dtype.type(0)
    share = dy.dtype.type(1.0 / rows)
    for unit in range(units):
        line, own = dy[unit], normal[unit]
        sum_bias, sum_weight = zero, zero
        for row in range(rows):
            sum_bias += line[row]
            sum_weight += line[row] * own[row]
        grad_bias[unit], grad_weight[unit] = sum_bias, sum_weight
        sum_weight *= pull[unit]
        scale = weight[unit] * inverse[unit]
        for row in range(rows):
            dx[unit, row] = (line[row] - share * sum_bias - share * (own[row] * sum_weight)) * scale
