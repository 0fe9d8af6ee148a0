"""The functions from scratch at logits of 1e4, in float32 and float16: values and slopes against float64."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ceteris.scratch import functions

HUGE = 9984.0
"""About 1e4, and a number of float16."""
ROWS = HUGE * torch.tensor([[1, -1, 0], [1, 1, -1], [-1, -1, -1], [0, 1, -1], [1, 0, 1]])
LABELS = torch.tensor([0, 0, 2, 2, 1])
ONE = HUGE * torch.tensor([1.0, 1, -1, -1, 0, 0])
TARGETS = torch.tensor([0.0, 1, 0, 1, 0, 1])
PICK = torch.tensor([1.0, -2, 0.5])

CASES: dict[str, tuple[Tensor, Callable[[Tensor], Tensor]]] = {
    "sigmoid": (ONE, functions.sigmoid),
    "tanh": (ONE, functions.tanh),
    "relu": (ONE, functions.relu),
    "softmax": (ROWS, lambda z: functions.softmax(z) @ PICK.to(z)),
    "log_softmax": (ROWS, functions.log_softmax),
    "cross_entropy": (ROWS, lambda z: functions.cross_entropy(z, LABELS)),
    "negative_log_likelihood": (
        ROWS,
        lambda z: functions.negative_log_likelihood(functions.log_softmax(z), LABELS),
    ),
    "binary_cross_entropy": (ONE, lambda z: functions.binary_cross_entropy(z, TARGETS.to(z))),
    "absolute_loss": (ONE, lambda z: functions.absolute_loss(z, TARGETS.to(z))),
    "smooth_l1_loss": (ONE, lambda z: functions.smooth_l1_loss(z, TARGETS.to(z))),
    "perceptron_loss": (ONE, lambda z: functions.perceptron_loss(z, 2 * TARGETS.to(z) - 1)),
    "squared_loss": (ONE / 64, lambda z: functions.squared_loss(z, TARGETS.to(z))),
}


def value_and_slope(
    function: Callable[[Tensor], Tensor], at: Tensor, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    x = at.to(dtype).requires_grad_()
    y = function(x)
    weights = torch.linspace(1, 2, y.numel(), dtype=dtype).reshape(y.shape)
    (slope,) = torch.autograd.grad((weights * y).sum(), x)
    return y.detach().double(), slope.double()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
@pytest.mark.parametrize("name", CASES)
def test_values_and_slopes_are_finite_and_right(name: str, dtype: torch.dtype) -> None:
    at, function = CASES[name]
    found = value_and_slope(function, at, dtype)
    expected = value_and_slope(function, at, torch.float64)
    rounding = 1e-6 if dtype == torch.float32 else 2e-3
    for own, exact in zip(found, expected, strict=True):
        assert own.isfinite().all()
        torch.testing.assert_close(own, exact, rtol=rounding, atol=rounding)
