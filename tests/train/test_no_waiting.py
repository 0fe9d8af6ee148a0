"""Inside an epoch the host neither waits for the device nor sends it anything.

The engine trains on torch's `meta` device, whose tensors have no numbers: reading one is an error there, and
so is whatever needs numbers to know a shape. Copies from and to the host are looked for besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ceteris.data.preparation import Preparation
from ceteris.nets.hidden import hidden_layers
from ceteris.nets.stacked import StackedNetwork
from ceteris.spec.folds import Folds
from ceteris.train.engine import StackSpec, Totals
from ceteris.train.modules.stacked import StackedModuleEngine
from ceteris.train.probes import N_ACTIVATION, GradientProbes
from ceteris.train.tensor.engine import TensorEngine

from .recording import ForbiddenError, NoWaiting
from .runs import plan, run_plans
from .step_cases import CASES, DIGITS, MLP, OF_MODULES, plans_of


class MadeUp(TensorEngine):
    """Trains without numbers; what is read between epochs is made up."""

    def __init__(self, spec: StackSpec, stack: StackedNetwork, device: str) -> None:
        super().__init__(spec, stack, "meta")
        self.stack = stack
        self.steps = 0

    def run_steps(self, first: int, last: int, active: NDArray[np.bool_]) -> None:
        with NoWaiting():
            super().run_steps(first, last, active)
        self.steps += last - first

    def progress(self) -> None:
        return None

    def totals(self) -> Totals:
        # Whoever looks on waits for nothing until the epoch is over.
        assert self.steps % self._spec.steps == 0
        ones = np.ones(len(self.stack))
        return Totals(ones, ones, ones, ones, np.full(len(ones), -1))

    def evaluate(
        self, rows: Sequence[NDArray[np.int64]], active: NDArray[np.bool_], *, keep_outputs: bool
    ) -> tuple[NDArray[np.float64], None]:
        return np.ones((len(self.stack), 2)), None

    def gradient_probes(self) -> GradientProbes:
        of_tensors = np.ones((len(self.stack), len(self._spec.net.parameters)))
        of_layers = np.ones((len(self.stack), len(hidden_layers(self._spec.net)), 2))
        return GradientProbes(of_tensors, of_tensors, of_layers, of_tensors)

    def activations(self, rows: Any, active: Any) -> NDArray[np.float64]:
        return np.ones((len(self.stack), len(hidden_layers(self._spec.net)), N_ACTIVATION))

    def parameters(self) -> NDArray[np.floating]:
        return self.stack.parameters

    def buffers(self) -> NDArray[np.floating]:
        return self.stack.buffers


class MadeUpModules(MadeUp, StackedModuleEngine):
    """The same for modules."""


@pytest.mark.parametrize("case", [*CASES, *OF_MODULES], ids=str)
def test_no_step_waits_or_sends(digits: Preparation, case: str) -> None:
    made: list[MadeUp] = []

    def engine(spec: StackSpec, stack: StackedNetwork, device: str) -> MadeUp:
        made.append((MadeUpModules if spec.runs_as_module else MadeUp)(spec, stack, device))
        return made[-1]

    run_plans(plans_of((CASES | OF_MODULES)[case], epochs=1), digits, engine=engine)
    assert all(own.steps == own._spec.steps for own in made)


def test_nor_does_a_last_batch_of_streams_that_differ_in_length(digits: Preparation) -> None:
    folds = Folds(k=4)
    model = MLP | {"batch_norm": True}
    plans = [plan(f"f{fold}", fold=fold, folds=folds, model=model, batch_size=64) for fold in range(4)]
    run_plans(plans, digits, engine=MadeUp)


def test_a_step_that_sends_something_is_noticed(digits: Preparation, monkeypatch: pytest.MonkeyPatch) -> None:
    def sending(self: TensorEngine, kind: Any) -> None:
        self._gathered += torch.ones(5, len(self._diverged)).to(self._device)

    monkeypatch.setattr(TensorEngine, "_step", sending)
    with pytest.raises(ForbiddenError, match="moves a tensor to meta"):
        run_plans([plan("t", data=DIGITS)], digits, engine=MadeUp)
