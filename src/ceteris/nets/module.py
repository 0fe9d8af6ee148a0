"""Networks as ordinary ``torch.nn.Module``s, with ordinary parameter names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from ceteris.errors import CeterisError
from ceteris.nets.architecture import (
    OUTPUT,
    Activate,
    Add,
    Architecture,
    BatchNorm,
    Composition,
    Convolution,
    Drop,
    Fork,
    Layer,
    LayerNorm,
    Linear,
    Noise,
    Pool,
    Softmax,
    UserModule,
    named_views,
)
from ceteris.nets.images import ImageShape
from ceteris.nets.layers import Again, Chain, Flatten
from ceteris.nets.root_plus_eps import RootPlusEps


class ScaledSigmoid(nn.Module):
    """4 sigmoid(x) - 2: a sigmoid through 0 with slope 1 there."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the function element by element."""
        return 4 * torch.sigmoid(x) - 2


class ResidualBlock(nn.Sequential):
    """Layers whose input is added to their output (He et al. 2016), to its first units where it is wider."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the layers one after another, and add what they got."""
        through = x
        for layer in self:
            through = layer(through)
        if x.shape[1] < through.shape[1]:  # the columns of a fold that lacks some: see ``architecture``
            x = functional.pad(x, (0, through.shape[1] - x.shape[1]))
        return x + through


_ACTIVATIONS: Mapping[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "elu": nn.ELU,
    "softplus": nn.Softplus,
    "hardtanh": nn.Hardtanh,
    "scaled_sigmoid": ScaledSigmoid,
    "identity": nn.Identity,
}


class Network(nn.Module):
    """A built-in network: ``input`` (dropout), ``convolutions``, ``hidden`` (blocks), ``head`` (linear),
    ``output`` (activations, mostly none). One that is composed freely has ``layers`` before its head.

    Noise and drop-connect, which act in training alone, are not part of it.
    Maps inputs (rows, n_in) to outputs (rows, n_out): logits for classes, values for numbers, or what
    the activations on the outputs make of them.
    """

    def __init__(self, net: Architecture, rates: Sequence[float] = ()) -> None:
        super().__init__()
        self.image, self.n_in = net.image, net.n_in
        self.layers = None if net.composition is None else chain_module(net.composition.chain, rates)
        if self.layers is None:
            self._add_blocks(net, rates)
        head = next(layer for layer in net.layers if isinstance(layer, Linear) and layer.role == "head")
        self.head = nn.Linear(head.n_in, head.n_out, bias=head.bias is not None)
        applied = [_layer(layer, rates)[1] for layer in net.layers if layer.role == OUTPUT]
        self.output = nn.Sequential(*applied)

    def _add_blocks(self, net: Architecture, rates: Sequence[float]) -> None:
        roles = [layer.role for layer in net.layers if isinstance(layer, Linear) and layer.role != "head"]
        if net.image is None:
            self.input = _block("input", net, rates)
        else:
            images = [layer.role for layer in net.layers if isinstance(layer, Convolution)]
            self.convolutions = nn.ModuleList(_block(role, net, rates) for role in images)
        self.hidden = nn.ModuleList(_block(role, net, rates) for role in roles)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the network to a batch of any shape (rows, ...) with n_in numbers a row.

        Raises ``CeterisError`` for rows of more or fewer.
        """
        if self.image is None:
            x = x.flatten(1)
            if x.shape[1] != self.n_in:
                raise CeterisError(
                    f"the network reads {self.n_in:,} numbers a row, and these have {x.shape[1]:,}"
                )
        else:
            x = as_images(x, self.image)
        x = self._through_blocks(x) if self.layers is None else self.layers(x)
        out: torch.Tensor = self.head(x)
        if len(self.output) and out.dtype != self.head.weight.dtype:
            # Under autocast: the logarithms that a loss is made of need the bits that the loss has.
            out = out.to(self.head.weight.dtype)
        activated: torch.Tensor = self.output(out)
        return activated

    def _through_blocks(self, x: torch.Tensor) -> torch.Tensor:
        if self.image is None:
            x = self.input(x)
        else:
            for block in self.convolutions:
                x = block(x)
            x = x.flatten(1)
        for block in self.hidden:
            x = block(x)
        return x


def as_images(x: torch.Tensor, image: ImageShape) -> torch.Tensor:
    """View rows in their data's own order as images (rows, channels, height, width), without copying.

    Grey images are viewed as if their one channel came last, which is the faster layout for convolutions.
    """
    if image.channels_last or image.channels == 1:
        return x.reshape(-1, image.height, image.width, image.channels).permute(0, 3, 1, 2)
    return x.reshape(-1, image.channels, image.height, image.width)


def to_module(
    net: Architecture,
    parameters: NDArray[np.floating],
    buffers: NDArray[np.floating],
    rates: Sequence[float] = (),
) -> Network:
    """Hand out one member of a stack as a module in evaluation mode.

    Args:
        net: the architecture of the stack.
        parameters: flat vector, shape (n_parameters,).
        buffers: flat vector, shape (n_buffers,).
        rates: the member's dropout probabilities, one per dropout place.
    """
    module = Network(net, rates)
    dtype = torch.from_numpy(np.asarray(parameters)).dtype
    module.to(dtype)
    tensors = dict(named_views(net.parameters, parameters)) | dict(named_views(net.buffers, buffers))
    load_tensors(module, tensors)
    return module.eval()


def load_tensors(module: Network, tensors: Mapping[str, NDArray[np.floating]]) -> None:
    """Set a network's parameters and buffers by name; every name has to be there.

    Raises:
        CeterisError: where names are missing or unknown, or shapes differ.
    """
    # What stands in several places is named once, as in the weights.
    own = dict(module.named_parameters()) | {
        n: t for n, t in module.named_buffers() if not n.endswith("num_batches_tracked")
    }
    if own.keys() != tensors.keys():
        differing = ", ".join(sorted(own.keys() ^ tensors.keys()))
        raise CeterisError(
            f"these tensors are in the network or in the weights, but not in both: {differing}"
        )
    with torch.no_grad():
        for name, tensor in own.items():
            if tuple(tensor.shape) != tensors[name].shape:
                raise CeterisError(
                    f"`{name}` has shape {tensors[name].shape}; the network's is {tuple(tensor.shape)}"
                )
            tensor.copy_(torch.from_numpy(np.array(tensors[name])))


def from_module(net: Architecture, module: nn.Module) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Take a module back: its flat parameter and buffer vectors.

    Raises:
        CeterisError: where the module lacks a tensor of the architecture, or shapes differ.
    """
    state = module.state_dict()
    flat = (np.empty(net.n_parameters), np.empty(net.n_buffers))
    for vector, tensors in zip(flat, (net.parameters, net.buffers), strict=True):
        for tensor in tensors:
            if tensor.name not in state:
                raise CeterisError(
                    f"the module has no tensor `{tensor.name}`; it is not a network of this kind"
                )
            value = state[tensor.name].detach().cpu().double().numpy()
            if value.shape != tensor.shape:
                raise CeterisError(
                    f"`{tensor.name}` has shape {value.shape}; the network's is {tensor.shape}"
                )
            vector[tensor.offset : tensor.offset + tensor.size] = value.reshape(-1)
    return flat


