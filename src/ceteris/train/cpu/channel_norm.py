"""Batch normalisation of rows whose channels stand together, with the ReLU behind it: kernels in few passes.

``x``, ``y`` and their gradients are (rows, channels): of images, every pixel is a row. Statistics are
gathered block by block, while a block is in the cache: sums of a block in the precision of its numbers (of
bfloat16, which stands as its bits, in float32), sums over blocks in float64. Source: Ioffe and Szegedy 2015,
algorithm 1; blocks are joined as in Chan, Golub and LeVeque 1983, eq. 2.1.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

from ceteris.train.cpu.bfloat16 import narrowed, widened
from ceteris.train.cpu.decorators import kernel

BLOCK = 4096
"""Numbers of a block, about: a third of a first-level cache."""


@kernel
def rows_of_block(channels):
    """Return how many rows a block has: a multiple of four, which are added together first."""
    return max(4, BLOCK // channels // 4 * 4)


@kernel
def batch_statistics(x, sums, squares, mean, variance):
    """Fill ``mean`` and ``variance`` (channels,) float64 of a batch; the variance is divided by the rows.

    ``sums`` and ``squares`` (channels,) are workspaces.
    """
    rows, channels = x.shape
    block = rows_of_block(channels)
    for c in range(channels):
        mean[c] = 0.0
        variance[c] = 0.0
    for begin in range(0, rows, block):
        part = x[begin : min(begin + block, rows)]
        add_block(part, sums)
        n = part.shape[0]
        share = sums.dtype.type(1.0 / n)
        for c in range(channels):
            sums[c] *= share
        add_squares(part, sums, squares)
        for c in range(channels):
            delta = sums[c] - mean[c]
            mean[c] += delta * (n / (begin + n))
            variance[c] += squares[c] + delta * delta * (begin * n / (begin + n))
    for c in range(channels):
        variance[c] /= rows


@kernel
def add_block(part, sums):
    """Fill ``sums`` (channels,) with the sums over a block's rows."""
    rows, channels = part.shape
    for c in range(channels):
        sums[c] = 0
    fours = rows - rows % 4
    for row in range(0, fours, 4):
        a, b, d, e = part[row], part[row + 1], part[row + 2], part[row + 3]
        for c in range(channels):
            sums[c] += (widened(a[c]) + widened(b[c])) + (widened(d[c]) + widened(e[c]))
    for row in range(fours, rows):
        for c in range(channels):
            sums[c] += widened(part[row, c])


@kernel
def add_squares(part, centre, squares):
    """Fill ``squares`` (channels,) with the sums of squared distances from ``centre`` over a block's rows."""
    rows, channels = part.shape
    for c in range(channels):
        squares[c] = 0
    fours = rows - rows % 4
    for row in range(0, fours, 4):
        a, b, d, e = part[row], part[row + 1], part[row + 2], part[row + 3]
        for c in range(channels):
            p, q = widened(a[c]) - centre[c], widened(b[c]) - centre[c]
            r, s = widened(d[c]) - centre[c], widened(e[c]) - centre[c]
            squares[c] += (p * p + q * q) + (r * r + s * s)
    for row in range(fours, rows):
        for c in range(channels):
            p = widened(part[row, c]) - centre[c]
            squares[c] += p * p


@kernel
def normalise(x, mean, slope, bias, cuts, y):
    """y = (x - mean) slope + bias, and 0 instead of what is not above it where ``cuts`` (the ReLU)."""
    rows, channels = x.shape
    zero = mean.dtype.type(0)
    for row in range(rows):
        own, out = x[row], y[row]
        if cuts:
            for c in range(channels):
                value = (widened(own[c]) - mean[c]) * slope[c] + bias[c]
                value = zero if value <= zero else value  # NaN passes, as in torch
                out[c] = narrowed(value, out[c])
        else:
            for c in range(channels):
                out[c] = narrowed((widened(own[c]) - mean[c]) * slope[c] + bias[c], out[c])


@kernel
def slope_sums(x, dy, mean, slope, bias, cuts, sums, products, total, total_products):
    """Fill ``total`` with the sums of the gradient and ``total_products`` with those of it times (x - mean).

    Both are (channels,) float64; ``sums`` and ``products`` (channels,) are workspaces.
    What the ReLU cut has no gradient.
    """
    rows, channels = x.shape
    block = rows_of_block(channels)
    zero = mean.dtype.type(0)
    for c in range(channels):
        total[c] = 0.0
        total_products[c] = 0.0
    for begin in range(0, rows, block):
        for c in range(channels):
            sums[c] = 0
            products[c] = 0
        for row in range(begin, min(begin + block, rows)):
            own, gradient = x[row], dy[row]
            for c in range(channels):
                distance = widened(own[c]) - mean[c]
                passed = widened(gradient[c])
                if cuts:
                    passed = zero if distance * slope[c] + bias[c] <= zero else passed
                sums[c] += passed
                products[c] += passed * distance
        for c in range(channels):
            total[c] += sums[c]
            total_products[c] += products[c]


@kernel
def normalise_backward(x, dy, mean, slope, bias, cuts, constant, factor, dx):
    """dx = slope (the gradient that passed the ReLU) + (x - mean) factor + constant."""
    rows, channels = x.shape
    zero = mean.dtype.type(0)
    for row in range(rows):
        own, gradient, out = x[row], dy[row], dx[row]
        for c in range(channels):
            distance = widened(own[c]) - mean[c]
            passed = widened(gradient[c])
            if cuts:
                passed = zero if distance * slope[c] + bias[c] <= zero else passed
            out[c] = narrowed(slope[c] * passed + distance * factor[c] + constant[c], out[c])
