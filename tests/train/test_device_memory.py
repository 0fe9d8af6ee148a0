"""What a stack is predicted to take on a device, against what torch allocates for it on the processor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from torch.profiler import ProfilerActivity, profile

from ceteris.data import arrays
from ceteris.data.preparation import Preparation
from ceteris.nets.stacked import StackedNetwork
from ceteris.train.device_memory import device_bytes
from ceteris.train.engine import Engine, StackSpec
from ceteris.train.loop import train_cohort
from ceteris.train.modules.stacked import StackedModuleEngine
from ceteris.train.plan import Cohort
from ceteris.train.tensor.engine import TensorEngine

from .runs import cohorts, plan

ADAM = {"kind": "adam", "lr": 0.01}
STACKS: dict[str, tuple[int, dict[str, Any]]] = {
    "parameters": (4, {"model": {"kind": "mlp", "hidden": [1000]}, "optimizer": ADAM, "batch_size": 500}),
    "inputs": (16, {"model": {"kind": "mlp", "hidden": [32]}, "batch_size": 1000}),
    "masks": (
        4,
        {"model": {"kind": "mlp", "hidden": [256, 256], "dropout": 0.5}, "batch_size": 500},
    ),
}


@pytest.fixture(scope="module")
def wide() -> Preparation:
    rng = np.random.default_rng(0)
    return Preparation(arrays(rng.standard_normal((2000, 784)).astype(np.float32), rng.integers(0, 10, 2000)))


def cohort_of(name: str, data: Preparation) -> Cohort:
    members, settings = STACKS[name]
    settings = {"data": {"source": "arrays", "validation": 500}, "epochs": 1} | settings
    (cohort,) = cohorts([plan(f"t{i}", **settings) for i in range(members)], data)
    return cohort


def engine(spec: StackSpec, stack: StackedNetwork, device: str) -> Engine:
    return (StackedModuleEngine if spec.runs_as_module else TensorEngine)(spec, stack, device)


@pytest.mark.parametrize("name", STACKS)
def test_the_peak_is_predicted_within_a_factor_of_two(wide: Preparation, name: str) -> None:
    cohort = cohort_of(name, wide)
    # `acc_events`: some releases of torch warn where it is left out.
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as told:
        train_cohort(cohort, wide, engine=engine, emit=lambda message: None)
    events = [own for own in told.profiler.kineto_results.events() if own.name() == "[memory]"]
    peak = max(np.cumsum([own.nbytes() for own in events]))
    experiments = [trial.experiment for trial in cohort.trials]
    predicted = device_bytes(cohort.structure.net, experiments, cohort.data, [("auto", 0, 0)], recorded=False)
    assert 0.5 < predicted / peak < 2, (predicted, peak)


def test_a_cohort_on_a_device_is_cut_by_what_it_takes_there(wide: Preparation) -> None:
    cohort = replace(cohort_of("inputs", wide), on_device=True)
    whole = cohort.predicted_bytes()
    assert whole != replace(cohort, on_device=False).predicted_bytes()
    pieces = cohort.shards(1, whole // 2)
    assert len(pieces) > 1
    assert all(piece.on_device and piece.predicted_bytes() < whole for piece in pieces)
