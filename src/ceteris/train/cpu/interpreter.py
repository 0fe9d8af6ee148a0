"""The compiled loop: reads the layer table and trains or evaluates members, many steps a call.

One member after another does all steps of a call, so its weights, optimiser state and the shared
workspace stay in the processor's cache; there is no Python between steps. Members never meet: what
one computes cannot depend on which others are in the stack.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import numpy as np

from ceteris.draws.compiled import fill_words
from ceteris.train.cpu.layers import (
    activate_backward,
    activate_forward,
    add_bias,
    column_sums,
    drop_forward,
    kernel,
    linear_backward,
    linear_forward,
    norm_backward,
    norm_evaluate,
    norm_forward,
)
from ceteris.train.cpu.losses import (
    CROSS_ENTROPY,
    SQUARED_ERROR,
    cross_entropy,
    squared_error,
    squared_error_one_hot,
)
from ceteris.train.cpu.table import (
    ACTIVATE,
    BATCH_NORM,
    BIAS,
    DROP,
    DX,
    DY,
    EXTRA,
    KIND,
    LINEAR,
    MEAN,
    N_IN,
    N_OUT,
    VARIANCE,
    VARIANT,
    WEIGHT,
    WORDS,
    X,
    Y,
)
from ceteris.train.cpu.updates import adam, sgd, sum_of_squares
from ceteris.train.engine import GRADIENT_EVERY

# Columns of the totals that a member gathers over an epoch.
LOSS, RIGHT, ROWS, NORM, NORMS = range(5)
N_TOTALS = 5


@kernel
def matrix(vector, offset, rows, columns):
    """View part of a vector as a (rows, columns) matrix."""
    return vector[offset : offset + rows * columns].reshape(rows, columns)


@kernel
def gather(x, rows, out):
    """Copy the numbered rows of x (N, f) into ``out`` (b, f)."""
    for i in range(rows.size):
        out[i] = x[rows[i]]


@kernel
def forward(table, numbers, param, buffers, work, words, rates, keys, n, epoch, first_row):
    """Run a batch of ``n`` rows forward in training mode; the inputs stand at the table's first X."""
    for index in range(table.shape[0]):
        row = table[index]
        x = matrix(work, row[X], n, row[N_IN])
        y = matrix(work, row[Y], n, row[N_OUT])
        units = row[N_OUT]
        if row[KIND] == LINEAR:
            linear_forward(x, matrix(param, row[WEIGHT], units, row[N_IN]), y)
            if row[BIAS] >= 0:
                add_bias(y, param[row[BIAS] : row[BIAS] + units])
        elif row[KIND] == ACTIVATE:
            activate_forward(row[VARIANT], x.reshape(x.size), y.reshape(y.size))
        elif row[KIND] == DROP:
            slot = row[VARIANT]
            if rates[slot] == 0.0:
                y[:] = x
            else:
                own = words[row[WORDS] : row[WORDS] + n * units]
                fill_words(own.reshape(n, units), keys[slot, 0], keys[slot, 1], epoch, first_row)
                drop_forward(rates[slot], own, x.reshape(x.size), y.reshape(y.size))
        elif row[KIND] == BATCH_NORM:
            norm_forward(
                x,
                param[row[WEIGHT] : row[WEIGHT] + units],
                param[row[BIAS] : row[BIAS] + units],
                numbers[index, 0],
                numbers[index, 1],
                buffers[row[MEAN] : row[MEAN] + units],
                buffers[row[VARIANCE] : row[VARIANCE] + units],
                y,
                matrix(work, row[EXTRA], n, units),
                matrix(work, row[EXTRA] + n * units, 2, units),
            )


@kernel
def forward_evaluating(table, numbers, param, buffers, work, n):
    """Run a batch of ``n`` rows forward in evaluation mode: no dropout, running statistics."""
    for index in range(table.shape[0]):
        row = table[index]
        x = matrix(work, row[X], n, row[N_IN])
        y = matrix(work, row[Y], n, row[N_OUT])
        units = row[N_OUT]
        if row[KIND] == LINEAR:
            linear_forward(x, matrix(param, row[WEIGHT], units, row[N_IN]), y)
            if row[BIAS] >= 0:
                add_bias(y, param[row[BIAS] : row[BIAS] + units])
        elif row[KIND] == ACTIVATE:
            activate_forward(row[VARIANT], x.reshape(x.size), y.reshape(y.size))
        elif row[KIND] == DROP:
            y[:] = x
        elif row[KIND] == BATCH_NORM:
            norm_evaluate(
                x,
                param[row[WEIGHT] : row[WEIGHT] + units],
                param[row[BIAS] : row[BIAS] + units],
                numbers[index, 0],
                buffers[row[MEAN] : row[MEAN] + units],
                buffers[row[VARIANCE] : row[VARIANCE] + units],
                y,
            )


