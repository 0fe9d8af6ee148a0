"""Parts of a vector as matrices and vectors of their own, made without a call.

Numba reshapes by a function of its runtime, which takes 30 ns: long beside a small layer. These views hold no
reference: what they are part of has to outlive them, as the arguments of a kernel do.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array


def _viewed(context: Any, builder: Any, signature: Any, arguments: Any, result: Any, shape: list[Any]) -> Any:
    """Build an array of a shape that begins ``arguments[1]`` numbers into the first argument."""
    kind = signature.args[0]
    source, view = make_array(kind)(context, builder, arguments[0]), make_array(result)(context, builder)
    size = context.get_constant(types.intp, kind.dtype.bitwidth // 8)
    strides = [size]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    begin = cgutils.pointer_add(builder, source.data, builder.mul(arguments[1], size))
    populate_array(view, begin, shape, strides, size, meminfo=None)
    return view._getvalue()


def _matrix(typing, vector, offset, rows, columns):
    """View part of a vector as a (rows, columns) matrix."""
    result = types.Array(vector.dtype, 2, "C")

    def build(context, builder, signature, arguments):
        return _viewed(context, builder, signature, arguments, result, list(arguments[2:]))

    return result(vector, types.intp, types.intp, types.intp), build


def _part(typing, vector, offset, size):
    """View part of a vector."""
    result = types.Array(vector.dtype, 1, "C")

    def build(context, builder, signature, arguments):
        return _viewed(context, builder, signature, arguments, result, [arguments[2]])

    return result(vector, types.intp, types.intp), build


matrix: Any = intrinsic(_matrix)
part: Any = intrinsic(_part)
