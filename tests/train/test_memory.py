"""Predicted memory, against what the kernel counted while a stack was trained."""

from __future__ import annotations

import ctypes
import gc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ceteris.data import arrays
from ceteris.data.dataset import Dataset
from ceteris.data.preparation import Preparation
from ceteris.spec.experiment import Experiment
from ceteris.spec.model import ModuleModel
from ceteris.train.loop import train_cohort
from ceteris.train.memory import PREDICTED_WITHIN, activations
from ceteris.train.modules.user import inspect_module
from ceteris.train.plan import Cohort, ModuleRequest, TrialPlan, group_trials, module_key

STATUS, PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def resident(line: str) -> int:
    """Return ``VmRSS`` (now) or ``VmHWM`` (the peak) of this process in bytes."""
    found = next(words for words in STATUS.read_text().splitlines() if words.startswith(f"{line}:"))
    return int(found.split()[1]) * 1024


def cohort_of(dataset: Dataset, members: int, **settings: Any) -> Cohort:
    experiment = Experiment.model_validate({"data": "arrays", "batch_size": 200, "epochs": 1, **settings})
    plans = [TrialPlan(str(seed), "base", {}, seed, 0, experiment) for seed in range(members)]
    rows = len(Preparation(dataset).prepare(experiment.data, 0).split.train)
    (cohort,) = group_trials(plans, dataset, dict.fromkeys((plan.identity for plan in plans), rows))
    return cohort


def quiet(message: object) -> None:
    """Take a message and do nothing."""


def rows_of(rows: int, features: int) -> Dataset:
    rng = np.random.default_rng(0)
    return arrays(rng.random((rows, features), dtype=np.float32), rng.integers(0, 10, rows), name="arrays")


def trained_bytes(cohort: Cohort, dataset: Dataset, **given: Any) -> int:
    """Train a cohort; return how far the peak of this process rises, with the rows as they were read.

    What is loaded and compiled at a first training is no part of it.
    """
    train_cohort(cohort, Preparation(dataset), emit=quiet, **given)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what earlier tests have freed is not there to be used again
    before = resident("VmRSS")
    PEAK.write_text("5")  # the peak begins anew
    train_cohort(cohort, Preparation(dataset), emit=quiet, **given)
    return resident("VmHWM") - before + dataset.x.nbytes


NEEDS_PEAKS = pytest.mark.skipif(
    not PEAK.exists() or not hasattr(ctypes.CDLL(None), "malloc_trim"),
    reason="needs Linux with glibc: a peak that begins anew, and freed memory that can be given back",
)


@NEEDS_PEAKS
@pytest.mark.parametrize(
    ("rows", "features", "members", "settings"),
    [
        pytest.param(600, 500, 24, {"model": {"kind": "mlp", "hidden": [256]}}, id="members"),
        pytest.param(
            20_000,
            120,
            4,
            {
                "model": {"kind": "linear"},
                "data": {"source": "arrays", "scale": "standardize", "validation": 500},
            },
            id="inputs of every stream",
        ),
        pytest.param(
            1200,
            10,
            1,
            {"model": {"kind": "mlp", "hidden": [1500, 1500]}, "batch_size": 900},
            id="activations",
        ),
    ],
)
def test_predicted_memory_is_what_training_takes(
    rows: int, features: int, members: int, settings: dict[str, Any]
) -> None:
    dataset = rows_of(rows, features)
    train_cohort(
        cohort_of(rows_of(60, 3), 1, model="linear", batch_size=10), Preparation(rows_of(60, 3)), emit=quiet
    )
    cohort = cohort_of(dataset, members, **settings)
    predicted, measured = cohort.predicted_bytes(), trained_bytes(cohort, dataset)
    assert predicted > 50e6
    assert predicted / PREDICTED_WITHIN < measured < predicted * PREDICTED_WITHIN


class Own(nn.Module):
    """A network of the user's own whose forward pass makes more than its layers give."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.head = nn.Linear(width * 12 * 12, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        x = x + torch.relu(self.norm(self.second(x)))
        found: Tensor = self.head(nn.functional.max_pool2d(x, 2).flatten(1))
        return found


CODE = {"own": Own}


def images(rows: int) -> Dataset:
    rng = np.random.default_rng(0)
    return arrays(rng.random((rows, 24, 24), dtype=np.float32), rng.integers(0, 3, rows), name="arrays")


LAYERS: list[Any] = [
    {"conv": 24},
    "batch_norm",
    "relu",
    {"residual": [{"conv": 24}, "relu"], "name": "twice"},
    {"use": "twice"},
    {"max_pool": 2},
    "flatten",
]


def test_a_tied_layer_s_activations_count_in_both_places() -> None:
    area = 24 * 24 * 24
    net = cohort_of(
        images(40), 1, model={"kind": "sequential", "layers": LAYERS}, batch_size=10
    ).structure.net
    assert activations(net) == 3 * area + 2 * 3 * area + area // 4 + 2 * 3


@NEEDS_PEAKS
@pytest.mark.parametrize("kind", ["sequential", "module"])
def test_predicted_memory_of_composed_networks_and_the_user_s_own(kind: str) -> None:
    """What freed activations leave in pieces is not predicted: a factor of 2, where others have 1.5."""
    settings = {"data": "arrays", "batch_size": 64, "epochs": 1, "optimizer": "adam"}
    own = {"name": "own"} if kind == "module" else {"layers": LAYERS}
    experiment = Experiment.model_validate(settings | {"model": {"kind": kind} | own})
    dataset, modules = images(1300), {}
    if isinstance(experiment.model, ModuleModel):
        request = ModuleRequest(experiment.model, dataset.shape, 3, classes=True)
        modules[module_key(experiment, dataset)] = inspect_module(request, Own)
    plans = [TrialPlan(str(seed), "base", {}, seed, 0, experiment) for seed in range(2)]
    (cohort,) = group_trials(plans, dataset, dict.fromkeys(("0", "1"), 1040), modules)
    train_cohort(replace(cohort, trials=cohort.trials[:1]), Preparation(images(70)), emit=quiet, modules=CODE)
    predicted, measured = cohort.predicted_bytes(), trained_bytes(cohort, dataset, modules=CODE)
    assert predicted > 50e6
    assert predicted / 2 < measured < predicted * 2, (predicted, measured)


def test_the_activations_of_a_cnn_are_counted_layer_by_layer() -> None:
    rng = np.random.default_rng(0)
    images = arrays(rng.random((40, 8, 8), dtype=np.float32), rng.integers(0, 3, 40), name="arrays")
    model = {"kind": "cnn", "convolutions": [4, 6], "hidden": [5], "batch_norm": True}
    net = cohort_of(images, 1, model=model, batch_size=10).structure.net
    first, second = 8 * 8 * 4, 4 * 4 * 6
    assert activations(net) == 3 * first + first // 4 + 3 * second + second // 4 + 2 * 5 + 2 * 3


def test_how_layers_start_takes_no_memory() -> None:
    """An initialisation by layer is a mapping, which no set can hold."""
    dataset = rows_of(64, 8)
    model = {"kind": "mlp", "hidden": [16]}
    plain = cohort_of(dataset, 3, model=model)
    by_layer = cohort_of(dataset, 3, model=model | {"init": {"hidden.0": "he", "default": "xavier"}})
    assert by_layer.predicted_bytes() == plain.predicted_bytes() > 0
