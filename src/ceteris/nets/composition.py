"""Lays out a freely composed network: every layer with the shape that it reads, tied layers once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ceteris.errors import CeterisError, Problem
from ceteris.nets.images import ImageShape, image_shape
from ceteris.nets.layers import (
    Activate,
    Again,
    BatchNorm,
    Chain,
    Composition,
    Drop,
    Flatten,
    LayerNorm,
    Piece,
    Pool,
)
from ceteris.nets.layout import Layout
from ceteris.spec.layers import (
    ActivationLayer,
    AvgPoolLayer,
    BatchNormLayer,
    BlockLayers,
    ConvLayer,
    DropoutLayer,
    FlattenLayer,
    LayerNormLayer,
    LinearLayer,
    MaxPoolLayer,
    OneLayer,
    ResidualLayers,
    UseLayer,
    all_layers,
)

ROLE = "layers"
WHERE = "experiment.model.layers"

Shape = tuple[int, ...]
"""Of a row on its way: (numbers,), or (channels, height, width)."""


@dataclass(frozen=True)
class _Placed:
    """A layer or block that may be used again: the shapes that it reads and gives, and what it costs."""

    role: str
    read: Shape
    given: Shape
    multiplications: int
    activations: int


def lay_out_layers(
    layout: Layout, layers: Sequence[OneLayer], n_in: int, shape: Shape, table: int | None = None
) -> tuple[Composition, ImageShape | None, int]:
    """Add the tensors of layers to a layout.

    Args:
        layout: collects parameters, buffers and places of dropout.
        layers: from the data to the output layer, which is not among them.
        n_in: numbers of a row.
        shape: of a row of the data.
        table: columns of the whole table, where rows have fewer: see ``architecture``.

    Returns:
        The layers, what a row is where they read images, and how many numbers they give.

    Raises:
        CeterisError: for the first layer that cannot read what stands before it.
    """
    image = _image(layers, shape)
    start = (n_in,) if image is None else (image.channels, image.height, image.width)
    composer = _Composer(layout, (n_in, table or n_in))
    pieces, given, count = composer.chain(layers, ROLE, WHERE, start)
    if len(given) > 1:
        message = f"the layers end with an image of {_told(given)}, and outputs need a row: add `flatten`"
        raise _wrong(message, WHERE)
    whole = Chain(ROLE, ROLE, pieces, residual=False)
    return Composition(ROLE, whole, count, composer.activations), image, given[0]


def _image(layers: Sequence[OneLayer], shape: Shape) -> ImageShape | None:
    """Return what a row is as an image, where the first layer that asks for a shape reads images."""
    asking = (ConvLayer, MaxPoolLayer, AvgPoolLayer, LinearLayer, LayerNormLayer, FlattenLayer)
    first = next((layer for layer in all_layers(layers) if isinstance(layer, asking)), None)
    if not isinstance(first, ConvLayer | MaxPoolLayer | AvgPoolLayer):
        return None
    try:
        return image_shape(shape)
    except CeterisError as error:
        told = _told(shape) + (" in one axis" if len(shape) == 1 else "")
        message = f"`{first.kind}` reads images, and a row of the data is {told}; begin with `linear`"
        raise _wrong(message, WHERE) from error


class _Composer:
    def __init__(self, layout: Layout, widened: tuple[int, int]) -> None:
        """Lay out into ``layout``; a residual sum may widen rows from a number to another."""
        self._layout, self._widened = layout, widened
        self._named: dict[str, _Placed] = {}
        self._drops = 0
        self.activations = 0
        """Numbers of one row that layers have given so far."""

    def chain(
        self, layers: Sequence[OneLayer], role: str, where: str, shape: Shape
    ) -> tuple[tuple[Piece, ...], Shape, int]:
        """Lay out layers one after another; return them, the shape that they give, and what they cost."""
        pieces: list[Piece] = []
        total = 0
        for place, layer in enumerate(layers):
            own_role, own_where = f"{role}.{layer.name or place}", f"{where}.{place}"
            before = self.activations
            piece, given, count = self._piece(layer, own_role, own_where, shape)
            if isinstance(layer, UseLayer):
                self.activations += self._named[layer.of].activations
            elif not isinstance(layer, BlockLayers | FlattenLayer):  # of a residual one it is the sum
                self.activations += math.prod(given)
            if layer.name:
                own = self.activations - before
                self._named[layer.name] = _Placed(own_role, shape, given, count, own)
            pieces.append(piece)
            shape, total = given, total + count
        return tuple(pieces), shape, total

    def _piece(self, layer: OneLayer, role: str, where: str, shape: Shape) -> tuple[Piece, Shape, int]:
        found: tuple[Piece, Shape, int]
        match layer:
            case UseLayer():
                found = self._again(layer, role, where, shape)
            case ResidualLayers() | BlockLayers():
                found = self._inner(layer, role, where, shape)
            case LinearLayer():
                found = self._linear(layer, role, where, shape)
            case ConvLayer():
                found = self._convolution(layer, role, where, shape)
            case MaxPoolLayer() | AvgPoolLayer():
                found = self._pool(layer, role, where, shape)
            case BatchNormLayer():
                found = self._batch_norm(layer, role, shape), shape, 0
            case LayerNormLayer():
                found = self._layer_norm(layer, role, where, shape), shape, 0
            case ActivationLayer():
                found = Activate(role, math.prod(shape), layer.function), shape, 0
            case DropoutLayer():
                found = Drop(role, math.prod(shape), self._drops), shape, 0
                self._drops += 1
            case FlattenLayer():
                found = Flatten(role), (math.prod(shape),), 0
        return found

    def _again(self, layer: UseLayer, role: str, where: str, shape: Shape) -> tuple[Piece, Shape, int]:
        first = self._named[layer.of]
        if shape != first.read:
            message = f"`{layer.of}` reads {_told(first.read)}, and here it gets {_told(shape)}"
            raise _wrong(f"{message}; tied layers need the same shape", where)
        return Again(role, first.role), first.given, first.multiplications

    def _inner(
        self, layer: ResidualLayers | BlockLayers, role: str, where: str, shape: Shape
    ) -> tuple[Piece, Shape, int]:
        pieces, given, count = self.chain(layer.layers, role, f"{where}.layers", shape)
        residual = isinstance(layer, ResidualLayers)
        if residual and given != shape and (*shape, *given) != self._widened:
            message = f"{_told(shape)} go in and {_told(given)} come out, which cannot be added"
            raise _wrong(f"{message}; {_remedy(shape)}", where)
        return Chain(role, role.rpartition(".")[2], pieces, residual), given, count

    def _linear(self, layer: LinearLayer, role: str, where: str, shape: Shape) -> tuple[Piece, Shape, int]:
        if len(shape) > 1:
            message = f"`linear` reads a row of numbers, and here is an image of {_told(shape)}"
            raise _wrong(f"{message}: put `flatten` before it", where)
        made = self._layout.make_linear(role, role, shape[0], layer.width, bias=layer.bias)
        return made, (layer.width,), made.weight.size

    def _convolution(self, layer: ConvLayer, role: str, where: str, shape: Shape) -> tuple[Piece, Shape, int]:
        channels, height, width = _as_image("conv", shape, where)
        padding = layer.kernel // 2 if layer.padding is None else layer.padding
        sides = [(side + 2 * padding - layer.kernel) // layer.stride + 1 for side in (height, width)]
        if min(sides) < 1:
            message = f"a kernel of {layer.kernel} does not fit into an image of {_told(shape)}"
            raise _wrong(f"{message} with padding {padding}; give a smaller kernel or more padding", where)
        made = self._layout.make_convolution(
            role,
            role,
            channels,
            layer.channels,
            layer.kernel,
            bias=layer.bias,
            stride=layer.stride,
            padding=padding,
        )
        return made, (layer.channels, *sides), made.weight.size * math.prod(sides)

    @staticmethod
    def _pool(
        layer: MaxPoolLayer | AvgPoolLayer, role: str, where: str, shape: Shape
    ) -> tuple[Piece, Shape, int]:
        channels, height, width = _as_image(layer.kind, shape, where)
        stride = layer.size if layer.stride is None else layer.stride
        if min(height, width) < layer.size:
            message = f"squares of {layer.size} do not fit into an image of {_told(shape)}"
            raise _wrong(f"{message}; give a smaller size", where)
        sides = [(side - layer.size) // stride + 1 for side in (height, width)]
        pool = Pool(role, layer.size, stride, average=isinstance(layer, AvgPoolLayer))
        return pool, (channels, *sides), 0

    def _batch_norm(self, layer: BatchNormLayer, role: str, shape: Shape) -> BatchNorm:
        images = len(shape) > 1
        return self._layout.make_batch_norm(
            role, role, shape[0], eps=layer.eps, momentum=layer.momentum, of_images=images
        )

    def _layer_norm(self, layer: LayerNormLayer, role: str, where: str, shape: Shape) -> LayerNorm:
        if len(shape) > 1:
            message = f"`layer_norm` reads a row of numbers, and here is an image of {_told(shape)}"
            raise _wrong(f"{message}: put `flatten` before it, or use `batch_norm`", where)
        return self._layout.make_layer_norm(role, role, shape[0], layer.eps)


def _as_image(kind: str, shape: Shape, where: str) -> Shape:
    if len(shape) == 1:
        message = f"`{kind}` reads images, and here is a row of {_told(shape)}"
        raise _wrong(f"{message}: put it before `flatten` and `linear`", where)
    return shape


def _remedy(shape: Shape) -> str:
    if len(shape) == 1:
        return f"let the layers inside end with `linear: {shape[0]}`"
    return f"let the layers inside keep height and width and end with `conv: {shape[0]}`"


def _told(shape: Shape) -> str:
    return f"{shape[0]} numbers" if len(shape) == 1 else " x ".join(map(str, shape))


def _wrong(message: str, where: str) -> CeterisError:
    return CeterisError(Problem(message, where=where))
