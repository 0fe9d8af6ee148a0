"""The compiled loop: trains members, many steps a call.

As many members as the cache holds with their optimiser state do a step in turn, before all go on to the
next: so the rows of a step are fetched once for small networks, and a large one keeps its weights in the
cache by doing all steps of a call alone. There is no Python between steps. Members never meet: what one
computes cannot depend on which others are in the stack, nor on the order in which they are visited.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ceteris.train.cpu.batches import fetch, score
from ceteris.train.cpu.decorators import kernel
from ceteris.train.cpu.one_layer import shares_products, train_together
from ceteris.train.cpu.passes import backward, forward
from ceteris.train.cpu.probes import probe_gradients
from ceteris.train.cpu.steps import LOSS, RIGHT, ROWS, members_in_cache, take_step
from ceteris.train.cpu.team import name_member
from ceteris.train.engine import GRADIENT_EVERY


class Network(NamedTuple):
    """A network as the kernels read it (``layer_table``), with its parameter tensors.

    ``tensors`` (n, 3) and ``segments`` (n, 3): see ``ceteris.train.hyper``.
    """

    table: Any
    numbers: Any
    tensors: Any
    segments: Any


class Members(NamedTuple):
    """The stack: ``params`` (M, P) and ``buffers`` (M, Q) are updated in place; ``slots`` (M, S, P).

    ``columns`` (M,): how many columns rows have; zeros stand behind them.
    """

    params: Any
    buffers: Any
    slots: Any
    rates: Any
    keys: Any
    columns: Any


class Rules(NamedTuple):
    """How members are trained: the optimiser's ``family``, and a vector per member of everything else.

    ``losses`` (M,); ``smoothing`` (M,); ``class_weights`` (M, c); ``beta`` (M,); ``terms`` (M, k, SIZES + n)
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
    """Workspaces, overwritten: activations, labels of a batch, words behind masks, the gradient (P,).

    ``sum`` (P,) takes the gradients of several batches; it is empty where a step has but one. ``places``
    (M,) takes those of members that do a step together.
    """

    work: Any
    labels: Any
    places: Any
    words: Any
    grad: Any
    sum: Any


@kernel
def train_steps(
    net,
    stack,
    rules,
    data,
    places,
    order,
    batch,
    accumulate,
    epoch,
    first,
    last,
    steps_before,
    space,
    totals,
    diverged,
    probed,
    team,
):
    """Train members of one stream for the steps ``first`` to ``last`` (exclusive) of an epoch.

    Args:
        net, stack, rules, data, space: see ``Network``, ``Members``, ``Rules``, ``Rows``, ``Space``.
        places: (m,) places of the members in the stack.
        order: (n,) row numbers in the order of this epoch.
        batch: rows a batch; the last may have fewer. accumulate: batches a step; the last may have fewer.
        epoch: number of the epoch, counted from 0; steps_before: steps of the epochs before it.
        totals: (M, N_TOTALS) float64, added to.
        diverged: (M,) int64, -1 or the step at which the loss left the finite numbers.
        probed: see ``probes.Probed``; added to at the steps at which the gradient is measured.
        team: the numbers by which threads share the work on large networks (``team``).
    """
    if accumulate == 1 and shares_products(net.table):
        train_together(
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
        )
        return
    together = members_in_cache(stack)
    for begin in range(0, places.size, together):
        own = places[begin : min(begin + together, places.size)]
        for step in range(first, last):
            size = batch * accumulate
            rows = order[step * size : min((step + 1) * size, order.size)]
            if rows.size <= batch:
                fetch(data, rows, net.table, space)
            for place in own:
                if diverged[place] < 0:
                    done = steps_before + step
                    train_step(
                        net,
                        stack,
                        rules,
                        data,
                        rows,
                        place,
                        epoch,
                        step,
                        batch,
                        accumulate,
                        done,
                        space,
                        totals,
                        diverged,
                        probed,
                        team,
                    )


@kernel
def train_step(
    net,
    stack,
    rules,
    data,
    rows,
    place,
    epoch,
    step,
    batch,
    accumulate,
    done,
    space,
    totals,
    diverged,
    probed,
    team,
):
    """Do one step of the member at ``place``; arguments as in ``train_steps``.

    ``rows`` are those of the step: where they are one batch, they were fetched. ``step`` counts from the
    beginning of the epoch, ``done`` from that of the training.
    """
    grad = space.grad
    measured = step % GRADIENT_EVERY == 0
    parts = 0
    name_member(team, place, done)
    for begin in range(0, rows.size, batch):
        own = rows[begin : min(begin + batch, rows.size)]
        if rows.size > batch:
            fetch(data, own, net.table, space)
        first_row, nth = step * batch * accumulate + begin, done * accumulate + parts
        if not batch_gradient(
            net, stack, rules, data, own, place, epoch, first_row, nth, space, totals, team
        ):
            diverged[place] = done
            return
        if measured and parts == 0:
            probe_gradients(net.table, probed, place, space.work, own.size)
        parts += 1
        if rows.size > batch:
            add_gradient(parts, grad, space.sum)
    if parts > 1:
        for i in range(grad.size):
            grad[i] = space.sum[i] / parts
    take_step(net, stack, rules, place, step, done, grad, totals, probed, team)


@kernel
def batch_gradient(net, stack, rules, data, rows, place, epoch, first_row, nth, space, totals, team):
    """Fill the gradient of a member by the rows that were fetched; tells whether the loss is finite.

    ``first_row`` is the position of the first in the epoch's order, ``nth`` counts the batches of the
    training; see ``train_steps`` for the other arguments.
    """
    table, work, n = net.table, space.work, rows.size
    param, rates = stack.params[place], stack.rates[place]
    forward(
        table,
        net.numbers,
        param,
        stack.buffers[place],
        work,
        space.words,
        rates,
        stack.keys[place],
        stack.columns[place],
        n,
        epoch,
        first_row,
        nth,
        team,
    )
    final = table[table.shape[0] - 1]
    loss, smoothing, beta = rules.losses[place], rules.smoothing[place], rules.beta[place]
    total, right = score(loss, smoothing, rules.class_weights[place], beta, final, space, data, rows)
    if not np.isfinite(total):
        return False
    backward(table, param, space.grad, work, space.words, rates, n, team)
    totals[place, LOSS] += total
    totals[place, RIGHT] += right
    totals[place, ROWS] += n
    return True


@kernel
def add_gradient(parts, grad, total):
    """Add a batch's gradient to the total (P,), which the first of the ``parts`` so far replaces."""
    for i in range(grad.size):
        total[i] = grad[i] if parts == 1 else total[i] + grad[i]
