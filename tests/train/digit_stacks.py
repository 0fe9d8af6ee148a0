"""Specifications of stacks of digits classifiers, for tests that train members together and apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.nets.architecture import Architecture
from ceteris.nets.stacked import StackedNetwork
from ceteris.spec.experiment import Experiment
from ceteris.train.engine import Feed, StackSpec


def stack_spec(
    net: Architecture,
    stack: StackedNetwork,
    experiments: Sequence[Experiment],
    feeds: Sequence[Feed],
    steps: int,
    *,
    keys: NDArray[np.uint32] | None = None,
    **changes: Any,
) -> StackSpec:
    """Return the specification of members that learn the ten digits by cross-entropy, 32 rows a step.

    ``keys`` (M, places, 2) are those of the masks; zeros where none is given.
    """
    members = len(experiments)
    return StackSpec(
        net=net,
        loss="cross_entropy",
        batch_size=32,
        steps=steps,
        experiments=tuple(experiments),
        rates=stack.rates,
        keys=np.zeros((members, net.n_slots, 2), np.uint32) if keys is None else keys,
        class_weights=np.ones((members, 10)),
        feeds=tuple(feeds),
        **changes,
    )
