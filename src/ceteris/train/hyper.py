"""Hyper-parameters as vectors over members."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ceteris.spec.optimizer import SGD, Adam, AdamW

# Columns of a member's vector of hyper-parameters.
LR, WEIGHT_DECAY, MOMENTUM, DAMPENING, NESTEROV, BETA1, BETA2, EPS, DECOUPLED = range(9)
N_HYPER = 9


def hyper_vectors(optimizers: Sequence[SGD | Adam | AdamW]) -> NDArray[np.float64]:
    """Return the hyper-parameters of all members, shape (M, N_HYPER)."""
    hyper = np.zeros((len(optimizers), N_HYPER))
    for row, spec in zip(hyper, optimizers, strict=True):
        row[LR], row[WEIGHT_DECAY] = spec.lr, spec.weight_decay
        if isinstance(spec, SGD):
            row[MOMENTUM], row[DAMPENING], row[NESTEROV] = spec.momentum, spec.dampening, spec.nesterov
        else:
            row[BETA1], row[BETA2], row[EPS] = spec.beta1, spec.beta2, spec.eps
            row[DECOUPLED] = isinstance(spec, AdamW)
    return hyper


def state_slots(optimizers: Sequence[SGD | Adam | AdamW]) -> int:
    """How many vectors of the parameters' size the optimiser of a stack keeps per member."""
    if all(isinstance(spec, SGD) for spec in optimizers):
        return 1 if any(spec.momentum for spec in optimizers if isinstance(spec, SGD)) else 0
    return 2
