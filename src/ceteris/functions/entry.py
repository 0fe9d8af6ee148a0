"""What a function of one number is described by, and its values and derivatives on a grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Curve = NDArray[np.float64]


@dataclass(frozen=True)
class Function:
    """A function of one number, in words and as torch computes it."""

    name: str
    formula: str
    derivative: str
    compute: Callable[[Tensor], Tensor]
    range: str
    zero_centred: bool | None = None
    """Whether outputs lie on both sides of 0; None where that is no question."""
    near_zero: str = ""
    """Its series around 0, where it has one."""
    series: tuple[float, ...] = ()
    """Coefficients of 1, x, x^2, ... of that series."""
    remark: str = ""


@dataclass(frozen=True)
class Sampled:
    """A function on a grid: ``x``, ``y`` and the derivative ``slope`` have one shape (n,)."""

    x: Curve
    y: Curve
    slope: Curve


def sampled(function: Function, low: float, high: float, points: int = 401) -> Sampled:
    """Return a function and its derivative, by autograd in float64, at evenly spaced points.

    At a kink the derivative is the one that torch trains with.
    """
    x = torch.linspace(low, high, points, dtype=torch.float64, requires_grad=True)
    y = function.compute(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    return Sampled(x.detach().numpy(), y.detach().numpy(), slope.numpy())


def likelihood(values: Curve) -> Curve:
    """Return exp(-loss): what a loss says of the probability of an error, up to a constant."""
    return np.exp(-values)
