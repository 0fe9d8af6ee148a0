"""Lays out a network: collects layers and gives each of their tensors a place in a flat vector."""

from __future__ import annotations

from typing import Literal

from ceteris.nets.layers import (
    BatchNorm,
    BufferKind,
    Convolution,
    Drop,
    Layer,
    LayerNorm,
    Linear,
    ParameterKind,
    Pool,
    Tensor,
)
from ceteris.spec.model import CNN, MLP, EpsPlace


class Layout:
    """The layers so far, and the flat vectors of parameters and buffers as far as they are given away."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.parameters: list[Tensor] = []
        self.buffers: list[Tensor] = []

    def linear(
        self, role: str, name: str, n_in: int, n_out: int, *, bias: bool, slot: int | None = None
    ) -> None:
        """Add a linear layer; ``slot``: the place of its drop-connect."""
        self.layers.append(self.make_linear(role, name, n_in, n_out, bias=bias, slot=slot))

    def make_linear(
        self, role: str, name: str, n_in: int, n_out: int, *, bias: bool, slot: int | None = None
    ) -> Linear:
        """Give the tensors of a linear layer their places, and return it."""
        weight = self._add(self.parameters, f"{name}.weight", (n_out, n_in), role, "weight", n_in, n_out)
        offset = self._bias(name, role, n_in, n_out) if bias else None
        return Linear(role, n_in, n_out, weight, offset, slot)

    def convolution(self, role: str, n_in: int, n_out: int, kernel: int, *, bias: bool) -> None:
        """Add a convolution of ``kernel`` by ``kernel`` that keeps height and width."""
        name = f"{role}.convolution"
        self.layers.append(self.make_convolution(role, name, n_in, n_out, kernel, bias=bias))

    def make_convolution(
        self,
        role: str,
        name: str,
        n_in: int,
        n_out: int,
        kernel: int,
        *,
        bias: bool,
        stride: int = 1,
        padding: int | None = None,
    ) -> Convolution:
        """Give the tensors of a convolution their places, and return it."""
        shape, fans = (n_out, n_in, kernel, kernel), (n_in * kernel * kernel, n_out * kernel * kernel)
        weight = self._add(self.parameters, f"{name}.weight", shape, role, "weight", *fans)
        offset = self._bias(name, role, *fans, n_out=n_out) if bias else None
        return Convolution(role, n_in, n_out, kernel, weight, offset, stride, padding)

    def batch_norm(self, role: str, n: int, spec: MLP | CNN, *, of_images: bool = False) -> None:
        """Add batch normalisation of n units or channels, as a network sets it."""
        self.layers.append(
            self.make_batch_norm(
                role,
                f"{role}.norm",
                n,
                eps=spec.batch_norm_eps,
                momentum=spec.batch_norm_momentum,
                of_images=of_images,
                eps_place=spec.batch_norm_eps_place,
            )
        )

    def make_batch_norm(
        self,
        role: str,
        name: str,
        n: int,
        *,
        eps: float,
        momentum: float,
        of_images: bool,
        eps_place: EpsPlace = "inside",
    ) -> BatchNorm:
        """Give the tensors of batch normalisation their places, and return it."""
        return BatchNorm(
            role,
            n,
            self._add(self.parameters, f"{name}.weight", (n,), role, "norm_weight"),
            self._add(self.parameters, f"{name}.bias", (n,), role, "norm_bias"),
            self._add(self.buffers, f"{name}.running_mean", (n,), role, "running_mean"),
            self._add(self.buffers, f"{name}.running_var", (n,), role, "running_var"),
            eps,
            momentum,
            of_images,
            eps_place,
        )

    def layer_norm(self, role: str, n: int) -> None:
        """Add layer normalisation of n units."""
        self.layers.append(self.make_layer_norm(role, f"{role}.norm", n))

    def make_layer_norm(self, role: str, name: str, n: int, eps: float = 1e-5) -> LayerNorm:
        """Give the tensors of layer normalisation their places, and return it."""
        weight = self._add(self.parameters, f"{name}.weight", (n,), role, "norm_weight")
        bias = self._add(self.parameters, f"{name}.bias", (n,), role, "norm_bias")
        return LayerNorm(role, n, weight, bias, eps)

    def pool(self, role: str, size: int) -> None:
        """Add max pooling; a size of 1 adds nothing."""
        if size > 1:
            self.layers.append(Pool(role, size))

    def drop(self, role: str, n: int) -> None:
        """Add a place for dropout."""
        slot = sum(isinstance(layer, Drop) for layer in self.layers)
        self.layers.append(Drop(role, n, slot))

    def _bias(self, name: str, role: str, fan_in: int, fan_out: int, n_out: int | None = None) -> Tensor:
        shape = (fan_out if n_out is None else n_out,)
        return self._add(self.parameters, f"{name}.bias", shape, role, "bias", fan_in, fan_out)

    @staticmethod
    def _add(
        tensors: list[Tensor],
        name: str,
        shape: tuple[int, ...],
        role: str,
        kind: ParameterKind | BufferKind | Literal["own"],
        fan_in: int = 0,
        fan_out: int = 0,
    ) -> Tensor:
        offset = tensors[-1].offset + tensors[-1].size if tensors else 0
        tensor = Tensor(name, shape, offset, role, kind, fan_in, fan_out)
        tensors.append(tensor)
        return tensor
