"""The built-in engine that suits a network and a device, and what it is told of a stack."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ceteris.nets.architecture import random_places
from ceteris.nets.stacked import StackedNetwork
from ceteris.train.cpu.engine import CompiledEngine
from ceteris.train.engine import Engine, Feed, StackSpec
from ceteris.train.plan import Cohort
from ceteris.train.streams import place_keys


def stack_spec(
    cohort: Cohort,
    stack: StackedNetwork,
    feeds: tuple[Feed, ...],
    weights: NDArray[np.float64],
    threads: int = 1,
    columns: Sequence[int] = (),
) -> StackSpec:
    """Return what an engine is told; ``weights`` (M, classes) are those of the classes.

    ``columns`` (M,) are those that rows have, where some have fewer than others.
    """
    structure = cohort.structure
    places = random_places(structure.net)
    return StackSpec(
        net=structure.net,
        loss=structure.loss,
        batch_size=structure.batch_size,
        steps=cohort.steps,
        experiments=tuple(t.experiment for t in cohort.trials),
        rates=stack.rates,
        keys=np.stack([place_keys(t.seed, places) for t in cohort.trials]),
        class_weights=weights,
        feeds=feeds,
        precision=structure.precision,
        threads=threads,
        columns=tuple(columns),
    )


def built_in_engine(spec: StackSpec, stack: StackedNetwork, device: str) -> Engine:
    """Return the engine for ``cpu``, ``cuda``, ``cuda:1`` or ``mps``."""
    if spec.runs_as_module:
        from ceteris.train.modules.choice import module_engine

        return module_engine(spec, stack, device)
    if device == "cpu":
        return CompiledEngine(spec, stack)
    from ceteris.train.tensor.engine import TensorEngine

    return TensorEngine(spec, stack, device)
