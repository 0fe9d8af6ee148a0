"""Tiles of matrix products that stay in the processor's registers, written in LLVM's language.

Numba has no vector types. A tile is ``lines`` of C by some of its columns; every number of it is summed in an
order that is a function of the depth alone, so the bits do not depend on the tile that computes it.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ceteris.train.numerics import has_avx512

VECTOR_BYTES = 64 if has_avx512() else 32
_INDEX = types.intp


class _Part:
    """A matrix within a vector: element (row, column) stands at ``begin + row * down + column * across``."""

    def __init__(self, context: Any, builder: Any, kind: Any, vector: Any, begin: Any, down: Any) -> None:
        self._builder, self._data = builder, context.make_array(kind)(context, builder, vector).data
        self._begin, self.down, self.across = begin, down, _number(1)
        self.real = context.get_value_type(kind.dtype)
        self.size = kind.dtype.bitwidth // 8
        self.lanes = VECTOR_BYTES // self.size

    def _at(self, row: Any, column: Any, width: int) -> Any:
        builder = self._builder
        place = builder.add(self._begin, builder.mul(row, self.down))
        place = builder.gep(self._data, [builder.add(place, builder.mul(column, self.across))])
        return builder.bitcast(place, ir.VectorType(self.real, width).as_pointer()) if width > 1 else place

    def load(self, row: Any, column: Any, width: int = 1) -> Any:
        return self._builder.load(self._at(row, column, width), align=self.size)

    def store(self, value: Any, row: Any, column: Any, width: int) -> None:
        self._builder.store(value, self._at(row, column, width), align=self.size)


def _number(value: int) -> Any:
    """Return a constant index."""
    return ir.Constant(ir.IntType(64), value)


def _vector(part: _Part, width: int) -> Any:
    return ir.VectorType(part.real, width) if width > 1 else part.real


def _multiply_add(builder: Any, place: Any, a: Any, b: Any) -> None:
    """Add a b to what stands at a place, rounded once: left to LLVM, only some tiles would do so."""
    kind = a.type
    real, lanes = (kind.element, f"v{kind.count}") if isinstance(kind, ir.VectorType) else (kind, "")
    name = f"llvm.fma.{lanes}{'f32' if isinstance(real, ir.FloatType) else 'f64'}"
    fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * 3), name)
    builder.store(builder.call(fma, [a, b, builder.load(place)]), place)


def _sums(builder: Any, kind: Any, count: int) -> list[Any]:
    places = [cgutils.alloca_once(builder, kind) for _ in range(count)]
    for place in places:
        builder.store(ir.Constant(kind, None if isinstance(kind, ir.VectorType) else 0.0), place)
    return places


def _pick(builder: Any, a: Any, b: Any, lanes: Sequence[int]) -> Any:
    mask = ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), list(lanes))
    return builder.shuffle_vector(a, b, mask)


def _spread(builder: Any, kind: Any, value: Any, width: int) -> Any:
    if width == 1:
        return value
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    return _pick(builder, one, one, [0] * width)


def _steps(builder: Any, number_of: Any, first: Any) -> list[Any]:
    return [builder.add(first, _number(step)) for step in range(number_of)]


def outer_tile(lines: int, vectors: int, width: int = 0) -> Any:
    """Return an intrinsic that computes a tile of C = A B (+ C), B and C standing row by row.

    Its columns are so many vectors of ``width`` numbers (0: whole vectors). A number of C is the sum over
    the depth in its order, begun with what stands in C where ``adds``.
    """

    @intrinsic
    def tile(typing, a, a_at, a_down, a_across, b, b_at, b_down, c, c_at, c_down, depth, line, column, adds):
        def build(context, builder, signature, arguments):
            def part(first):
                return _Part(context, builder, signature.args[first], *arguments[first : first + 3])

            factors, rows, out = part(0), part(4), part(7)
            factors.across, (depth, line, column, adds) = arguments[3], arguments[10:]
            lanes = width or rows.lanes
            kind = _vector(rows, lanes)
            columns = [builder.add(column, _number(lanes * nth)) for nth in range(vectors)]
            own_lines = _steps(builder, lines, line)
            sums = _sums(builder, kind, lines * vectors)
            places = [(own, at) for own in own_lines for at in columns]
            with builder.if_then(cgutils.is_true(builder, adds)):
                for place, (own, at) in zip(sums, places, strict=True):
                    builder.store(out.load(own, at, lanes), place)
            with cgutils.for_range(builder, depth) as loop:
                loaded = [rows.load(loop.index, at, lanes) for at in columns]
                for nth, own in enumerate(own_lines):
                    factor = _spread(builder, kind, factors.load(own, loop.index), lanes)
                    for place, value in zip(sums[nth * vectors :], loaded, strict=False):
                        _multiply_add(builder, place, factor, value)
            for place, (own, at) in zip(sums, places, strict=True):
                out.store(builder.load(place), own, at, lanes)
            return context.get_dummy_value()

        whole = (_INDEX,) * 2
        return types.void(a, *whole, _INDEX, b, *whole, c, *whole, _INDEX, *whole, types.boolean), build

    return tile


def inner_tile(lines: int, rows: int) -> Any:
    """Return an intrinsic that computes a tile of C = A B^T (+ C): A and B stand row by row, ``depth`` long.

    It has so many columns, the dot products with as many rows of B. A dot product is summed lane by lane;
    the lanes' sums are added by halves. The depth is one vector at least.
    """

    @intrinsic
    def tile(typing, a, a_at, a_down, b, b_at, b_down, c, c_at, c_down, depth, line, column, adds):
        def build(context, builder, signature, arguments):
            def part(first):
                return _Part(context, builder, signature.args[first], *arguments[first : first + 3])

            left, right, out = part(0), part(3), part(6)
            depth, line, column, adds = arguments[9:]
            lanes = left.lanes
            kind = _vector(left, lanes)
            own_lines, own_rows = _steps(builder, lines, line), _steps(builder, rows, column)
            sums = _sums(builder, kind, lines * rows)

            def add_products(at, kept):
                xs = [kept(right.load(own, at, lanes)) for own in own_rows]
                for nth, own in enumerate(own_lines):
                    factor = kept(left.load(own, at, lanes))
                    for place, x in zip(sums[nth * rows :], xs, strict=False):
                        _multiply_add(builder, place, factor, x)

            with cgutils.for_range(builder, builder.udiv(depth, _number(lanes))) as loop:
                add_products(builder.mul(loop.index, _number(lanes)), lambda loaded: loaded)
            rest = builder.urem(depth, _number(lanes))
            with builder.if_then(builder.icmp_unsigned("!=", rest, _number(0))):
                # The last vector overlaps the one before it: only what is new in it is kept.
                counts = ir.VectorType(ir.IntType(64), lanes)
                lane = ir.Constant(counts, [lanes - nth for nth in range(lanes)])
                new = builder.icmp_unsigned("<=", lane, _spread(builder, counts, rest, lanes))
                zeros = ir.Constant(kind, None)
                last = builder.sub(depth, _number(lanes))
                add_products(last, lambda loaded: builder.select(new, loaded, zeros))
            found = _added_up(builder, [builder.load(place) for place in sums], lanes)
            for nth, own in enumerate(own_lines):
                vector, lane = divmod(nth * rows, lanes)
                value = _pick(builder, found[vector], found[vector], range(lane, lane + rows))
                if rows == 1:
                    value = builder.extract_element(value, ir.Constant(ir.IntType(32), 0))
                place = cgutils.alloca_once_value(builder, value)
                with builder.if_then(cgutils.is_true(builder, adds)):
                    builder.store(builder.fadd(out.load(own, column, rows), value), place)
                out.store(builder.load(place), own, column, rows)
            return context.get_dummy_value()

        whole = (_INDEX,) * 2
        return types.void(a, *whole, b, *whole, c, *whole, _INDEX, *whole, types.boolean), build

    return tile


def _added_up(builder: Any, vectors: list[Any], lanes: int) -> list[Any]:
    """Return vectors that begin with the sums of the lanes of the given ones, in their order.

    The halves of a vector are added, then the halves of that, and so on. Vectors share the additions, but
    what is added to what does not depend on how many there are.
    """
    span = lanes
    while span > 1:
        half = span // 2
        low = [start + lane for start in range(0, lanes, span) for lane in range(half)]
        high = [place + half for place in low]
        both = [(a, vectors[min(2 * nth + 1, len(vectors) - 1)]) for nth, a in enumerate(vectors[::2])]
        low, high = low + [lanes + lane for lane in low], high + [lanes + lane for lane in high]
        vectors = [builder.fadd(_pick(builder, a, b, low), _pick(builder, a, b, high)) for a, b in both]
        span = half
    return vectors
