"""What a network consists of: layers in order, and where each parameter stands in a flat vector.

An architecture is the structure alone. What may differ between the members of one stack (dropout
probabilities, initial weights) is not part of it, so equal architectures can be trained together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from ceteris.nets.composition import lay_out_layers
from ceteris.nets.images import ImageShape, image_shape, pooled
from ceteris.nets.layers import (
    Activate,
    Add,
    BatchNorm,
    Composition,
    Convolution,
    Drop,
    Fork,
    Layer,
    LayerNorm,
    Linear,
    Noise,
    ParameterKind,
    Pool,
    Softmax,
    Tensor,
    UserModule,
)
from ceteris.nets.layout import Layout
from ceteris.spec.layers import DropoutLayer, all_layers
from ceteris.spec.model import CNN, MLP, LinearModel, OutputActivation, SequentialModel
from ceteris.spec.model_parts import Activation

__all__ = [
    "Activate",
    "Add",
    "Architecture",
    "BatchNorm",
    "BuiltInModel",
    "Composition",
    "Convolution",
    "Drop",
    "Fork",
    "Layer",
    "LayerNorm",
    "Linear",
    "Noise",
    "ParameterKind",
    "Pool",
    "Softmax",
    "Tensor",
    "UserModule",
    "architecture",
    "dropout_rates",
    "named_views",
    "random_amounts",
    "random_places",
]

T = TypeVar("T")

BuiltInModel = LinearModel | MLP | CNN | SequentialModel

INPUT, OUTPUT = "input", "output"
"""The roles of what is done to the inputs, and of what is applied to the outputs."""

SOFTMAXES = ("softmax", "log_softmax")

RISING = (
    "relu",
    "tanh",
    "sigmoid",
    "leaky_relu",
    "identity",
    "elu",
    "softplus",
    "hardtanh",
    "scaled_sigmoid",
)
"""Activations that never fall. Max pooling commutes with them, and behind it they cost a quarter."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network's layers from the data to the output, with its parameters and buffers in order."""

    n_in: int
    n_out: int
    layers: tuple[Layer, ...]
    parameters: tuple[Tensor, ...]
    buffers: tuple[Tensor, ...]
    image: ImageShape | None = None
    """What a row is where the network reads images."""

    @property
    def n_parameters(self) -> int:
        """Length of the flat parameter vector."""
        return sum(tensor.size for tensor in self.parameters)

    @property
    def n_buffers(self) -> int:
        """Length of the flat buffer vector."""
        return sum(tensor.size for tensor in self.buffers)

    @property
    def n_slots(self) -> int:
        """How many places the network has where something is drawn in training: see ``random_places``."""
        return len(random_places(self))

    @property
    def runs_as_module(self) -> bool:
        """Whether it is trained as a ``torch.nn.Module`` rather than by the engines of stacked layers."""
        return any(isinstance(layer, Convolution | UserModule | Composition) for layer in self.layers)

    @property
    def composition(self) -> Composition | None:
        """The layers before the output layer, where they are composed freely."""
        return next((layer for layer in self.layers if isinstance(layer, Composition)), None)

    @property
    def n_multiplications(self) -> int:
        """About how many multiplications one row takes on its way forwards."""
        if self.composition is not None:
            heads = [layer.weight.size for layer in self.layers if isinstance(layer, Linear)]
            return self.composition.multiplications + sum(heads)
        if self.image is None:
            own = [layer.multiplications for layer in self.layers if isinstance(layer, UserModule)]
            return own[0] if own else self.n_parameters
        area, total = self.image.height * self.image.width, 0
        for layer in self.layers:
            match layer:
                case Convolution():
                    total += area * layer.weight.size
                case Linear():
                    total += layer.weight.size
                case Pool():
                    area //= layer.size**2
        return total

    @property
    def normalises_batches(self) -> bool:
        """Whether a batch of one row cannot be trained on."""
        inner = () if self.composition is None else self.composition.pieces
        return any(isinstance(piece, BatchNorm) for piece in inner) or any(
            isinstance(layer, BatchNorm) or (isinstance(layer, UserModule) and layer.normalises_batches)
            for layer in self.layers
        )


def architecture(
    spec: BuiltInModel,
    n_in: int,
    n_out: int,
    shape: tuple[int, ...] | None = None,
    table: int | None = None,
) -> Architecture:
    """Lay out the network of a specification for ``n_in`` input features and ``n_out`` outputs.

    Args:
        shape: of a row before it was flattened; a cnn needs it.
        table: columns of the whole table, where the rows of a fold have fewer. A residual sum over the inputs
            is there where it is there for the table; to the units behind the columns it adds nothing.

    Raises:
        CeterisError: where a cnn is to read rows that are no images, or pools them away; where a layer of a
            composed network cannot read what stands before it.
    """
    layout, image = Layout(), None
    match spec:
        case LinearModel():
            layout.linear("head", "head", n_in, n_out, bias=spec.bias)
        case MLP():
            layout.layers.append(Noise(INPUT, n_in, 1 + len(spec.hidden)))
            layout.drop(INPUT, n_in)
            _lay_out_mlp(layout, spec, n_in, n_out, table or n_in)
        case CNN():
            image = image_shape((n_in,) if shape is None else shape)
            width = _lay_out_convolutions(layout, spec, image)
            _lay_out_hidden(layout, spec, width, n_out)
        case SequentialModel():
            composed, image, width = lay_out_layers(layout, spec.layers, n_in, shape or (n_in,), table)
            layout.layers.append(composed)
            layout.linear("head", "head", width, n_out, bias=spec.bias)
    _lay_out_outputs(layout, spec.output, n_out)
    return Architecture(
        n_in, n_out, tuple(layout.layers), tuple(layout.parameters), tuple(layout.buffers), image
    )


