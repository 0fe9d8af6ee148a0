"""Mistake 14 of the catalogue: losses of logits of 1e4, with their gradients, in every engine and precision.

A linear network on unit vectors has its weights for logits, and the step of a large rate shows the gradient
by each of them. The expected numbers are torch's in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from ceteris.nets.architecture import architecture
from ceteris.nets.stacked import StackedNetwork
from ceteris.spec.experiment import Experiment
from ceteris.train.cpu.engine import CompiledEngine
from ceteris.train.engine import Engine, Feed, StackSpec
from ceteris.train.modules.engine import ModuleEngine
from ceteris.train.objective import class_weights
from ceteris.train.tensor.engine import TensorEngine

HUGE = 9984.0
"""About 1e4, and a number of bfloat16 and float16."""
LOGITS = HUGE * torch.tensor(
    [[1, -1, 0], [1, 1, -1], [-1, -1, -1], [0, 1, -1], [1, 0, 1], [-1, 1, 0], [0, 0, 0]], dtype=torch.float64
)
LABELS = torch.tensor([0, 0, 2, 2, 1, 0, 1])
ONE_LOGIT = HUGE * torch.tensor([1, 1, -1, -1, 0, 0, 1], dtype=torch.float64)[:, None]
TWO = torch.tensor([0, 1, 0, 1, 0, 1, 0])
RATE = 2.0**22
"""Steps that dwarf the logits, so that float32 keeps their digits."""
WEIGHTS = [0.5, 2.0, 1.0]

Loss = Callable[[Tensor], Tensor]


def shared(logits: Tensor) -> Tensor:
    """0.7 for the right class and 0.15 for each other."""
    aims = torch.full_like(logits, 0.15)
    aims[torch.arange(len(LABELS)), LABELS] = 0.7
    return -(aims * logits.log_softmax(1)).sum(1).mean()


def weighted(logits: Tensor) -> Tensor:
    return functional.cross_entropy(logits, LABELS, weight=torch.tensor(WEIGHTS).double())


CASES: dict[str, tuple[dict[str, Any], list[str], Loss]] = {
    "cross-entropy": ({}, [], lambda z: functional.cross_entropy(z, LABELS)),
    "smoothed": (
        {"label_smoothing": 0.3},
        [],
        lambda z: functional.cross_entropy(z, LABELS, label_smoothing=0.3),
    ),
    "smoothed, shared": ({"label_smoothing": 0.3, "smoothing_convention": "shared"}, [], shared),
    "classes weighted": ({"class_weights": WEIGHTS}, [], weighted),
    "nll": ({"loss": "nll"}, ["log_softmax"], lambda z: functional.nll_loss(z.log_softmax(1), LABELS)),
    "binary": (
        {"loss": "binary_cross_entropy"},
        [],
        lambda z: functional.binary_cross_entropy_with_logits(z[:, 0], TWO.double()),
    ),
    "binary, of probabilities": (
        {"loss": "binary_cross_entropy_probabilities"},
        ["sigmoid"],
        lambda z: functional.binary_cross_entropy(z[:, 0].sigmoid(), TWO.double()),
    ),
}
ENGINES = {
    "compiled": CompiledEngine,
    "tensor": lambda spec, stack: TensorEngine(spec, stack, "cpu"),
    "module": ModuleEngine,
}


def stepped(
    name: str, precision: str, settings: dict[str, Any], output: list[str]
) -> tuple[Any, float, float]:
    """Return the gradient by the logits, and the loss as it was trained on and as it is evaluated."""
    binary = "binary" in settings.get("loss", "")
    logits, labels = (ONE_LOGIT, TWO) if binary else (LOGITS, LABELS)
    rows, units = logits.shape
    experiment = Experiment(
        data="digits",
        model={"kind": "linear", "bias": False, "output": output},
        optimizer={"kind": "sgd", "lr": RATE},
        batch_size=rows,
        precision=precision,
        **{"loss": "cross_entropy"} | settings,
    )
    net = architecture(experiment.model, rows, units)
    start = logits.T.float().reshape(1, -1).numpy().copy()
    stack = StackedNetwork(net, start.copy(), np.zeros((1, 0), np.float32), np.zeros((1, 0)))
    spec = StackSpec(
        net=net,
        loss=experiment.loss,
        batch_size=rows,
        steps=1,
        experiments=(experiment,),
        rates=stack.rates,
        keys=np.zeros((1, 0, 2), np.uint32),
        class_weights=class_weights(experiment, labels.numpy(), units)[None],
        feeds=(Feed(np.eye(rows, dtype=np.float32), labels.numpy(), np.zeros(1, np.int64)),),
        precision=precision,
    )
    engine: Engine = ENGINES[name](spec, stack)
    everyone, order = np.ones(1, np.bool_), np.arange(rows)
    ((evaluated, _),), _ = engine.evaluate([order], everyone, keep_outputs=False)
    engine.begin_epoch(0, [order], np.full((1, 3, 1), RATE))
    engine.run_steps(0, 1, everyone)
    totals = engine.totals()
    assert totals.diverged.tolist() == [-1]
    assert totals.skipped is None or totals.skipped.tolist() == [0]
    moved = (start - engine.parameters()).astype(np.float64) / RATE
    return moved.reshape(units, rows).T, float(totals.loss[0] / rows), float(evaluated)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("engine", "precision"),
    [("compiled", "float32"), ("tensor", "float32"), ("module", "bfloat16"), ("module", "float16")],
)
def test_losses_and_gradients_of_huge_logits_are_right(engine: str, precision: str, case: str) -> None:
    settings, output, loss = CASES[case]
    binary = "binary" in settings.get("loss", "")
    logits = (ONE_LOGIT if binary else LOGITS).clone().requires_grad_()
    expected = loss(logits)
    expected.backward()
    gradient, trained, evaluated = stepped(engine, precision, settings, output)
    assert logits.grad is not None
    rounding = {"float32": 1e-6, "float16": 1e-3, "bfloat16": 1e-2}[precision]
    np.testing.assert_allclose(gradient, logits.grad.numpy(), rtol=rounding, atol=rounding / 10)
    assert trained == pytest.approx(expected.item(), rel=1e-5)
    plain = functional.cross_entropy(LOGITS, LABELS) if not binary and not output else expected
    assert evaluated == pytest.approx(plain.item(), rel=1e-5)
