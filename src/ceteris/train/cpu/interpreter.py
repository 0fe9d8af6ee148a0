"""The compiled loop: reads the layer table and trains or evaluates members, many steps a call.

One member after another does all steps of a call, so its weights, optimiser state and the shared
workspace stay in the processor's cache; there is no Python between steps. Members never meet: what
one computes cannot depend on which others are in the stack.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import numpy as np

from ceteris.draws.compiled import fill_words, fill_words_by_column
from ceteris.train.cpu.layers import (
    activate_backward,
    activate_forward,
    add_bias,
    drop_forward,
    kernel,
    linear_backward,
    linear_backward_rows,
    linear_forward,
    linear_forward_rows,
    norm_backward,
    norm_evaluate,
    norm_forward,
    unit_sums,
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
    BY_ROW,
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
def part(vector, offset, size):
    """View part of a vector."""
    return vector[offset : offset + size]


@kernel
def gather(x, rows, out):
    """Copy the numbered rows of x (N, f) into ``out`` (b, f)."""
    for i in range(rows.size):
        out[i] = x[rows[i]]


@kernel
def run_linear(row, param, work, n):
    """Run a linear layer forward on ``n`` rows."""
    units = row[N_OUT]
    weight = matrix(param, row[WEIGHT], units, row[N_IN])
    y = matrix(work, row[Y], units, n)
    if row[BY_ROW]:
        linear_forward_rows(matrix(work, row[X], n, row[N_IN]), weight, y)
    else:
        linear_forward(matrix(work, row[X], row[N_IN], n), weight, y)
    if row[BIAS] >= 0:
        add_bias(y, part(param, row[BIAS], units))


@kernel
def run_activation(row, work, n):
    """Run an activation forward on ``n`` rows."""
    size = n * row[N_OUT]
    activate_forward(row[VARIANT], part(work, row[X], size), part(work, row[Y], size))


@kernel
def forward(table, numbers, param, buffers, work, words, rates, keys, n, epoch, first_row):
    """Run a batch of ``n`` rows forward in training mode; the inputs stand at the table's first X."""
    for index in range(table.shape[0]):
        row = table[index]
        units = row[N_OUT]
        size = n * units
        if row[KIND] == LINEAR:
            run_linear(row, param, work, n)
        elif row[KIND] == ACTIVATE:
            run_activation(row, work, n)
        elif row[KIND] == DROP:
            slot = row[VARIANT]
            x, y = part(work, row[X], size), part(work, row[Y], size)
            if rates[slot] == 0.0:
                y[:] = x
            else:
                own = part(words, row[WORDS], size)
                if row[BY_ROW]:
                    fill_words(own.reshape(n, units), keys[slot, 0], keys[slot, 1], epoch, first_row)
                else:
                    fill_words_by_column(
                        own.reshape(units, n), keys[slot, 0], keys[slot, 1], epoch, first_row
                    )
                drop_forward(rates[slot], own, x, y)
        elif row[KIND] == BATCH_NORM:
            norm_forward(
                matrix(work, row[X], units, n),
                part(param, row[WEIGHT], units),
                part(param, row[BIAS], units),
                numbers[index, 0],
                numbers[index, 1],
                part(buffers, row[MEAN], units),
                part(buffers, row[VARIANCE], units),
                matrix(work, row[Y], units, n),
                matrix(work, row[EXTRA], units, n),
                part(work, row[EXTRA] + size, units),
            )


@kernel
def forward_evaluating(table, numbers, param, buffers, work, n):
    """Run a batch of ``n`` rows forward in evaluation mode: no dropout, running statistics."""
    for index in range(table.shape[0]):
        row = table[index]
        units = row[N_OUT]
        if row[KIND] == LINEAR:
            run_linear(row, param, work, n)
        elif row[KIND] == ACTIVATE:
            run_activation(row, work, n)
        elif row[KIND] == DROP:
            part(work, row[Y], n * units)[:] = part(work, row[X], n * units)
        elif row[KIND] == BATCH_NORM:
            norm_evaluate(
                matrix(work, row[X], units, n),
                part(param, row[WEIGHT], units),
                part(param, row[BIAS], units),
                numbers[index, 0],
                part(buffers, row[MEAN], units),
                part(buffers, row[VARIANCE], units),
                matrix(work, row[Y], units, n),
            )