def dropout_rates(spec: BuiltInModel) -> tuple[float, ...]:
    """Return the probability of every dropout place: the input of an MLP, then each hidden layer."""
    match spec:
        case LinearModel():
            return ()
        case MLP():
            return (spec.input_dropout, *_per_layer(spec.dropout, len(spec.hidden)))
        case CNN():
            return _per_layer(spec.dropout, len(spec.hidden))
        case SequentialModel():
            return tuple(layer.p for layer in all_layers(spec.layers) if isinstance(layer, DropoutLayer))


def random_amounts(spec: BuiltInModel) -> tuple[float, ...]:
    """Return how much is drawn at every place of ``random_places``, in the order of their slots.

    Dropout probabilities; of an MLP also the deviations of the noise (input, then hidden layers) and the
    probabilities of drop-connect (hidden layers).
    """
    if not isinstance(spec, MLP):
        return dropout_rates(spec)
    hidden = len(spec.hidden)
    noises = (spec.input_noise, *_per_layer(spec.noise, hidden))
    return (*dropout_rates(spec), *noises, *_per_layer(spec.drop_connect, hidden))


def random_places(net: Architecture) -> tuple[tuple[str, str], ...]:
    """Return the purpose and the role of the draws at every place of a network, by slot."""
    found: dict[int, tuple[str, str]] = {}
    inner = () if net.composition is None else net.composition.pieces
    for layer in (*net.layers, *inner):
        match layer:
            case Drop():
                found[layer.slot] = "dropout", layer.role
            case Noise():
                found[layer.slot] = "noise", layer.role
            case Linear(slot=int(slot)):
                found[slot] = "drop_connect", layer.role
    return tuple(found[slot] for slot in sorted(found))


def _lay_out_mlp(layout: Layout, spec: MLP, n_in: int, n_out: int, table: int) -> None:
    count, width = len(spec.hidden), n_in
    norms = _per_layer(spec.batch_norm, count)
    for index, (hidden, normed) in enumerate(zip(spec.hidden, norms, strict=True)):
        role = f"hidden.{index}"
        slot = 2 * (1 + count) + index
        connected = spec.residual and hidden == (table if index == 0 else width)
        if connected:
            layout.layers.append(Fork(role, width))
        layout.linear(role, f"{role}.linear", width, hidden, bias=spec.bias, slot=slot)
        if normed:
            layout.batch_norm(role, hidden, spec)
        if spec.layer_norm:
            layout.layer_norm(role, hidden)
        layout.layers.append(Activate(role, hidden, spec.activation))
        layout.layers.append(Noise(role, hidden, 2 + count + index))
        layout.drop(role, hidden)
        if connected:
            layout.layers.append(Add(role, hidden))
        width = hidden
    layout.linear("head", "head", width, n_out, bias=spec.bias)


def _lay_out_convolutions(layout: Layout, spec: CNN, image: ImageShape) -> int:
    """Add the convolutions with what follows them; return how many numbers are left of a row."""
    channels = image.channels
    for index, width in enumerate(spec.convolutions):
        role = f"convolutions.{index}"
        layout.convolution(role, channels, width, spec.kernel, bias=spec.bias)
        if spec.batch_norm:
            layout.batch_norm(role, width, spec, of_images=True)
        activate = Activate(role, width, spec.activation)
        if spec.activation in RISING:
            layout.pool(role, spec.pool)
            layout.layers.append(activate)
        else:
            layout.layers.append(activate)
            layout.pool(role, spec.pool)
        channels = width
    height, width = pooled(image, len(spec.convolutions), spec.pool)
    return channels * height * width


def _lay_out_hidden(layout: Layout, spec: CNN, n_in: int, n_out: int) -> None:
    width = n_in
    for index, hidden in enumerate(spec.hidden):
        role = f"hidden.{index}"
        layout.linear(role, f"{role}.linear", width, hidden, bias=spec.bias)
        if spec.batch_norm:
            layout.batch_norm(role, hidden, spec)
        layout.layers.append(Activate(role, hidden, spec.activation))
        layout.drop(role, hidden)
        width = hidden
    layout.linear("head", "head", width, n_out, bias=spec.bias)


def _lay_out_outputs(layout: Layout, activations: tuple[OutputActivation, ...], n_out: int) -> None:
    for activation in activations:
        if activation in SOFTMAXES:
            layout.layers.append(Softmax(OUTPUT, n_out, activation == "log_softmax"))
        else:
            layout.layers.append(Activate(OUTPUT, n_out, cast("Activation", activation)))


def _per_layer(value: T | tuple[T, ...], n: int) -> tuple[T, ...]:
    return value if isinstance(value, tuple) else (value,) * n


def named_views(tensors: tuple[Tensor, ...], flat: Any) -> Iterator[tuple[str, Any]]:
    """Yield (name, view) of each tensor in a flat vector (NumPy or torch), without copying."""
    for tensor in tensors:
        yield tensor.name, flat[tensor.offset : tensor.offset + tensor.size].reshape(tensor.shape)
