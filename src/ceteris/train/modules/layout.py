"""What a module of the user's own consists of: its parameters and buffers as an architecture."""

from __future__ import annotations

import json
import math

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase

from ceteris.nets.architecture import Architecture, ParameterKind, Tensor, UserModule
from ceteris.nets.layers import OutputKind
from ceteris.spec.model import ModuleModel

NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)


def row_shape(model: ModuleModel, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape in which a module gets one row of data of a shape."""
    if model.input == "flat":
        return (math.prod(shape),)
    if model.input == "auto" and len(shape) == 2:
        return (1, *shape)
    return shape


def module_architecture(
    module: nn.Module,
    model: ModuleModel,
    shape: tuple[int, ...],
    n_out: int,
    *,
    channels_last: bool,
    multiplications: int,
    hidden: tuple[str, ...] = (),
    activations: int = 0,
    outputs: OutputKind = "",
) -> Architecture:
    """Lay out a module: every parameter once, by its first name, and the buffers that it saves."""
    saved = module.state_dict(keep_vars=True)
    buffers = {name: buffer for name, buffer in module.named_buffers() if name in saved}
    whole = UserModule(
        role="module",
        name=model.name,
        arguments=json.dumps(model.arguments, sort_keys=True),
        row_shape=row_shape(model, shape),
        channels_last=channels_last,
        multiplications=multiplications,
        normalises_batches=any(isinstance(layer, _BatchNorm) for layer in module.modules()),
        hidden=hidden,
        activations=activations,
        outputs=outputs,
    )
    kinds = {name: _kind(module, name) for name, _ in module.named_parameters()}
    sizes = {name: tuple(p.shape) for name, p in module.named_parameters()}
    return Architecture(
        n_in=math.prod(shape),
        n_out=n_out,
        layers=(whole,),
        parameters=_placed(sizes, kinds),
        buffers=_placed({name: tuple(b.shape) for name, b in buffers.items()}, {}),
    )


def _placed(shapes: dict[str, tuple[int, ...]], kinds: dict[str, ParameterKind]) -> tuple[Tensor, ...]:
    placed: list[Tensor] = []
    offset = 0
    for name, shape in shapes.items():
        placed.append(Tensor(name, shape, offset, name.rpartition(".")[0], kinds.get(name, "own")))
        offset += placed[-1].size
    return tuple(placed)


def _kind(module: nn.Module, name: str) -> ParameterKind:
    """Return whether a parameter counts as a weight, a bias, or as one of a normalisation layer."""
    owner, _, leaf = name.rpartition(".")
    is_bias = leaf.startswith("bias")
    if isinstance(module.get_submodule(owner), NORMS):
        return "norm_bias" if is_bias else "norm_weight"
    return "bias" if is_bias else "weight"
