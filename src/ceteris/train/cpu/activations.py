"""Activations and their derivatives, written out for flat vectors."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import math

from ceteris.train.cpu.arithmetic import exponential, hyperbolic_tangent
from ceteris.train.cpu.decorators import kernel
from ceteris.train.cpu.sums import copy
from ceteris.train.cpu.table import (
    ELU,
    GELU,
    HARDTANH,
    IDENTITY,
    LEAKY_RELU,
    RELU,
    SIGMOID,
    SILU,
    SOFTPLUS,
    TANH,
)

LEAK = 0.01
"""Slope of leaky ReLU below zero, PyTorch's default."""
SOFTPLUS_LINEAR = 20.0
"""Above this softplus is the identity, PyTorch's default."""
ROOT_HALF = math.sqrt(0.5)
ROOT_TWO_PI = math.sqrt(2.0 * math.pi)


@kernel
def activate_forward(variant, x, y):
    """Apply an activation to flat vectors of equal length."""
    zero = x.dtype.type(0)
    one = x.dtype.type(1)
    if variant == RELU:
        for i in range(x.size):
            y[i] = zero if x[i] <= zero else x[i]  # NaN passes, as in torch
    elif variant == TANH:
        for i in range(x.size):
            y[i] = hyperbolic_tangent(x[i])
    elif variant == SIGMOID:
        for i in range(x.size):
            y[i] = one / (one + exponential(-x[i]))
    elif variant == LEAKY_RELU:
        leak = x.dtype.type(LEAK)
        for i in range(x.size):
            y[i] = x[i] * leak if x[i] <= zero else x[i]
    elif variant == IDENTITY:
        copy(x, y)
    else:
        rare_forward(variant, x, y)


@kernel
def activate_backward(variant, x, y, dy, dx):
    """dx = dy * f'(x), with f' written in the output y where that is possible; flat vectors."""
    zero = y.dtype.type(0)
    one = y.dtype.type(1)
    if variant == RELU:
        for i in range(y.size):
            dx[i] = dy[i] if y[i] > zero else zero
    elif variant == TANH:
        for i in range(y.size):
            dx[i] = dy[i] * (one - y[i] * y[i])
    elif variant == SIGMOID:
        for i in range(y.size):
            dx[i] = dy[i] * (y[i] * (one - y[i]))
    elif variant == LEAKY_RELU:
        leak = y.dtype.type(LEAK)
        for i in range(y.size):
            dx[i] = dy[i] if y[i] > zero else dy[i] * leak
    elif variant == IDENTITY:
        copy(dy, dx)
    else:
        rare_backward(variant, x, y, dy, dx)


@kernel
def rare_forward(variant, x, y):
    """The activations that are seldom used; scalar functions of libm where there is no polynomial of ours."""
    real = x.dtype.type
    zero, one = real(0), real(1)
    if variant == GELU:
        for i in range(x.size):
            y[i] = x[i] * normal_share(x[i])
    elif variant == SILU:
        for i in range(x.size):
            y[i] = x[i] * logistic(x[i])
    elif variant == ELU:
        for i in range(x.size):
            y[i] = x[i] if x[i] > zero else real(math.expm1(x[i]))
    elif variant == SOFTPLUS:
        softplus_forward(x, y)
    elif variant == HARDTANH:
        for i in range(x.size):
            low = -one if x[i] < -one else x[i]
            y[i] = one if low > one else low
    else:
        for i in range(x.size):
            y[i] = real(4) * logistic(x[i]) - real(2)


@kernel
def rare_backward(variant, x, y, dy, dx):
    """dx = dy * f'(x) of the activations in ``rare_forward``."""
    real = x.dtype.type
    zero, one = real(0), real(1)
    if variant == GELU:
        for i in range(x.size):
            dx[i] = dy[i] * (normal_share(x[i]) + x[i] * normal_density(x[i]))
    elif variant == SILU:
        for i in range(x.size):
            share = logistic(x[i])
            dx[i] = dy[i] * (share * (one + x[i] * (one - share)))
    elif variant == ELU:
        for i in range(x.size):
            dx[i] = dy[i] if x[i] > zero else dy[i] * (y[i] + one)
    elif variant == SOFTPLUS:
        for i in range(x.size):
            share = one if x[i] > SOFTPLUS_LINEAR else logistic(x[i])
            dx[i] = dy[i] * share
    elif variant == HARDTANH:
        for i in range(x.size):
            dx[i] = dy[i] if -one < x[i] < one else zero
    else:
        for i in range(x.size):
            share = (y[i] + real(2)) * real(0.25)
            dx[i] = dy[i] * (real(4) * share * (one - share))


@kernel
def softplus_forward(x, y):
    """log(1 + e^x) of a flat vector."""
    real = x.dtype.type
    for i in range(x.size):
        bent = real(math.log1p(exponential(x[i])))
        y[i] = x[i] if x[i] > SOFTPLUS_LINEAR else bent


@kernel
def logistic(x):
    """1 / (1 + e^-x) of a number."""
    one = type(x)(1)
    return one / (one + exponential(-x))


@kernel
def normal_density(x):
    """The density of a standard normal number at x."""
    real = type(x)
    return exponential(real(-0.5) * x * x) / real(ROOT_TWO_PI)


@kernel
def normal_share(x):
    """The share of a standard normal distribution below x."""
    return type(x)(0.5 * (1.0 + math.erf(x * ROOT_HALF)))
