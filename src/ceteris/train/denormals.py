"""Flushes denormal numbers to 0 in this thread and in all that it starts, without loading torch."""

from __future__ import annotations

import ctypes
import platform

import numpy as np

FLUSH = 0x8040
"""Of the control word of SSE: results that are denormal become 0 (bit 15), and so do operands (bit 6)."""
ENVIRONMENT = 32
"""Bytes of glibc's ``fenv_t`` on x86-64; the control word is the last four."""


def flush_denormals() -> bool:
    """Set the processor's flags, as ``torch.set_flush_denormal(True)`` does; tell whether that took effect.

    Only for x86-64 under glibc; elsewhere nothing is changed.
    """
    if platform.machine() != "x86_64" or platform.libc_ver()[0] != "glibc":
        return False
    try:
        maths = ctypes.CDLL("libm.so.6")
    except OSError:
        return False
    state = (ctypes.c_uint32 * (ENVIRONMENT // 4))()
    if maths.fegetenv(state) != 0:
        return False
    state[-1] |= FLUSH
    return bool(maths.fesetenv(state) == 0) and denormals_are_flushed()


def denormals_are_flushed() -> bool:
    """Tell whether this thread's arithmetic makes 0 of denormal operands and results."""
    smallest = np.array([np.finfo(np.float32).tiny, 1e-40], dtype=np.float32)
    return (
        not (smallest * np.float32(0.5)).view(np.uint32).any()
        and not (smallest[1:] + np.float32(0)).view(np.uint32).any()
    )
