"""How much memory a stack takes on the CPU, predicted from its shapes before anything is trained.

What a process takes before it trains (Python, the libraries, the compiled kernels: 0.3 to 0.5 GB) comes on
top. Of a module of the user's own what autograd keeps was counted when it was looked at; what it makes and
forgets within its forward pass is not seen, and neither is what torch's convolutions take for themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ceteris.data.dataset import Dataset
from ceteris.data.scaling import is_estimated
from ceteris.nets.architecture import Architecture, random_amounts
from ceteris.nets.layers import BatchNorm, Composition, Convolution, Linear, Pool, UserModule
from ceteris.spec.experiment import Experiment
from ceteris.spec.model import ModuleModel
from ceteris.train.cpu.table import (
    BATCH_NORM,
    KIND,
    MASKED,
    N_IN,
    N_OUT,
    NONE,
    TURNED,
    layer_table,
    turned_room,
)
from ceteris.train.engine import EVALUATION_ROWS
from ceteris.train.hyper import state_slots

FLOAT, WORD, DOUBLE = 4, 4, 8
ORDERS = 8
"""Numbers of 8 bytes for each row that a stream reads: splits, an epoch's order, the draws behind it."""
ENDING = 6
"""Copies of one member's parameters while its end is reported: initial and final, their copies, a message."""
MODULE_COPIES = 3
"""Further vectors of parameters that a member of the module engine has: a gradient, and what is measured."""
PREDICTED_WITHIN = 1.5
"""The factor within which predictions are held to what was measured, where a stack takes 50 MB and more."""


@dataclass(frozen=True)
class DataSize:
    """How large the data of a cohort is, whoever trains it."""

    raw: int
    """Bytes of the rows as they were read."""
    rows: int
    features: int
    estimated: frozenset[str | float]
    """Scales that look at the training rows, so that every stream has inputs of its own."""

    def bytes(self, streams: Iterable[tuple[str | float, int, int]]) -> int:
        """Return what the data takes for trials given as (scale, seed, fold)."""
        places = set(streams)
        inputs = {place if place[0] in self.estimated else place[:1] for place in places}
        orders = {place[1:] for place in places}
        prepared = FLOAT * self.rows * self.features * len(inputs)
        return self.raw + prepared + DOUBLE * self.rows * (1 + ORDERS * len(orders))


def data_size(dataset: Dataset, experiments: Iterable[Experiment]) -> DataSize:
    """Return the size of a data set as these experiments read it."""
    scales = {experiment.data.scale for experiment in experiments}
    features = int(np.prod(dataset.x.shape[1:], dtype=np.int64))
    raw = int(dataset.x.nbytes + dataset.y.nbytes)
    estimated = frozenset(scale for scale in scales if is_estimated(dataset, scale))
    return DataSize(raw, len(dataset.x), features, estimated)


def member_bytes(net: Architecture, experiments: Sequence[Experiment], *, as_module: bool) -> int:
    """Return what one more member takes: parameters, optimiser state, initial and best weights, buffers."""
    best = any(experiment.early_stopping.patience is not None for experiment in experiments)
    copies = 2 + best
    noise = any(experiment.probes.gradient_noise for experiment in experiments)  # the gradient before
    vectors = copies + state_slots([e.optimizer for e in experiments]) + MODULE_COPIES * as_module + noise
    return FLOAT * (net.n_parameters * vectors + net.n_buffers * copies)


def workspace_bytes(
    net: Architecture, experiments: Sequence[Experiment], *, as_module: bool, threads: int = 1
) -> int:
    """Return what a stack takes once, however many members it has: activations, masks, one report.

    Every thread that helps to evaluate has activations of its own.
    """
    reports, batch_size = FLOAT * ENDING * net.n_parameters, experiments[0].batch_size
    if as_module and any(isinstance(layer, UserModule | Composition) for layer in net.layers):
        # With gradients a batch counts twice; measuring layers in double precision is not overlaid by that.
        return reports + FLOAT * activations(net) * (2 * batch_size + EVALUATION_ROWS)
    if as_module:
        return reports + FLOAT * activations(net) * max(2 * batch_size, EVALUATION_ROWS)
    models = [e.model for e in experiments if not isinstance(e.model, ModuleModel)]
    used = np.asarray(np.array([random_amounts(m) for m in models]).any(axis=0), dtype=np.bool_)
    rows = max(batch_size, EVALUATION_ROWS)
    table = layer_table(net, rows, used)
    # A workspace has room for more than most layers write, which the system does not give before it is used.
    layers = table.rows
    outputs = layers[:, N_OUT].sum() + layers[layers[:, KIND] == BATCH_NORM, N_OUT].sum()
    masked = layers[layers[:, MASKED] != NONE]
    turned = layers[layers[:, TURNED] != NONE, N_IN]
    copies = sum(turned_room(batch_size, int(width)) for width in turned)
    numbers = copies + rows * (net.n_in + 2 * int(outputs)) + int((masked[:, N_IN] * masked[:, N_OUT]).sum())
    return reports + FLOAT * (threads * numbers + net.n_parameters) + WORD * table.words


def activations(net: Architecture) -> int:
    """Return how many numbers one row has in all layers of a network."""
    for layer in net.layers:
        if isinstance(layer, UserModule | Composition):
            return layer.activations + 2 * net.n_out
    if net.image is None:
        return sum(layer.n_out for layer in net.layers if isinstance(layer, Linear))
    area, total, channels = net.image.height * net.image.width, 0, 0
    for layer in net.layers:
        match layer:
            case Convolution():
                channels = layer.n_out
                total += 2 * area * channels  # itself, and the activation behind it
            case BatchNorm() if channels:
                total += area * channels
            case Pool():
                area //= layer.size**2
                total += area * channels
            case Linear():
                total += 2 * layer.n_out
                channels = 0
    return total
