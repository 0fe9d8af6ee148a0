"""How much memory of its own a device needs for a stack, predicted from shapes before anything is trained.

What torch takes for itself (a context of some hundred MB, the workspaces of libraries) comes on top.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ceteris.nets.architecture import Architecture, random_amounts
from ceteris.spec.experiment import Experiment
from ceteris.spec.model import ModuleModel
from ceteris.train.hyper import state_slots
from ceteris.train.memory import DOUBLE, FLOAT, DataSize, activations

EVALUATION_NUMBERS = 2**26
"""About how many numbers an evaluated batch may have over all members: inputs, or activations if more."""
BACKWARDS = 4
"""Numbers that stand at once for each activation of a batch: itself, its gradient, and what makes them."""
EVALUATED = 3
"""The same for an evaluated batch."""
UPDATED = 4
"""Copies of all parameters at a measured step: gradient, values before, and both compared in float64."""
OF_LARGEST = 4
"""Further copies of the largest tensor while it is updated or its norm is taken."""
WORDS = 12
"""Numbers of 4 bytes for each number that is drawn: counters of 8 bytes and their products."""


def resident_bytes(net: Architecture, experiments: Sequence[Experiment]) -> int:
    """Return what one member keeps on the device: parameters, optimiser state, buffers."""
    noise = any(experiment.probes.gradient_noise for experiment in experiments)
    vectors = 1 + state_slots([e.optimizer for e in experiments]) + noise
    return FLOAT * (net.n_parameters * vectors + net.n_buffers)


def step_bytes(net: Architecture, experiments: Sequence[Experiment]) -> int:
    """Return what one member takes while a step is done: the peak of its gradient, or of its update."""
    largest = max(tensor.size for tensor in net.parameters)
    batch = experiments[0].batch_size
    models = [e.model for e in experiments if not isinstance(e.model, ModuleModel)]
    draws = any(bool(np.any(random_amounts(model))) for model in models)
    connects = any(getattr(model, "drop_connect", 0.0) for model in models)
    numbers = batch * (net.n_in + (BACKWARDS + WORDS * draws) * activations(net))
    gradient = numbers + net.n_parameters * (1 + WORDS * connects)
    update = UPDATED * net.n_parameters + OF_LARGEST * largest
    return FLOAT * max(gradient, update)


def device_bytes(
    net: Architecture,
    experiments: Sequence[Experiment],
    data: DataSize,
    streams: Iterable[tuple[str | float, int, int]],
    *,
    recorded: bool = True,
) -> int:
    """Return what a stack takes on its device.

    Args:
        experiments: of all members.
        data: of what they read, for ``streams`` given as (scale, seed, fold).
        recorded: whether steps are recorded, whose memory stands beside that of steps done one by one.
    """
    members = len(experiments)
    places = set(streams)
    inputs = {place if place[0] in data.estimated else place[:1] for place in places}
    orders = {place[1:] for place in places}
    rows = data.rows * (FLOAT * data.features * len(inputs) + DOUBLE * (len(inputs) + len(orders)))
    # As many training rows are measured as validation rows, so half of all rows at the most.
    measured = min(members * data.rows // 2, EVALUATION_NUMBERS // max(net.n_in, activations(net)))
    evaluated = FLOAT * measured * (net.n_in + EVALUATED * activations(net))
    steps = members * step_bytes(net, experiments) * (1 + recorded)
    return members * resident_bytes(net, experiments) + rows + max(evaluated, steps)
