"""Probes of the compiled engine: norms by tensor, and the moments of activations and their gradients."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ceteris.train.cpu.decorators import kernel
from ceteris.train.cpu.passes import forward_evaluating, gather
from ceteris.train.cpu.sums import (
    BLOCK,
    copy,
    distance_and_squares,
    squared_distance,
    unit_statistics,
    variance,
)
from ceteris.train.cpu.table import DY, N_IN, N_OUT, X, Y
from ceteris.train.cpu.updates import update_stretch
from ceteris.train.cpu.views import matrix, part
from ceteris.train.probes import ALIVE, DEAD, MEAN_ACTIVATION, N_ACTIVATION, VARIANCE, ZEROS, noise_every

if TYPE_CHECKING:
    from ceteris.train.engine import StackSpec

__all__ = [
    "N_ACTIVATION",
    "Probed",
    "begin_probes",
    "new_probes",
    "probe_activations",
    "probe_gradients",
    "probe_noise",
    "update_probed",
]


class Probed(NamedTuple):
    """What is gathered at the steps at which gradients are measured, and where activations stand.

    ``hidden`` (L,) rows of the layer table; ``norms`` and ``updates`` (M, T) sums of the tensors' gradient
    norms and relative updates; ``variances`` (M, L, 2) sums of the variances of activations and of the
    gradients at them; ``before`` (BLOCK,) takes parameters before they are updated. Where layers are not
    probed, L, T and BLOCK are 0.
    ``previous`` (M, P) the gradients of the steps ``kept`` (M,), ``spreads`` (M, T) sums of half the squared
    distances from them to the gradients of the steps after, of ``pairs`` (M,) of steps; a gradient is kept at
    every so manieth step (``every``). Where the noise is not measured, P is 0 in ``previous``.
    """

    hidden: Any
    norms: Any
    updates: Any
    variances: Any
    before: Any
    previous: Any
    spreads: Any
    pairs: Any
    kept: Any
    every: Any


def new_probes(spec: StackSpec, hidden: NDArray[np.int64], parameters: NDArray[np.floating]) -> Probed:
    """Return room for what is gathered of a stack: parameters (M, P), rows of its hidden layers (L,)."""
    members, tensors, size = len(parameters), len(spec.net.parameters), parameters.shape[1]
    hidden = hidden if spec.layers else hidden[:0]
    of_each = (members, tensors if spec.layers else 0)
    return Probed(
        hidden,
        np.zeros(of_each),
        np.zeros(of_each),
        np.zeros((members, len(hidden), 2)),
        np.zeros(BLOCK if spec.layers else 0, parameters.dtype),
        np.zeros((members, size if spec.gradient_noise else 0), parameters.dtype),
        np.zeros((members, tensors)),
        np.zeros(members),
        np.full(members, -1),
        noise_every(spec.steps),
    )


def begin_probes(probed: Probed) -> None:
    """Forget what was gathered in the epoch before."""
    for gathered in (probed.norms, probed.updates, probed.variances, probed.spreads, probed.pairs):
        gathered[:] = 0
    probed.kept[:] = -1


@kernel
def probe_gradients(table, probed, place, work, n):
    """Add the variances of activations and of the gradients at them, after the backward pass of n rows."""
    for index in range(probed.hidden.size):
        row = table[probed.hidden[index]]
        size = n * row[N_OUT]
        probed.variances[place, index, 0] += variance(part(work, row[Y], size))
        probed.variances[place, index, 1] += variance(part(work, row[DY], size))


@kernel
def update_probed(family, step, hyper, tensors, param, grad, slots, before, out):
    """``updates.update``; adds every tensor's change, relative to the tensor after it, to ``out`` (T,).

    A block is kept in ``before``, updated and compared while it is in the cache, so the vectors are read from
    memory once. ``tensors`` (T, 3); ``before`` (BLOCK,), overwritten.
    """
    for index in range(tensors.shape[0]):
        own = hyper[tensors[index, 2]]
        moved, size = 0.0, 0.0
        for begin in range(tensors[index, 0], tensors[index, 1], BLOCK):
            end = min(begin + BLOCK, tensors[index, 1])
            kept = before[: end - begin]
            copy(param[begin:end], kept)
            update_stretch(family, step, own, begin, end, param, grad, slots)
            distance, squares = distance_and_squares(param[begin:end], kept)
            moved += distance
            size += squares
        if moved != 0.0:
            out[index] += np.sqrt(moved) / np.sqrt(size)


@kernel
def probe_noise(tensors, probed, place, step, grad):
    """Compare a member's gradient (P,) with that of the step before, where that was kept; perhaps keep it.

    ``tensors`` (T, 3) begin, end, group of every parameter; ``step`` counts from the beginning of the epoch.
    """
    previous = probed.previous[place]
    if step > 0 and probed.kept[place] == step - 1:
        probed.pairs[place] += 1.0
        for index in range(tensors.shape[0]):
            begin, end = tensors[index, 0], tensors[index, 1]
            distance = squared_distance(grad[begin:end], previous[begin:end])
            probed.spreads[place, index] += 0.5 * distance
    if step % probed.every == 0:
        copy(grad, previous)
        probed.kept[place] = step


@kernel
def probe_activations(net, stack, hidden, data, places, rows, work, results):
    """Measure the activations of members of one stream on the numbered rows, in evaluation mode.

    Args:
        net, stack, data: as for ``interpreter.evaluate``; hidden: (L,) rows of the layer table.
        rows: (n,) row numbers, no more than the workspace ``work`` holds at once.
        results: (M, L, N_ACTIVATION) float64 receives the mean, the variance and the shares of zeros and
            dead units.
    """
    if hidden.size == 0:
        return
    # What lies behind the last hidden layer is not run.
    table, n = net.table[: hidden[-1] + 1], rows.size
    gather(data.x, rows, matrix(work, table[0, X], n, table[0, N_IN]))
    for place in places:
        forward_evaluating(table, net.numbers, stack.params[place], stack.buffers[place], work, n)
        for index in range(hidden.size):
            row, found = table[hidden[index]], results[place, index]
            units = row[N_OUT]
            total, squares, zeros, dead = 0.0, 0.0, 0.0, 0.0
            lines = matrix(work, row[Y], units, n)
            for unit in range(units):
                sum_of_unit, squares_of_unit, zeros_of_unit, near = unit_statistics(lines[unit], ALIVE)
                total += sum_of_unit
                squares += squares_of_unit
                zeros += zeros_of_unit
                dead += 1.0 if near == n else 0.0
            mean = total / (units * n)
            found[MEAN_ACTIVATION] = mean
            found[VARIANCE] = max(squares / (units * n) - mean * mean, 0.0)
            found[ZEROS] = zeros / (units * n)
            found[DEAD] = dead / units
