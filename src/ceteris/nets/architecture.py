"""What a network consists of: layers in order, and where each parameter stands in a flat vector.

An architecture is the structure alone. What may differ between the members of one stack (dropout
probabilities, initial weights) is not part of it, so equal architectures can be trained together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from ceteris.spec.model import MLP, Activation, LinearModel

T = TypeVar("T")

ParameterKind = Literal["weight", "bias", "norm_weight", "norm_bias"]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A parameter or buffer: its name in the module, its shape, its place in the flat vector."""

    name: str
    shape: tuple[int, ...]
    offset: int
    role: str
    """The layer it belongs to, such as ``hidden.0`` or ``head``: the name of its random draws."""
    kind: ParameterKind | Literal["running_mean", "running_var"]
    fan_in: int = 0
    fan_out: int = 0

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Linear:
    """y = x W^T + b, with W of shape (n_out, n_in) as in ``torch.nn.Linear``."""

    role: str
    n_in: int
    n_out: int
    weight: Tensor
    bias: Tensor | None


@dataclass(frozen=True, slots=True)
class BatchNorm:
    """Batch normalisation over the rows of a batch (Ioffe and Szegedy 2015), as ``torch.nn.BatchNorm1d``."""

    role: str
    n: int
    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor
    eps: float
    momentum: float


@dataclass(frozen=True, slots=True)
class Activate:
    """An element-wise activation."""

    role: str
    n: int
    kind: Activation


@dataclass(frozen=True, slots=True)
class Drop:
    """Dropout (Srivastava et al. 2014); ``slot`` counts the dropout places of the network from 0."""

    role: str
    n: int
    slot: int


Layer = Linear | BatchNorm | Activate | Drop


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network's layers from the data to the output, with its parameters and buffers in order."""

    n_in: int
    n_out: int
    layers: tuple[Layer, ...]
    parameters: tuple[Tensor, ...]
    buffers: tuple[Tensor, ...]

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
        """How many dropout places the network has."""
        return sum(isinstance(layer, Drop) for layer in self.layers)


def architecture(spec: LinearModel | MLP, n_in: int, n_out: int) -> Architecture:
    """Lay out the network of a specification for ``n_in`` input features and ``n_out`` outputs."""
    layout = _Layout()
    if isinstance(spec, LinearModel):
        layout.linear("head", "head", n_in, n_out, bias=spec.bias)
    else:
        _lay_out_mlp(layout, spec, n_in, n_out)
    return Architecture(n_in, n_out, tuple(layout.layers), tuple(layout.parameters), tuple(layout.buffers))


def dropout_rates(spec: LinearModel | MLP) -> tuple[float, ...]:
    """Return the probability of every dropout place: the input, then each hidden layer."""
    if isinstance(spec, LinearModel):
        return ()
    return (spec.input_dropout, *_per_layer(spec.dropout, len(spec.hidden)))


def _lay_out_mlp(layout: _Layout, spec: MLP, n_in: int, n_out: int) -> None:
    layout.drop("input", n_in)
    width = n_in
    norms = _per_layer(spec.batch_norm, len(spec.hidden))
    for index, (hidden, normed) in enumerate(zip(spec.hidden, norms, strict=True)):
        role = f"hidden.{index}"
        layout.linear(role, f"{role}.linear", width, hidden, bias=spec.bias)
        if normed:
            layout.batch_norm(role, hidden, spec.batch_norm_eps, spec.batch_norm_momentum)
        layout.layers.append(Activate(role, hidden, spec.activation))
        layout.drop(role, hidden)
        width = hidden
    layout.linear("head", "head", width, n_out, bias=spec.bias)


def _per_layer(value: T | tuple[T, ...], n: int) -> tuple[T, ...]:
    return value if isinstance(value, tuple) else (value,) * n


class _Layout:
    """Collects layers and gives each tensor the next place in its flat vector."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.parameters: list[Tensor] = []
        self.buffers: list[Tensor] = []

    def linear(self, role: str, name: str, n_in: int, n_out: int, *, bias: bool) -> None:
        weight = self._add(self.parameters, f"{name}.weight", (n_out, n_in), role, "weight", n_in, n_out)
        offset = (
            self._add(self.parameters, f"{name}.bias", (n_out,), role, "bias", n_in, n_out) if bias else None
        )
        self.layers.append(Linear(role, n_in, n_out, weight, offset))

    def batch_norm(self, role: str, n: int, eps: float, momentum: float) -> None:
        name = f"{role}.norm"
        self.layers.append(
            BatchNorm(
                role,
                n,
                self._add(self.parameters, f"{name}.weight", (n,), role, "norm_weight"),
                self._add(self.parameters, f"{name}.bias", (n,), role, "norm_bias"),
                self._add(self.buffers, f"{name}.running_mean", (n,), role, "running_mean"),
                self._add(self.buffers, f"{name}.running_var", (n,), role, "running_var"),
                eps,
                momentum,
            )
        )

    def drop(self, role: str, n: int) -> None:
        slot = sum(isinstance(layer, Drop) for layer in self.layers)
        self.layers.append(Drop(role, n, slot))

    @staticmethod
    def _add(
        tensors: list[Tensor],
        name: str,
        shape: tuple[int, ...],
        role: str,
        kind: ParameterKind | Literal["running_mean", "running_var"],
        fan_in: int = 0,
        fan_out: int = 0,
    ) -> Tensor:
        offset = tensors[-1].offset + tensors[-1].size if tensors else 0
        tensor = Tensor(name, shape, offset, role, kind, fan_in, fan_out)
        tensors.append(tensor)
        return tensor


def named_views(tensors: tuple[Tensor, ...], flat: Any) -> Iterator[tuple[str, Any]]:
    """Yield (name, view) of each tensor in a flat vector (NumPy or torch), without copying."""
    for tensor in tensors:
        yield tensor.name, flat[tensor.offset : tensor.offset + tensor.size].reshape(tensor.shape)
