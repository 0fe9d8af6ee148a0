"""Exponential, logistic and hyperbolic tangent whose bits do not depend on where a number stands.

A vector loop and its scalar tail in libm or Sleef round differently, so the bits of an element
would depend on its position. These are polynomials in plain arithmetic: LLVM vectorises them, and
vector and tail agree. In float64 the C library's scalar functions are used.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

_F = np.float32
_LOG2E = _F(1.44269504088896341)
_LN2_HIGH = _F(0.693359375)
_LN2_LOW = _F(-2.12194440e-4)
_EXP_MAX = _F(88.3762626647949)
_EXP_MIN = _F(-87.3365447504019)
_HALF = _F(0.5)
_ONE = _F(1.0)
# Cephes, expf: a minimax polynomial of (exp(r) - 1 - r) / r^2 on [-ln2/2, ln2/2].
_E0, _E1, _E2, _E3, _E4, _E5 = (
    _F(c)
    for c in (
        1.9875691500e-4,
        1.3981999507e-3,
        8.3334519073e-3,
        4.1665795894e-2,
        1.6666665459e-1,
        5.0000001201e-1,
    )
)
_TANH_CLAMP = _F(7.90531110763549805)
# The rational minimax approximation of tanh on [-7.9, 7.9] that Eigen and XLA use (7 over 4 terms in x^2).
_T1, _T3, _T5, _T7, _T9, _T11, _T13 = (
    _F(c)
    for c in (
        4.89352455891786e-03,
        6.37261928875436e-04,
        1.48572235717979e-05,
        5.12229709037114e-08,
        -8.60467152213735e-11,
        2.00018790482477e-13,
        -2.76076847742355e-16,
    )
)
_D0, _D2, _D4, _D6 = (
    _F(c) for c in (4.89352518554385e-03, 2.26843463243900e-03, 1.18534705686654e-04, 1.19825839466702e-06)
)


def exponential(x: Any) -> Any:
    """e**x, relative error below 2e-7 in float32; overflows to infinity, underflows to 0, keeps NaN."""
    return np.exp(x)


def hyperbolic_tangent(x: Any) -> Any:
    """tanh(x), error below 5e-7 relative in float32; keeps NaN."""
    return np.tanh(x)


@overload(exponential)
def _exponential(x: Any) -> Any:
    if x == types.float32:
        return _exponential_float32
    return _exponential_float64


@overload(hyperbolic_tangent)
def _hyperbolic_tangent(x: Any) -> Any:
    if x == types.float32:
        return _tanh_float32
    return _tanh_float64


def _exponential_float32(x: Any) -> Any:
    low = x if x > _EXP_MIN else _EXP_MIN
    clamped = low if low < _EXP_MAX else _EXP_MAX
    n = np.floor(clamped * _LOG2E + _HALF)
    r = clamped - n * _LN2_HIGH - n * _LN2_LOW
    poly = ((((_E0 * r + _E1) * r + _E2) * r + _E3) * r + _E4) * r + _E5
    value = poly * r * r + r + _ONE
    power = np.int32((np.int32(n) + 127) << 23).view(np.float32)
    result = value * power
    result = _F(np.inf) if x > _EXP_MAX else result
    result = _F(0.0) if x < _EXP_MIN else result
    return result if x == x else x  # noqa: PLR0124 (NaN test)


def _tanh_float32(x: Any) -> Any:
    low = x if x > -_TANH_CLAMP else -_TANH_CLAMP
    c = low if low < _TANH_CLAMP else _TANH_CLAMP
    s = c * c
    top = ((((((_T13 * s + _T11) * s + _T9) * s + _T7) * s + _T5) * s + _T3) * s + _T1) * c
    bottom = ((_D6 * s + _D4) * s + _D2) * s + _D0
    result = top / bottom
    return result if x == x else x  # noqa: PLR0124 (NaN test)


def _exponential_float64(x: Any) -> Any:
    return math.exp(x) if x < 709.7 else (x if x != x else np.inf)  # noqa: PLR0124 (NaN test)


def _tanh_float64(x: Any) -> Any:
    return math.tanh(x)
