"""Functions of the tables far from 0, in float32 and float16: values and slopes against float64."""

from __future__ import annotations

import pytest
import torch

from ceteris.functions.activations import ACTIVATIONS
from ceteris.functions.entry import Function
from ceteris.functions.losses import losses

FUNCTIONS = [*ACTIVATIONS, *losses()]
AT = (-9984.0, -64.0, -0.5, 0.5, 64.0, 9984.0)
"""Numbers of float16; the largest are about 1e4."""
SQUARES = ("l2", "l2 halved")
"""Those of 1e4 are no numbers of float16."""
CASES = [(one, torch.float32) for one in FUNCTIONS]
CASES += [(one, torch.float16) for one in FUNCTIONS if one.name not in SQUARES]


def value_and_slope(one: Function, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.tensor(AT, dtype=dtype, requires_grad=True)
    y = one.compute(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    return y.detach().double(), slope.double()


@pytest.mark.parametrize(("one", "dtype"), CASES, ids=lambda own: getattr(own, "name", str(own)))
def test_values_and_slopes_far_out_are_right(one: Function, dtype: torch.dtype) -> None:
    rounding = 1e-6 if dtype == torch.float32 else 2e-3
    for own, exact in zip(value_and_slope(one, dtype), value_and_slope(one, torch.float64), strict=True):
        assert own.isfinite().all()
        torch.testing.assert_close(own, exact, rtol=rounding, atol=rounding)
