"""What threads need to share work inside compiled kernels: atomic numbers, and ways to wait.

Numbers stand in vectors of int64. Every operation also orders memory: what a thread wrote before it stored
or added a number is seen by the thread that loads it (release and acquire).
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import platform
import sys
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic as numba_intrinsic

from ceteris.train.cpu.decorators import kernel

PAUSE = {"x86_64": "llvm.x86.sse2.pause", "AMD64": "llvm.x86.sse2.pause"}.get(platform.machine())
YIELDS = sys.platform != "win32"
"""Whether the system has ``sched_yield``."""
ROUNDS = 4000
"""So often a waiting thread looks again, some tens of microseconds, before it lets others run first."""

intrinsic: Any = numba_intrinsic
"""Its own type does not know that callers leave the first argument out."""
_yield = types.ExternalFunction("sched_yield", types.int32())


def _pointer(context, builder, signature, arguments):
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(array.data, [arguments[1]])


@intrinsic
def load(typing, vector, index):
    """Return ``vector[index]``."""

    def generate(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature, arguments)
        return builder.load_atomic(pointer, "acquire", 8)

    return types.int64(vector, index), generate


@intrinsic
def store(typing, vector, index, value):
    """Set ``vector[index]`` to ``value``."""

    def generate(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature, arguments)
        builder.store_atomic(arguments[2], pointer, "release", 8)
        return context.get_dummy_value()

    return types.void(vector, index, types.int64), generate


@intrinsic
def add(typing, vector, index, value):
    """Add ``value`` to ``vector[index]``; returns what stood there before."""

    def generate(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature, arguments)
        return builder.atomic_rmw("add", pointer, arguments[2], "acq_rel")

    return types.int64(vector, index, types.int64), generate


@intrinsic
def replace(typing, vector, index, old, new):
    """Set ``vector[index]`` to ``new`` where it is ``old``; tells whether it was."""

    def generate(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature, arguments)
        found = builder.cmpxchg(pointer, arguments[2], arguments[3], "acq_rel", "acquire")
        return builder.extract_value(found, 1)

    return types.boolean(vector, index, types.int64, types.int64), generate


@intrinsic
def pause(typing):
    """Let the processor know that this thread waits."""

    def generate(context, builder, signature, arguments):
        if PAUSE is not None:
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, PAUSE), [])
        return context.get_dummy_value()

    return types.void(), generate


@kernel
def wait_a_little(rounds):
    """Wait between two looks at a number; after ``rounds`` of them others run first."""
    pause()
    if YIELDS and rounds >= ROUNDS:
        _yield()
