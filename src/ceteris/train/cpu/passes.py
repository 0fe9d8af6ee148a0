"""Forward and backward passes of a whole network, read from the layer table, for one member."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

from ceteris.draws.compiled import fill_words, fill_words_by_column
from ceteris.train.cpu.activations import activate_backward, activate_forward
from ceteris.train.cpu.decorators import kernel
from ceteris.train.cpu.layers import (
    add_bias,
    add_noise,
    clear_behind,
    drop_forward,
    layer_norm_backward,
    layer_norm_forward,
    norm_backward,
    norm_evaluate,
    norm_forward,
    unit_sums,
)
from ceteris.train.cpu.linear import linear_forward, linear_forward_rows
from ceteris.train.cpu.linear_training import train_backward, train_forward
from ceteris.train.cpu.outputs import add_forward, fork_backward, softmax_backward, softmax_forward
from ceteris.train.cpu.sums import copy
from ceteris.train.cpu.table import (
    ACTIVATE,
    ADD,
    BATCH_NORM,
    BIAS,
    BY_ROW,
    DROP,
    DX,
    DY,
    EXTRA,
    FORK,
    KIND,
    LAYER_NORM,
    LINEAR,
    MASKED,
    MEAN,
    N_IN,
    N_OUT,
    NOISE,
    OTHER,
    OTHER_BY_ROW,
    SOFTMAX,
    VARIANCE,
    VARIANT,
    WEIGHT,
    WORDS,
    X,
    Y,
)
from ceteris.train.cpu.views import matrix, part


@kernel
def gather(x, rows, out):
    """Copy the numbered rows of x (N, f) into ``out`` (b, f)."""
    for i in range(rows.size):
        source, target = x[rows[i]], out[i]
        # An assignment of the whole row is three times as slow: Numba looks for overlaps.
        for j in range(target.size):
            target[j] = source[j]


@kernel
def run_linear(row, param, work, n):
    """Run a linear layer forward on ``n`` rows in evaluation mode."""
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
def masks_weights(row, rates):
    """Tell whether drop-connect masks the weights of a linear layer for this member."""
    return row[MASKED] >= 0 and rates[row[VARIANT]] > 0.0


@kernel
def mask_weights(row, param, work, words, rate, key, done):
    """Write the weights that drop-connect leaves at step ``done`` of the training."""
    units, width = row[N_OUT], row[N_IN]
    own = part(words, row[WORDS], units * width)
    fill_words(matrix(own, 0, units, width), key[0], key[1], done, 0)
    weight, masked = part(param, row[WEIGHT], units * width), part(work, row[MASKED], units * width)
    drop_forward(rate, own, weight, masked)


@kernel
def draw_rows(row, words, key, n, epoch, first_row):
    """Fill the words of a place of dropout or noise, as its activations stand."""
    units = row[N_OUT]
    if row[BY_ROW]:
        fill_words(matrix(words, row[WORDS], n, units), key[0], key[1], epoch, first_row)
    else:
        fill_words_by_column(matrix(words, row[WORDS], units, n), key[0], key[1], epoch, first_row)


@kernel
def run_noise(row, deviation, columns, work, words, n):
    """Add noise to ``n`` rows in training; of inputs to their own columns alone."""
    units = row[N_OUT]
    size = n * units
    add_noise(deviation, part(words, row[WORDS], size), part(work, row[X], size), part(work, row[Y], size))
    if row[BY_ROW] and columns < units:
        clear_behind(columns, matrix(work, row[Y], n, units))


@kernel
def run_layer_norm(row, eps, param, work, n):
    """Run layer normalisation forward; keeps the normalised inputs and inverse deviations."""
    units = row[N_OUT]
    extra = row[EXTRA]
    layer_norm_forward(
        matrix(work, row[X], units, n),
        part(param, row[WEIGHT], units),
        part(param, row[BIAS], units),
        eps,
        matrix(work, row[Y], units, n),
        matrix(work, extra, units, n),
        part(work, extra + units * n, n),
    )


@kernel
def run_activation(row, work, n):
    """Run an activation forward on ``n`` rows."""
    size = n * row[N_OUT]
    activate_forward(row[VARIANT], part(work, row[X], size), part(work, row[Y], size))


@kernel
def run_joint(row, work, n):
    """Run a layer forward that joins activations: softmax over units, or a residual sum."""
    units = row[N_OUT]
    size = n * units
    if row[KIND] == ADD:
        by_row = units if row[OTHER_BY_ROW] else 0
        add_forward(part(work, row[X], size), part(work, row[OTHER], size), by_row, part(work, row[Y], size))
        return
    x, y = matrix(work, row[X], units, n), matrix(work, row[Y], units, n)
    softmax_forward(row[VARIANT], x, y, part(work, row[EXTRA], n), part(work, row[EXTRA] + n, n))


@kernel
def run_joint_backward(row, work, n):
    """Run softmax, a residual sum or the fork before it backward on ``n`` rows."""
    units = row[N_OUT]
    size = n * units
    dy, dx = part(work, row[DY], size), part(work, row[DX], size)
    if row[KIND] == ADD:
        copy(dy, dx)
    elif row[KIND] == FORK:
        fork_backward(dy, part(work, row[OTHER], size), dx)
    else:
        y, own = matrix(work, row[Y], units, n), matrix(work, row[DY], units, n)
        total = part(work, row[EXTRA], n)
        softmax_backward(row[VARIANT], y, own, matrix(work, row[DX], units, n), total)


@kernel
def forward(
    table, numbers, param, buffers, work, words, rates, keys, columns, n, epoch, first_row, done, team
):
    """Run a batch of ``n`` rows forward in training mode; the inputs stand at the table's first X.

    Rows have so many ``columns``, and zeros behind them.
    """
    for index in range(table.shape[0]):
        row = table[index]
        units = row[N_OUT]
        size = n * units
        if row[KIND] == LINEAR:
            masked = masks_weights(row, rates)
            if masked:
                slot = row[VARIANT]
                mask_weights(row, param, work, words, rates[slot], keys[slot], done)
            train_forward(row, index, team, param, work, n, masked)
        elif row[KIND] == ACTIVATE:
            run_activation(row, work, n)
        elif row[KIND] == DROP or row[KIND] == NOISE:
            slot = row[VARIANT]
            x, y = part(work, row[X], size), part(work, row[Y], size)
            if rates[slot] == 0.0:
                copy(x, y)
            else:
                draw_rows(row, words, keys[slot], n, epoch, first_row)
                if row[KIND] == DROP:
                    drop_forward(rates[slot], part(words, row[WORDS], size), x, y)
                else:
                    run_noise(row, rates[slot], columns, work, words, n)
        elif row[KIND] == LAYER_NORM:
            run_layer_norm(row, numbers[index, 0], param, work, n)
        elif row[KIND] == BATCH_NORM:
            norm_forward(
                matrix(work, row[X], units, n),
                part(param, row[WEIGHT], units),
                part(param, row[BIAS], units),
                numbers[index],
                part(buffers, row[MEAN], units),
                part(buffers, row[VARIANCE], units),
                matrix(work, row[Y], units, n),
                matrix(work, row[EXTRA], units, n),
                part(work, row[EXTRA] + size, units),
                part(work, row[EXTRA] + size + units, units),
            )
        elif row[KIND] == SOFTMAX or row[KIND] == ADD:
            run_joint(row, work, n)


@kernel
def forward_evaluating(table, numbers, param, buffers, work, n):
    """Run a batch of ``n`` rows forward in evaluation mode: nothing is drawn, running statistics."""
    for index in range(table.shape[0]):
        row = table[index]
        units = row[N_OUT]
        if row[KIND] == LINEAR:
            run_linear(row, param, work, n)
        elif row[KIND] == ACTIVATE:
            run_activation(row, work, n)
        elif row[KIND] == LAYER_NORM:
            run_layer_norm(row, numbers[index, 0], param, work, n)
        elif row[KIND] == DROP or row[KIND] == NOISE:
            copy(part(work, row[X], n * units), part(work, row[Y], n * units))
        elif row[KIND] == BATCH_NORM:
            norm_evaluate(
                matrix(work, row[X], units, n),
                part(param, row[WEIGHT], units),
                part(param, row[BIAS], units),
                numbers[index],
                part(buffers, row[MEAN], units),
                part(buffers, row[VARIANCE], units),
                matrix(work, row[Y], units, n),
            )
        elif row[KIND] == SOFTMAX or row[KIND] == ADD:
            run_joint(row, work, n)


@kernel
def run_linear_backward(row, index, team, param, grad, work, words, rates, n):
    """Run a linear layer backward on ``n`` rows; gathered inputs need no gradient."""
    units, width = row[N_OUT], row[N_IN]
    dy = matrix(work, row[DY], units, n)
    if row[BIAS] >= 0:
        unit_sums(dy, part(grad, row[BIAS], units))
    masked = masks_weights(row, rates)
    train_backward(row, index, team, param, grad, work, n, masked)
    if masked:
        numbers = part(grad, row[WEIGHT], units * width)
        drop_forward(rates[row[VARIANT]], part(words, row[WORDS], units * width), numbers, numbers)


@kernel
def backward(table, param, grad, work, words, rates, n, team):
    """Run a batch backward from the last DY to the first layer; fills ``grad`` (P,)."""
    for index in range(table.shape[0] - 1, -1, -1):
        row = table[index]
        units = row[N_OUT]
        size = n * units
        dy = matrix(work, row[DY], units, n)
        if row[KIND] == LINEAR:
            run_linear_backward(row, index, team, param, grad, work, words, rates, n)
            if row[BY_ROW]:
                break  # only the gathered inputs lie before it
        elif row[KIND] == ACTIVATE:
            x, y = part(work, row[X], size), part(work, row[Y], size)
            activate_backward(row[VARIANT], x, y, part(work, row[DY], size), part(work, row[DX], size))
        elif row[KIND] == DROP or row[KIND] == NOISE:
            slot = row[VARIANT]
            flat, dx = part(work, row[DY], size), part(work, row[DX], size)
            if rates[slot] == 0.0 or row[KIND] == NOISE:
                copy(flat, dx)
            else:
                drop_forward(rates[slot], part(words, row[WORDS], size), flat, dx)
        elif row[KIND] == BATCH_NORM:
            norm_backward(
                dy,
                part(param, row[WEIGHT], units),
                matrix(work, row[EXTRA], units, n),
                part(work, row[EXTRA] + size, units),
                part(work, row[EXTRA] + size + units, units),
                part(grad, row[WEIGHT], units),
                part(grad, row[BIAS], units),
                matrix(work, row[DX], units, n),
            )
        elif row[KIND] == SOFTMAX or row[KIND] == ADD or row[KIND] == FORK:
            run_joint_backward(row, work, n)
        elif row[KIND] == LAYER_NORM:
            extra = row[EXTRA]
            layer_norm_backward(
                dy,
                part(param, row[WEIGHT], units),
                matrix(work, extra, units, n),
                part(work, extra + size, n),
                part(grad, row[WEIGHT], units),
                part(grad, row[BIAS], units),
                matrix(work, row[DX], units, n),
                part(work, extra + size + n, n),
                part(work, extra + size + 2 * n, n),
            )
