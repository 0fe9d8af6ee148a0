"""Networks of one linear layer: the members that read a batch share its products.

Such a layer has few outputs, and most of a product for one member is spent on reading the rows. So the
weights of several members stand below one another as the lines of one matrix. A number of a product has the
same bits whatever stands beside it (``tiled``), so members stay independent of each other.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import numpy as np

from ceteris.train.cpu.batches import fetch, score, transpose
from ceteris.train.cpu.decorators import kernel
from ceteris.train.cpu.layers import unit_sums
from ceteris.train.cpu.linear import TILED
from ceteris.train.cpu.steps import LOSS, RIGHT, ROWS, members_in_cache, take_step
from ceteris.train.cpu.sums import copy
from ceteris.train.cpu.table import BIAS, DY, LINES, LINES_AT, N_IN, N_OUT, WEIGHT, X, Y
from ceteris.train.cpu.team import name_member
from ceteris.train.cpu.tiled import PLAIN, TRANSPOSED, multiply
from ceteris.train.cpu.views import matrix, part


@kernel
def shares_products(table):
    """Tell whether a network is one linear layer whose products its members share."""
    return TILED and table.shape[0] == 1 and table[0, LINES_AT] >= 0


@kernel
def places_of_lines(row, n):
    """Return where weights, outputs, their slopes and gradients of members stand in the workspace."""
    weights, gradients = row[LINES_AT], row[LINES_AT] + LINES * row[N_IN]
    outputs = gradients + LINES * row[N_IN]
    return weights, outputs, outputs + LINES * n, gradients


@kernel
def outputs_together(row, params, places, work, n):
    """Compute the outputs of members on the ``n`` rows that were fetched, without their biases."""
    units, width = row[N_OUT], row[N_IN]
    weights, outputs, _, _ = places_of_lines(row, n)
    size = units * width
    for nth in range(places.size):
        copy(part(params[places[nth]], row[WEIGHT], size), part(work, weights + nth * size, size))
    lines = units * places.size
    multiply(
        lines, n, width, work, weights, width, PLAIN, work, row[X], width, TRANSPOSED, False, work, outputs, n
    )


@kernel
def take_outputs(row, param, nth, work, n):
    """Copy the outputs of the ``nth`` member to where a layer leaves them, with its bias."""
    units = row[N_OUT]
    outputs = places_of_lines(row, n)[1]
    for unit in range(units):
        found, y = part(work, outputs + (nth * units + unit) * n, n), part(work, row[Y] + unit * n, n)
        bias = param[row[BIAS] + unit] if row[BIAS] >= 0 else param.dtype.type(0)
        for place in range(n):
            y[place] = found[place] + bias


@kernel
def train_together(
    net,
    stack,
    rules,
    data,
    places,
    order,
    batch,
    first,
    last,
    steps_before,
    space,
    totals,
    diverged,
    probed,
    team,
):
    """Do ``interpreter.train_steps`` for a network of one linear layer, a batch a step."""
    row, work, grad = net.table[0], space.work, space.grad
    units, width = row[N_OUT], row[N_IN]
    together = min(members_in_cache(stack), LINES // units)
    chosen = space.places
    for begin in range(0, places.size, together):
        for step in range(first, last):
            alive = 0
            for place in places[begin : min(begin + together, places.size)]:
                if diverged[place] < 0:
                    chosen[alive] = place
                    alive += 1
            if alive == 0:
                break
            rows = order[step * batch : min((step + 1) * batch, order.size)]
            n, done = rows.size, steps_before + step
            fetch(data, rows, net.table, space)
            _, _, slopes, gradients = places_of_lines(row, n)
            outputs_together(row, stack.params, chosen[:alive], work, n)
            for nth in range(alive):
                place = chosen[nth]
                take_outputs(row, stack.params[place], nth, work, n)
                smoothing, weights, beta = (
                    rules.smoothing[place],
                    rules.class_weights[place],
                    rules.beta[place],
                )
                total, right = score(rules.losses[place], smoothing, weights, beta, row, space, data, rows)
                copy(part(work, row[DY], units * n), part(work, slopes + nth * units * n, units * n))
                if np.isfinite(total):
                    totals[place, LOSS] += total
                    totals[place, RIGHT] += right
                    totals[place, ROWS] += n
                else:
                    diverged[place] = done
            lines = units * alive
            multiply(
                lines,
                width,
                n,
                work,
                slopes,
                n,
                PLAIN,
                work,
                row[X],
                width,
                PLAIN,
                False,
                work,
                gradients,
                width,
            )
            for nth in range(alive):
                if diverged[chosen[nth]] < 0:
                    name_member(team, chosen[nth], done)
                    size = units * width
                    copy(part(work, gradients + nth * size, size), part(grad, row[WEIGHT], size))
                    if row[BIAS] >= 0:
                        own = matrix(work, slopes + nth * units * n, units, n)
                        unit_sums(own, part(grad, row[BIAS], units))
                    take_step(net, stack, rules, chosen[nth], step, done, grad, totals, probed, team)


@kernel
def evaluate_together(net, stack, loss, rules, data, places, rows, begin, space, outputs, parts):
    """Evaluate members with one linear layer on a chunk of rows, which stand from ``begin`` on.

    Fills ``parts`` (M, 2) with each one's summed loss and right answers; see ``evaluation.evaluate``.
    """
    row, work, n = net.table[0], space.work, rows.size
    together = LINES // row[N_OUT]
    fetch(data, rows, net.table, space)
    for first in range(0, places.size, together):
        own = places[first : min(first + together, places.size)]
        outputs_together(row, stack.params, own, work, n)
        for nth in range(own.size):
            place = own[nth]
            take_outputs(row, stack.params[place], nth, work, n)
            if outputs.shape[1] > 0:
                transpose(matrix(work, row[Y], row[N_OUT], n), outputs[place, begin : begin + n])
            class_weights, beta = rules.class_weights[place], rules.beta[place]
            total, right = score(loss, 0.0, class_weights, beta, row, space, data, rows)
            parts[place, 0] = total
            parts[place, 1] = right