@kernel
def backward(table, param, grad, work, words, rates, n):
    """Run a batch backward from the last DY to the first layer; fills ``grad`` (P,)."""
    for index in range(table.shape[0] - 1, -1, -1):
        row = table[index]
        units = row[N_OUT]
        size = n * units
        dy = matrix(work, row[DY], units, n)
        if row[KIND] == LINEAR:
            grad_weight = matrix(grad, row[WEIGHT], units, row[N_IN])
            if row[BIAS] >= 0:
                unit_sums(dy, part(grad, row[BIAS], units))
            if row[BY_ROW]:
                linear_backward_rows(matrix(work, row[X], n, row[N_IN]), dy, grad_weight)
                break  # only the gathered inputs lie before it
            weight = matrix(param, row[WEIGHT], units, row[N_IN])
            x = matrix(work, row[X], row[N_IN], n)
            linear_backward(x, weight, dy, grad_weight, matrix(work, row[DX], row[N_IN], n))
        elif row[KIND] == ACTIVATE:
            flat, dx = part(work, row[DY], size), part(work, row[DX], size)
            activate_backward(row[VARIANT], part(work, row[Y], size), flat, dx)
        elif row[KIND] == DROP:
            slot = row[VARIANT]
            flat, dx = part(work, row[DY], size), part(work, row[DX], size)
            if rates[slot] == 0.0:
                dx[:] = flat
            else:
                drop_forward(rates[slot], part(words, row[WORDS], size), flat, dx)
        elif row[KIND] == BATCH_NORM:
            norm_backward(
                dy,
                part(param, row[WEIGHT], units),
                matrix(work, row[EXTRA], units, n),
                part(work, row[EXTRA] + size, units),
                part(grad, row[WEIGHT], units),
                part(grad, row[BIAS], units),
                matrix(work, row[DX], units, n),
            )


@kernel
def transpose(source, out):
    """Copy a small matrix (a, b) to its transpose (b, a)."""
    for i in range(source.shape[0]):
        for j in range(source.shape[1]):
            out[j, i] = source[i, j]


@kernel
def score_rows(loss, outputs, labels, values, rows, gradient):
    """Return the summed loss and the right answers of a batch (n, k); fills ``gradient`` (n, k)."""
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
def score(loss, final, work, labels, values, rows):
    """Score the outputs of the final layer; leaves them row by row at its EXTRA, and fills its DY.

    Returns:
        The summed loss and the right answers of the batch.
    """
    n, units = rows.size, final[N_OUT]
    outputs = matrix(work, final[EXTRA], n, units)
    gradient = matrix(work, final[EXTRA] + n * units, n, units)
    transpose(matrix(work, final[Y], units, n), outputs)
    total, right = score_rows(loss, outputs, labels, values, rows, gradient)
    transpose(gradient, matrix(work, final[DY], units, n))
    return total, right


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
            total, right = score(loss, final, work, labels, values, rows)
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
    for place in members:
        loss_sum = 0.0
        right_sum = 0
        for begin in range(0, rows.size, chunk):
            own = rows[begin : min(begin + chunk, rows.size)]
            n = own.size
            gather(x, own, matrix(work, table[0, X], n, n_in))
            forward_evaluating(table, numbers, params[place], buffers[place], work, n)
            total, right = score(loss, final, work, labels, values, own)
            if outputs.shape[1] > 0:
                outputs[place, begin : begin + n] = matrix(work, final[EXTRA], n, final[N_OUT])
            loss_sum += total
            right_sum += right
        results[place, 0] = loss_sum / rows.size
        results[place, 1] = right_sum / rows.size
