"""Sums over vectors, accumulated in float64, whose order is fixed by their lengths alone."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import numpy as np

from ceteris.train.cpu.decorators import kernel, summing

BLOCK = 4096
"""Numbers that are summed at once; the sums of blocks are added in their order. A block of a parameter
vector fits a second-level cache with gradient and optimiser state, and no block spans two tensors."""


@kernel
def copy(source, out):
    """Copy a vector to another that does not overlap it."""
    # An assignment of the whole vector looks for overlaps first.
    for i in range(out.size):
        out[i] = source[i]


@summing
def block_squares(block):
    """Return the sum of squares of a block."""
    total = 0.0
    for i in range(block.size):
        total += np.float64(block[i]) * np.float64(block[i])
    return total


@kernel
def sum_of_squares(vector):
    """Return the sum of squares of a vector."""
    total = 0.0
    for begin in range(0, vector.size, BLOCK):
        total += block_squares(vector[begin : min(begin + BLOCK, vector.size)])
    return total


@kernel
def add_norms(vector, tensors, out):
    """Return the 2-norm of all tensors (T, 3) of a flat vector (P,).

    That of each is added to ``out`` (T,), unless that is of size 0.
    """
    total = 0.0
    for index in range(tensors.shape[0]):
        squares = sum_of_squares(vector[tensors[index, 0] : tensors[index, 1]])
        total += squares
        if out.size > 0:
            out[index] += np.sqrt(squares)
    return np.sqrt(total)


@summing
def distance_and_squares(block, before):
    """Return the squared distance of two blocks, and the sum of squares of the first."""
    distance, total = 0.0, 0.0
    for i in range(block.size):
        value = np.float64(block[i])
        step = value - np.float64(before[i])
        distance += step * step
        total += value * value
    return distance, total


@summing
def squared_distance(first, second):
    """Return the squared distance of two vectors."""
    total = 0.0
    for i in range(first.size):
        step = np.float64(first[i]) - np.float64(second[i])
        total += step * step
    return total


@summing
def moments(values):
    """Return the sum and the sum of squares of a vector."""
    total, squares = 0.0, 0.0
    for i in range(values.size):
        value = np.float64(values[i])
        total += value
        squares += value * value
    return total, squares


@kernel
def variance(values):
    """Return the variance (divided by the count) of a vector."""
    total, squares = moments(values)
    mean = total / values.size
    return max(squares / values.size - mean * mean, 0.0)


@summing
def squares_around(mean, values):
    """Return the sum of the squared distances of a vector from a number."""
    total = 0.0
    for i in range(values.size):
        step = np.float64(values[i]) - mean
        total += step * step
    return total


@summing
def unit_statistics(line, edge):
    """Return of a vector the sum, the sum of squares, how many are 0 and how many within ``edge`` of 0."""
    total, squares, zeros, near = 0.0, 0.0, 0.0, 0.0
    for i in range(line.size):
        value = np.float64(line[i])
        total += value
        squares += value * value
        zeros += 1.0 if value == 0.0 else 0.0
        near += 1.0 if abs(value) <= edge else 0.0
    return total, squares, zeros, near


@kernel
def norms_and_spreads(parameters, tensors, norms, spreads):
    """Measure every tensor (T, 3) of every member's parameters (M, P).

    Fills ``norms`` (M, T + 1) with 2-norms, the last that of the whole, and ``spreads`` (M, T) with standard
    deviations (divided by the count), or nothing where it has no columns.
    """
    last = tensors.shape[0]
    for place in range(parameters.shape[0]):
        vector = parameters[place]
        norms[place] = 0.0
        norms[place, last] = add_norms(vector, tensors, norms[place, :last])
        for index in range(spreads.shape[1]):
            values = vector[tensors[index, 0] : tensors[index, 1]]
            mean = moments(values)[0] / values.size
            spreads[place, index] = np.sqrt(squares_around(mean, values) / values.size)
