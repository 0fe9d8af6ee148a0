"""What is measured of single parameters and layers while training, and by which names it is recorded.

A gradient is probed at the steps at which its norm is measured (``GRADIENT_EVERY``) and averaged over an
epoch; activations are probed in evaluation mode when it has ended, on a fixed part of the training rows (or
of the validation rows, where that is asked for).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ceteris.nets.architecture import Architecture
from ceteris.nets.hidden import hidden_layers
from ceteris.spec.probes import GRADIENT_NOISE

PROBE_ROWS = 256
"""At most so many rows are run to measure activations; no more than are evaluated at once."""

ALIVE = 1e-5
"""A unit is dead where none of its activations on these rows is further from 0 than this."""

NOISE_PAIRS = 100
"""Where an epoch has more steps, the noise is measured at this many pairs of them at least, evenly spaced."""

MEAN_ACTIVATION, VARIANCE, ZEROS, DEAD = range(4)
N_ACTIVATION = 4

Columns = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class GradientProbes:
    """Means over the measured steps since an epoch began, for M members, T tensors and L hidden layers.

    ``norms`` (M, T): norms of the tensors' gradients before clipping, with the penalty's.
    ``updates`` (M, T): size of the step over the size of the tensor after it (a bias may begin at 0).
    ``variances`` (M, L, 2): variances over rows and units, of the activations in training mode and of the
    gradient of the batch's mean loss with respect to them; None where an engine cannot see it.
    ``noise`` (M, T): half the mean squared distance of the loss's gradients at pairs of adjacent steps; None
    where it was not asked for. Where layers are not probed, the others mean nothing.
    """

    norms: NDArray[np.float64]
    updates: NDArray[np.float64]
    variances: NDArray[np.float64] | None
    noise: NDArray[np.float64] | None = None


def probe_rows(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose the rows on which activations are measured, evenly spaced among rows (n,)."""
    stride = -(-len(rows) // PROBE_ROWS)
    return np.ascontiguousarray(rows[:: max(stride, 1)])


def noise_measurements(net: Architecture, probes: GradientProbes) -> Columns:
    """The variance of the gradient between the steps of an epoch: in total, and of every tensor."""
    if probes.noise is None:
        return {}
    columns = {f"{GRADIENT_NOISE}/{t.name}": probes.noise[:, place] for place, t in enumerate(net.parameters)}
    return {GRADIENT_NOISE: probes.noise.sum(axis=1)} | columns


def noise_every(steps: int) -> int:
    """Return at which steps of an epoch of so many a pair begins: the first and every so manieth."""
    return max(1, steps // NOISE_PAIRS)


def pair_at(step: int, every: int) -> tuple[bool, bool]:
    """Tell whether a pair of steps begins at a step of the epoch, and whether one ends there."""
    return step % every == 0, step > 0 and (step - 1) % every == 0


def step_variances(spreads: NDArray[np.float64], pairs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return variances (M, T) from sums of half the squared distances (M, T) of pairs (M,) of steps."""
    return np.where(pairs[:, None] > 0, spreads / np.maximum(pairs, 1)[:, None], np.nan)


def gradient_measurements(net: Architecture, probes: GradientProbes) -> Columns:
    """The gradient norms and relative updates of tensors, and the gradient at the activations of layers."""
    columns: Columns = {}
    for place, tensor in enumerate(net.parameters):
        columns[f"grad_norm/{tensor.name}"] = probes.norms[:, place]
        columns[f"update_ratio/{tensor.name}"] = probes.updates[:, place]
    if probes.variances is not None:
        for place, layer in enumerate(hidden_layers(net)):
            columns[f"activation_grad_var/{layer}"] = probes.variances[:, place, 1]
    return columns


def start_measurements(net: Architecture, probes: GradientProbes) -> Columns:
    """The variances that the very first batch met, recorded at every epoch: before anything was learned."""
    columns: Columns = {}
    if probes.variances is not None:
        for place, layer in enumerate(hidden_layers(net)):
            columns[f"start_activation_var/{layer}"] = probes.variances[:, place, 0]
            columns[f"start_activation_grad_var/{layer}"] = probes.variances[:, place, 1]
    return columns


def activation_measurements(net: Architecture, found: NDArray[np.float64]) -> Columns:
    """The statistics of every hidden layer's activations; found (M, L, N_ACTIVATION)."""
    columns: Columns = {}
    for place, layer in enumerate(hidden_layers(net)):
        columns[f"activation_mean/{layer}"] = found[:, place, MEAN_ACTIVATION]
        columns[f"activation_var/{layer}"] = found[:, place, VARIANCE]
        columns[f"zeros/{layer}"] = found[:, place, ZEROS]
        columns[f"dead/{layer}"] = found[:, place, DEAD]
    return columns
