"""Forward and backward passes of a whole network, read from the layer table, for one member."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

from ceteris.draws.compiled import fill_words, fill_words_by_column
from ceteris.train.cpu.activations import activate_backward, activate_forward
from ceteris.train.cpu.layers import (
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
            x, y = part(work, row[X], size), part(work, row[Y], size)
            activate_backward(row[VARIANT], x, y, part(work, row[DY], size), part(work, row[DX], size))
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
