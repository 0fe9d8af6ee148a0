"""On a device without 64-bit floating point numbers, such as MPS, none is made and training goes on alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from ceteris.data.preparation import Preparation
from ceteris.nets.stacked import StackedNetwork
from ceteris.train.engine import StackSpec
from ceteris.train.modules.stacked import StackedModuleEngine
from ceteris.train.tensor import exact
from ceteris.train.tensor.engine import TensorEngine

from .runs import run_plans
from .step_cases import CASES, LOWERED, OF_MODULES, plans_of

ALIKE = [
    "momentum",
    "adam",
    "warm-up",
    "penalties",
    "clipping",
    "draws",
    "norms",
    "smoothed",
    "cnn",
    "float16",
]


class NoFloat64(TorchDispatchMode):
    """Lets no operation make 64-bit floating point numbers."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        for own in tree_flatten(found)[0]:
            assert not (isinstance(own, torch.Tensor) and own.dtype == torch.float64), func
        return found


def engine(spec: StackSpec, stack: StackedNetwork, device: str) -> TensorEngine:
    return (StackedModuleEngine if spec.runs_as_module else TensorEngine)(spec, stack, device)


@pytest.mark.parametrize("case", ALIKE)
def test_training_makes_none_and_goes_on_alike(
    digits: Preparation, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    plans = plans_of((CASES | OF_MODULES | LOWERED)[case], epochs=2)
    usual = run_plans(plans, digits, engine=engine)
    for name in ("begin_epoch", "run_steps", "evaluate"):
        monkeypatch.setattr(TensorEngine, name, without_float64(getattr(TensorEngine, name)))
    monkeypatch.setattr(exact, "WITHOUT_FLOAT64", {"cpu"})
    found = run_plans(plans, digits, engine=engine)
    for one in plans:
        np.testing.assert_allclose(
            found.curve(one.identity, "val_loss"), usual.curve(one.identity, "val_loss"), rtol=1e-3
        )


def without_float64(method: Any) -> Any:
    def inside(*arguments: Any, **named: Any) -> Any:
        with NoFloat64():
            return method(*arguments, **named)

    return inside
