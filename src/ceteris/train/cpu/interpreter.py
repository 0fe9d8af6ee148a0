"""The compiled loop: trains or evaluates members, many steps a call.

One member after another does all steps of a call, so its weights, optimiser state and the shared
workspace stay in the processor's cache; there is no Python between steps. Members never meet: what
one computes cannot depend on which others are in the stack.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ceteris.train.cpu.gradients import finish_gradient
from ceteris.train.cpu.layers import kernel
from ceteris.train.cpu.losses import (
    BINARY,
    CROSS_ENTROPY,
    SQUARED_ERROR,
    SQUARED_ERROR_ONE_HOT,
    WEIGHTED_CROSS_ENTROPY,
    binary_cross_entropy,
    cross_entropy,
    robust_error,
    squared_error,
    squared_error_one_hot,
    weighted_cross_entropy,
)
from ceteris.train.cpu.passes import backward, forward, forward_evaluating, gather, matrix
from ceteris.train.cpu.table import DY, EXTRA, N_IN, N_OUT, X, Y
from ceteris.train.cpu.updates import update
from ceteris.train.engine import GRADIENT_EVERY
from ceteris.train.hyper import LR

# Columns of the totals that a member gathers over an epoch.
LOSS, RIGHT, ROWS, NORM, NORMS = range(5)
N_TOTALS = 5


class Network(NamedTuple):
    """A network as the kernels read it (``layer_table``), with its parameter tensors.

    ``tensors`` (n, 3) and ``segments`` (n, 3): see ``ceteris.train.hyper``.
    """

    table: Any
    numbers: Any
    tensors: Any
    segments: Any


class Members(NamedTuple):
    """The stack: ``params`` (M, P) and ``buffers`` (M, Q) are updated in place; ``slots`` (M, S, P)."""

    params: Any
    buffers: Any
    slots: Any
    rates: Any
    keys: Any


class Rules(NamedTuple):
    """How members are trained: the optimiser's ``family``, and a vector per member of everything else.

    ``losses`` (M,); ``smoothing`` (M,); ``class_weights`` (M, c); ``beta`` (M,); ``terms`` (M, k, N_TERM)
    of penalties; ``limits`` (M, 2) of clipping; ``hyper`` (M, groups, N_HYPER), whose rates are written anew
    at every step from ``rates`` (M, groups, 1 or steps).
    """

    family: Any
    losses: Any
    smoothing: Any
    class_weights: Any
    beta: Any
    terms: Any
    limits: Any
    hyper: Any
    rates: Any


class Rows(NamedTuple):
    """One stream: ``x`` (N, f) prepared inputs, ``labels`` (N,) or empty, ``values`` (N, k) or empty."""

    x: Any
    labels: Any
    values: Any


class Space(NamedTuple):
    """Workspaces, overwritten: activations, words behind masks, the gradient (P,)."""

    work: Any
    words: Any
    grad: Any


@kernel
def transpose(source, out):
    """Copy a small matrix (a, b) to its transpose (b, a)."""
    for i in range(source.shape[0]):
        for j in range(source.shape[1]):
            out[j, i] = source[i, j]


@kernel
def score_rows(loss, smoothing, class_weights, beta, outputs, data, rows, gradient):
    """Return the summed loss and the right answers of a batch (n, k); fills ``gradient`` (n, k)."""
    n, units = outputs.shape
    if loss == CROSS_ENTROPY:
        return cross_entropy(outputs, data.labels[rows], gradient)
    if loss == WEIGHTED_CROSS_ENTROPY:
        return weighted_cross_entropy(outputs, data.labels[rows], smoothing, class_weights, gradient)
    if loss == SQUARED_ERROR_ONE_HOT:
        return squared_error_one_hot(outputs, data.labels[rows], gradient)
    if loss == BINARY:
        return binary_cross_entropy(outputs, data.labels[rows], gradient)
    # The targets are gathered into the rows that the gradient will overwrite.
    for i in range(n):
        for unit in range(units):
            gradient[i, unit] = data.values[rows[i], unit]
    if loss == SQUARED_ERROR:
        return squared_error(outputs, gradient, gradient), 0
    return robust_error(loss, beta, outputs, gradient, gradient)


@kernel
def score(loss, smoothing, class_weights, beta, final, work, data, rows):
    """Score the outputs of the final layer; leaves them row by row at its EXTRA, and fills its DY.

    Returns:
        The summed loss and the right answers of the batch.
    """
    n, units = rows.size, final[N_OUT]
    outputs = matrix(work, final[EXTRA], n, units)
    gradient = matrix(work, final[EXTRA] + n * units, n, units)
    transpose(matrix(work, final[Y], units, n), outputs)
    total, right = score_rows(loss, smoothing, class_weights, beta, outputs, data, rows, gradient)
    transpose(gradient, matrix(work, final[DY], units, n))
    return total, right


@kernel
def train_steps(
    net,
    stack,
    rules,
    data,
    places,
    order,
    batch,
    epoch,
    first,
    last,
    steps_before,
    space,
    totals,
    diverged,
):
    """Train members of one stream for the steps ``first`` to ``last`` (exclusive) of an epoch.

    Args:
        net, stack, rules, data, space: see ``Network``, ``Members``, ``Rules``, ``Rows``, ``Space``.
        places: (m,) places of the members in the stack.
        order: (n,) row numbers in the order of this epoch.
        batch: rows a step; the last step may have fewer.
        epoch: number of the epoch, counted from 0; steps_before: steps of the epochs before it.
        totals: (M, N_TOTALS) float64, added to.
        diverged: (M,) int64, -1 or the step at which the loss left the finite numbers.
    """
    table, work, grad = net.table, space.work, space.grad
    final = table[table.shape[0] - 1]
    n_in = table[0, N_IN]
    for place in places:
        param, buffer, hyper = stack.params[place], stack.buffers[place], rules.hyper[place]
        loss, smoothing, beta = rules.losses[place], rules.smoothing[place], rules.beta[place]
        class_weights, rates, keys = rules.class_weights[place], stack.rates[place], stack.keys[place]
        terms, limits = rules.terms[place], rules.limits[place]
        for step in range(first, last):
            if diverged[place] >= 0:
                break
            begin, done = step * batch, steps_before + step
            rows = order[begin : min(begin + batch, order.size)]
            n = rows.size
            gather(data.x, rows, matrix(work, table[0, X], n, n_in))
            forward(table, net.numbers, param, buffer, work, space.words, rates, keys, n, epoch, begin, done)
            total, right = score(loss, smoothing, class_weights, beta, final, work, data, rows)
            if not np.isfinite(total):
                diverged[place] = done
                break
            backward(table, param, grad, work, space.words, rates, n)
            totals[place, LOSS] += total
            totals[place, RIGHT] += right
            totals[place, ROWS] += n
            measured = step % GRADIENT_EVERY == 0
            norm = finish_gradient(terms, limits, net.tensors, measured, param, grad)
            if measured:
                totals[place, NORM] += norm
                totals[place, NORMS] += 1
            column = min(step, rules.rates.shape[2] - 1)
            for group in range(hyper.shape[0]):
                hyper[group, LR] = rules.rates[place, group, column]
            update(rules.family, done, hyper, net.segments, param, grad, stack.slots[place])


@kernel
def evaluate(net, stack, loss, rules, data, places, rows, chunk, work, outputs, results):
    """Evaluate members of one stream on the numbered rows, in evaluation mode.

    Args:
        loss: which plain loss: nothing is smoothed or weighted in evaluation.
        rows: (n,) row numbers; chunk: how many are run at once.
        outputs: (M, n, k) receives the network's outputs, or has no rows.
        results: (M, 2) float64 receives the mean loss and the share classified rightly.
    """
    table = net.table
    final = table[table.shape[0] - 1]
    n_in = table[0, N_IN]
    for place in places:
        class_weights, beta = rules.class_weights[place], rules.beta[place]
        loss_sum = 0.0
        right_sum = 0
        for begin in range(0, rows.size, chunk):
            own = rows[begin : min(begin + chunk, rows.size)]
            n = own.size
            gather(data.x, own, matrix(work, table[0, X], n, n_in))
            forward_evaluating(table, net.numbers, stack.params[place], stack.buffers[place], work, n)
            total, right = score(loss, 0.0, class_weights, beta, final, work, data, own)
            if outputs.shape[1] > 0:
                outputs[place, begin : begin + n] = matrix(work, final[EXTRA], n, final[N_OUT])
            loss_sum += total
            right_sum += right
        results[place, 0] = loss_sum / rows.size
        results[place, 1] = right_sum / rows.size
