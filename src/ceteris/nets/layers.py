"""The layers that a built-in network consists of, and the tensors that belong to them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ceteris.spec.model import EpsPlace
from ceteris.spec.model_parts import Activation

ParameterKind = Literal["weight", "bias", "norm_weight", "norm_bias"]
BufferKind = Literal["running_mean", "running_var"]
OutputKind = Literal["", "probabilities", "log-probabilities", "shares of the batch", "no probabilities"]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A parameter or buffer: its name in the module, its shape, its place in the flat vector."""

    name: str
    shape: tuple[int, ...]
    offset: int
    role: str
    """The layer it belongs to, such as ``hidden.0`` or ``head``: the name of its random draws."""
    kind: ParameterKind | BufferKind | Literal["own"]
    """``own``: of a module of the user's, which knows itself how the tensor starts."""
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
    slot: int | None = None
    """The place of its drop-connect, where it may have one."""


@dataclass(frozen=True, slots=True)
class Convolution:
    """A square convolution: ``torch.nn.Conv2d``; padding ``kernel // 2``, which keeps height and width."""

    role: str
    n_in: int
    n_out: int
    kernel: int
    weight: Tensor
    bias: Tensor | None
    stride: int = 1
    padding: int | None = None
    """Where it is another one."""


@dataclass(frozen=True, slots=True)
class BatchNorm:
    """Batch normalisation over the rows of a batch (Ioffe and Szegedy 2015), as ``torch.nn.BatchNorm1d``.

    Of images (``BatchNorm2d``) every channel is normalised over rows, height and width.
    """

    role: str
    n: int
    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor
    eps: float
    momentum: float
    of_images: bool = False
    eps_place: EpsPlace = "inside"
    """Inside the root, or added to the root."""


@dataclass(frozen=True, slots=True)
class LayerNorm:
    """Normalisation over the units of every row (Ba et al. 2016), as ``torch.nn.LayerNorm``."""

    role: str
    n: int
    weight: Tensor
    bias: Tensor
    eps: float = 1e-5


@dataclass(frozen=True, slots=True)
class Pool:
    """Pooling over squares of ``size`` by ``size``: maxima or means; what is left at the edge is dropped."""

    role: str
    size: int
    stride: int | None = None
    """From one square to the next, where it is not their size."""
    average: bool = False


@dataclass(frozen=True, slots=True)
class Activate:
    """An element-wise activation."""

    role: str
    n: int
    kind: Activation


@dataclass(frozen=True, slots=True)
class Softmax:
    """Softmax over the units of a row, or its logarithm."""

    role: str
    n: int
    log: bool


@dataclass(frozen=True, slots=True)
class Fork:
    """Where a residual connection begins; it ends at the ``Add`` that belongs to it as a bracket does."""

    role: str
    n: int


@dataclass(frozen=True, slots=True)
class Add:
    """Adds what stood at the ``Fork`` (He et al. 2016)."""

    role: str
    n: int


@dataclass(frozen=True, slots=True)
class Drop:
    """Dropout (Srivastava et al. 2014); ``slot`` counts the dropout places of the network from 0."""

    role: str
    n: int
    slot: int


@dataclass(frozen=True, slots=True)
class Noise:
    """Additive Gaussian noise in training; ``slot`` is the place of its standard deviation."""

    role: str
    n: int
    slot: int


@dataclass(frozen=True, slots=True)
class UserModule:
    """A ``torch.nn.Module`` of the user's own as a whole: what makes it, and how its rows are shaped."""

    role: str
    name: str
    arguments: str
    """As JSON."""
    row_shape: tuple[int, ...]
    channels_last: bool
    """Whether it runs with images in this memory layout, which is faster."""
    normalises_batches: bool
    """Whether it has batch norm, which cannot normalise a batch of one row."""
    multiplications: int
    """About how many one row takes on its way forwards, by which trials are shared out to workers."""
    hidden: tuple[str, ...] = ()
    """Paths of the modules inside whose outputs are measured: see ``ceteris.nets.hidden``."""
    activations: int = 0
    """How many numbers of 4 bytes one row leaves behind for the way backwards."""
    outputs: OutputKind = ""
    """What its outputs are, as far as two rows tell; empty for logits and other numbers."""


@dataclass(frozen=True, slots=True)
class Flatten:
    """An image becomes a row of numbers, channel by channel."""

    role: str


@dataclass(frozen=True, slots=True)
class Again:
    """The layer or chain of the role ``of`` once more, with the same parameters."""

    role: str
    of: str


@dataclass(frozen=True, slots=True)
class Chain:
    """Layers one after another, under a name; ``residual``: what goes in is added to what comes out."""

    role: str
    """Its path in the network, which those of its layers begin with."""
    name: str
    pieces: tuple[Piece, ...]
    residual: bool


Piece = Linear | Convolution | BatchNorm | LayerNorm | Pool | Activate | Drop | Flatten | Again | Chain
"""What a freely composed network consists of; the role of each is its path in the module."""


@dataclass(frozen=True, slots=True)
class Composition:
    """A freely composed network without its output layer: runs as a ``torch.nn.Sequential``."""

    role: str
    chain: Chain
    multiplications: int
    """About how many one row takes on its way forwards."""
    activations: int
    """How many numbers one row makes on its way: all that layers and sums give."""

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """All layers, those in chains behind their chain; tied ones once."""
        return tuple(_pieces(self.chain))


def _pieces(chain: Chain) -> Iterator[Piece]:
    for piece in chain.pieces:
        yield piece
        if isinstance(piece, Chain):
            yield from _pieces(piece)


Layer = (
    Linear
    | Convolution
    | BatchNorm
    | LayerNorm
    | Pool
    | Activate
    | Softmax
    | Fork
    | Add
    | Drop
    | Noise
    | UserModule
    | Composition
)