@kernel
def backward(table, param, grad, work, words, rates, n):
    """Run a batch backward from the last DY to the first layer; fills ``grad`` (P,)."""
    for index in range(table.shape[0] - 1, -1, -1):
        row = table[index]
        units = row[N_OUT]
        dy = matrix(work, row[DY], n, units)
        wanted = n if row[DX] >= 0 else 0
        dx = matrix(work, max(row[DX], 0), wanted, row[N_IN])
        if row[KIND] == LINEAR:
            x = matrix(work, row[X], n, row[N_IN])
            weight = matrix(param, row[WEIGHT], units, row[N_IN])
            linear_backward(x, weight, dy, matrix(grad, row[WEIGHT], units, row[N_IN]), dx)
            if row[BIAS] >= 0:
                column_sums(dy, grad[row[BIAS] : row[BIAS] + units])
        elif row[KIND] == ACTIVATE:
            if wanted > 0:
                y = work[row[Y] : row[Y] + n * units]
                activate_backward(row[VARIANT], y, dy.reshape(dy.size), dx.reshape(dx.size))
        elif row[KIND] == DROP:
            slot = row[VARIANT]
            if wanted > 0 and rates[slot] == 0.0:
                dx[:] = dy
            elif wanted > 0:
                own = words[row[WORDS] : row[WORDS] + n * units]
                drop_forward(rates[slot], own, dy.reshape(dy.size), dx.reshape(dx.size))
        elif row[KIND] == BATCH_NORM:
            norm_backward(
                dy,
                param[row[WEIGHT] : row[WEIGHT] + units],
                matrix(work, row[EXTRA], n, units),
                matrix(work, row[EXTRA] + n * units, 2, units),
                grad[row[WEIGHT] : row[WEIGHT] + units],
                grad[row[BIAS] : row[BIAS] + units],
                dx,
            )


@kernel
def score(loss, outputs, labels, values, rows, gradient):
    """Return the summed loss and the right answers of a batch; fills ``gradient`` like ``outputs``."""
    n, units = outputs.shape
    if loss == SQUARED_ERROR:
        # The targets are gathered into the rows that the gradient will overwrite.
        for i in range(n):
            for unit in range(units):
                gradient[i, unit] = values[rows[i], unit]
        return squared_error(outputs, gradient, gradient), 0
    if loss == CROSS_ENTROPY:
        return cross_entropy(outputs, labels[rows], gradient)
    return squared_error_one_hot(outputs, labels[rows], gradient)


@kernel
def train_steps(
    table,
    numbers,
    loss,
    use_adam,
    members,
    params,
    buffers,
    slots,
    hyper,
    rates,
    keys,
    x,
    labels,
    values,
    order,
    batch,
    epoch,
    first,
    last,
    steps_before,
    work,
    words,
    grad,
    totals,
    diverged,
):
    """Train members of one stream for the steps ``first`` to ``last`` (exclusive) of an epoch.

    Args:
        table, numbers: the network (``layer_table``).
        loss: which loss (``losses``).
        use_adam: 1 for Adam and AdamW, 0 for SGD.
        members: (m,) places of the members in the stack.
        params, buffers: (M, P) and (M, Q), updated in place.
        slots: (M, S, P) optimiser state.
        hyper: (M, N_HYPER); rates: (M, dropout places); keys: (M, dropout places, 2) uint32.
        x: (N, f) prepared inputs; labels: (N,) or empty; values: (N, k) or empty.
        order: (n,) row numbers in the order of this epoch.
        batch: rows a step; the last step may have fewer.
        epoch: number of the epoch, counted from 0; steps_before: steps of the epochs before it.
        work, words, grad: workspaces, overwritten.
        totals: (M, N_TOTALS) float64, added to.
        diverged: (M,) int64, -1 or the step at which the loss left the finite numbers.
    """
    final = table[table.shape[0] - 1]
    n_in = table[0, N_IN]
    units = final[N_OUT]
    for place in members:
        param = params[place]
        for step in range(first, last):
            if diverged[place] >= 0:
                break
            begin = step * batch
            rows = order[begin : min(begin + batch, order.size)]
            n = rows.size
            gather(x, rows, matrix(work, table[0, X], n, n_in))
            forward(
                table, numbers, param, buffers[place], work, words, rates[place], keys[place], n, epoch, begin
            )
            outputs = matrix(work, final[Y], n, units)
            total, right = score(loss, outputs, labels, values, rows, matrix(work, final[DY], n, units))
            if not np.isfinite(total):
                diverged[place] = steps_before + step
                break
            backward(table, param, grad, work, words, rates[place], n)
            totals[place, LOSS] += total
            totals[place, RIGHT] += right
            totals[place, ROWS] += n
            if step % GRADIENT_EVERY == 0:
                totals[place, NORM] += np.sqrt(sum_of_squares(grad))
                totals[place, NORMS] += 1
            if use_adam:
                adam(steps_before + step, hyper[place], param, grad, slots[place, 0], slots[place, 1])
            elif slots.shape[1] > 0:
                sgd(steps_before + step, hyper[place], param, grad, slots[place, 0])
            else:
                sgd(steps_before + step, hyper[place], param, grad, grad)


@kernel
def evaluate(
    table, numbers, loss, members, params, buffers, x, labels, values, rows, chunk, work, outputs, results
):
    """Evaluate members of one stream on the numbered rows, in evaluation mode.

    Args:
        rows: (n,) row numbers; chunk: how many are run at once.
        outputs: (M, n, k) receives the network's outputs, or has no rows.
        results: (M, 2) float64 receives the mean loss and the share classified rightly.
    """
    final = table[table.shape[0] - 1]
    n_in = table[0, N_IN]
    units = final[N_OUT]
    for place in members:
        loss_sum = 0.0
        right_sum = 0
        for begin in range(0, rows.size, chunk):
            part = rows[begin : min(begin + chunk, rows.size)]
            n = part.size
            gather(x, part, matrix(work, table[0, X], n, n_in))
            forward_evaluating(table, numbers, params[place], buffers[place], work, n)
            out = matrix(work, final[Y], n, units)
            if outputs.shape[1] > 0:
                outputs[place, begin : begin + n] = out
            total, right = score(loss, out, labels, values, part, matrix(work, final[DY], n, units))
            loss_sum += total
            right_sum += right
        results[place, 0] = loss_sum / rows.size
        results[place, 1] = right_sum / rows.size