def chain_module(
    chain: Chain, rates: Sequence[float], made: dict[str, nn.Module] | None = None
) -> nn.Sequential:
    """Return a chain of a composed network as a module; what is used again is the same module.

    ``made`` are the modules so far by role, and is added to.
    """
    made = {} if made is None else made
    module = ResidualBlock() if chain.residual else nn.Sequential()
    for piece in chain.pieces:
        match piece:
            case Again():
                made[piece.role] = made[piece.of]
            case Chain():
                made[piece.role] = chain_module(piece, rates, made)
            case Flatten():
                made[piece.role] = nn.Flatten()
            case _:
                made[piece.role] = _layer(piece, rates)[1]
        module.add_module(piece.role.rpartition(".")[2], made[piece.role])
    return module


def _block(role: str, net: Architecture, rates: Sequence[float]) -> nn.Sequential:
    own = [layer for layer in net.layers if layer.role == role]
    block = ResidualBlock() if any(isinstance(layer, Add) for layer in own) else nn.Sequential()
    for layer in own:
        if not isinstance(layer, Noise | Fork | Add):
            name, module = _layer(layer, rates)
            block.add_module(name, module)
    return block


def _layer(layer: Layer, rates: Sequence[float]) -> tuple[str, nn.Module]:
    match layer:
        case Linear():
            return "linear", nn.Linear(layer.n_in, layer.n_out, bias=layer.bias is not None)
        case Convolution():
            convolution = nn.Conv2d(
                layer.n_in,
                layer.n_out,
                layer.kernel,
                stride=layer.stride,
                padding=layer.kernel // 2 if layer.padding is None else layer.padding,
                bias=layer.bias is not None,
            )
            return "convolution", convolution
        case BatchNorm() | LayerNorm():
            return "norm", _norm(layer)
        case Pool():
            pool = nn.AvgPool2d if layer.average else nn.MaxPool2d
            return "pool", pool(layer.size, layer.stride)
        case Activate() | Softmax():
            return "activation", _activation(layer)
        case Drop():
            return "dropout", nn.Dropout(rates[layer.slot] if rates else 0.0)
        case Noise() | Fork() | Add() | UserModule() | Composition():
            raise ValueError(f"{layer} is no part of a network that is handed out")


def _activation(layer: Activate | Softmax) -> nn.Module:
    if isinstance(layer, Activate):
        return _ACTIVATIONS[layer.kind]()
    return nn.LogSoftmax(dim=1) if layer.log else nn.Softmax(dim=1)


def _norm(layer: BatchNorm | LayerNorm) -> nn.Module:
    if isinstance(layer, LayerNorm):
        return nn.LayerNorm(layer.n, eps=layer.eps)
    if layer.eps_place == "outside":
        return RootPlusEps(layer.n, layer.eps, layer.momentum)
    norm = nn.BatchNorm2d if layer.of_images else nn.BatchNorm1d
    return norm(layer.n, eps=layer.eps, momentum=layer.momentum)
