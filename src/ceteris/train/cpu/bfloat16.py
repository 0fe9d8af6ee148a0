"""Numbers in bfloat16 inside kernels: NumPy does not know it, so they stand as their 16 bits (uint16)."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

_NAN = np.uint16(0x7FC0)


def widened(x: Any) -> Any:
    """Return a number that was read: float32 for the bits of a bfloat16, any other as it is."""
    return x


def narrowed(value: Any, place: Any) -> Any:
    """Return what to write for a number where ``place`` stands: its bits in bfloat16, rounded to even."""
    return value


@overload(widened)
def _widened(x: Any) -> Any:
    return _from_bits if x == types.uint16 else _as_it_is


@overload(narrowed)
def _narrowed(value: Any, place: Any) -> Any:
    return _to_bits if place == types.uint16 else _value


def _as_it_is(x: Any) -> Any:
    return x


def _value(value: Any, place: Any) -> Any:
    return value


def _from_bits(x: Any) -> Any:
    return np.uint32(np.uint32(x) << np.uint32(16)).view(np.float32)


def _to_bits(value: Any, place: Any) -> Any:
    bits = np.float32(value).view(np.uint32)
    odd = np.uint32(bits >> np.uint32(16)) & np.uint32(1)
    rounded = np.uint32(bits + np.uint32(0x7FFF) + odd) >> np.uint32(16)
    return np.uint16(rounded) if value == value else _NAN  # noqa: PLR0124 (NaN test)
