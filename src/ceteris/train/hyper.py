"""Hyper-parameters as vectors over members, one set for each group of parameters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ceteris.nets.architecture import Architecture, Tensor
from ceteris.spec.optimizer import SGD, Adagrad, Adam, AdamW, Newton, Optimizer, RMSprop

# Columns of a vector of hyper-parameters.
LR, WEIGHT_DECAY, MOMENTUM, DAMPENING, NESTEROV, BETA1, BETA2, EPS, DECOUPLED = range(9)
ALPHA, CENTERED, LR_DECAY = range(9, 12)
N_HYPER = 12
# Groups of parameters that may have settings of their own.
WEIGHTS, BIASES, NORMS = range(3)
N_GROUPS = 3
# Families of optimisers: what one kernel computes.
FAMILIES = {"sgd": 0, "adam": 1, "adamw": 1, "rmsprop": 2, "adagrad": 3, "newton": 0}
SGD_FAMILY, ADAM_FAMILY, RMSPROP_FAMILY, ADAGRAD_FAMILY = range(4)


def family(optimizer: Optimizer) -> str:
    """Name the family of an optimiser: members of one family can be stacked."""
    return "adam" if isinstance(optimizer, AdamW) else optimizer.kind


def group_of(tensor: Tensor) -> int:
    """Return the group of a parameter: weights, biases or normalisation; a module's own go by their names."""
    if tensor.kind == "own":
        vector = BIASES if tensor.name.rpartition(".")[2].startswith("bias") else NORMS
        return WEIGHTS if len(tensor.shape) > 1 else vector
    return {"weight": WEIGHTS, "bias": BIASES}.get(tensor.kind, NORMS)


def hyper_vectors(optimizers: Sequence[Optimizer]) -> NDArray[np.float64]:
    """Return the hyper-parameters of all members and groups, shape (M, N_GROUPS, N_HYPER)."""
    hyper = np.zeros((len(optimizers), N_GROUPS, N_HYPER))
    for own, spec in zip(hyper, optimizers, strict=True):
        own[:] = _vector(spec)
        for group, settings in ((BIASES, spec.biases), (NORMS, spec.norms)):
            own[group, LR] = spec.lr if settings.lr is None else settings.lr
            if settings.weight_decay is not None:
                own[group, WEIGHT_DECAY] = settings.weight_decay
    return hyper


def _vector(spec: Optimizer) -> NDArray[np.float64]:
    row = np.zeros(N_HYPER)
    row[LR], row[WEIGHT_DECAY] = spec.lr, spec.weight_decay
    match spec:
        case SGD():
            row[MOMENTUM], row[DAMPENING], row[NESTEROV] = spec.momentum, spec.dampening, spec.nesterov
        case Adam() | AdamW():
            row[BETA1], row[BETA2], row[EPS] = spec.beta1, spec.beta2, spec.eps
            row[DECOUPLED] = isinstance(spec, AdamW)
        case RMSprop():
            row[ALPHA], row[EPS], row[MOMENTUM] = spec.alpha, spec.eps, spec.momentum
            row[CENTERED] = spec.centered
        case Adagrad():
            row[LR_DECAY], row[EPS] = spec.lr_decay, spec.eps
    return row


def state_slots(optimizers: Sequence[Optimizer]) -> int:
    """How many vectors of the parameters' size the optimiser of a stack keeps per member.

    RMSprop keeps the mean square, then the velocity (where any member has momentum), then the mean.
    """
    slots = [_slots(spec) for spec in optimizers]
    return max(slots)


def _slots(spec: Optimizer) -> int:
    match spec:
        case SGD():
            return 1 if spec.momentum else 0
        case RMSprop():
            return 3 if spec.centered else 2 if spec.momentum else 1
        case Adagrad():
            return 1
        case Newton():
            return 0
    return 2


def initial_state(spec: Optimizer) -> float:
    """Return the number with which an optimiser's state begins."""
    return spec.initial_accumulator_value if isinstance(spec, Adagrad) else 0.0


def segments(net: Architecture, hyper: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return (begin, end, group) of the stretches of the parameter vector that are updated alike.

    Where no member sets a group apart there is one stretch. Updates go element by element, so how the
    vector is cut changes no bit.
    """
    if (hyper == hyper[:, :1]).all():
        return np.array([[0, net.n_parameters, WEIGHTS]])
    return tensor_table(net)


def tensor_table(net: Architecture) -> NDArray[np.int64]:
    """Return (begin, end, group) of every parameter tensor, shape (tensors, 3)."""
    rows = [(t.offset, t.offset + t.size, group_of(t)) for t in net.parameters]
    return np.array(rows, dtype=np.int64).reshape(len(rows), 3)
