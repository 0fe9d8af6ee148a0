"""The layers of a network that is composed freely: what each may be told, and their short forms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, Field, field_validator

from ceteris.errors import unknown_name
from ceteris.spec.base import Number, Spec, Switch, Whole, wrong
from ceteris.spec.labels import shown
from ceteris.spec.model_parts import Activation, Probability, Width
from ceteris.spec.taken_names import TAKEN

NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class NamedLayer(Spec):
    """What every layer has."""

    name: Annotated[str, Field(title="name of a layer")] = ""
    """By which `use` refers to it, and which stands in its path instead of its number."""

    @field_validator("name")
    @classmethod
    def _can_stand_in_a_path(cls, name: str) -> str:
        if name and (NAME.fullmatch(name) is None or name in TAKEN):
            why = "a torch.nn.Sequential has its own" if name in TAKEN else "give letters, digits and _"
            raise wrong(f"'{name}' cannot name a layer: {why}; `shared` would do")
        return name


class LinearLayer(NamedLayer):
    """`{linear: 64}`: y = x W^T + b; reads a row of numbers, not an image."""

    kind: Literal["linear"] = "linear"
    width: Width
    """How many units it has."""
    bias: Switch = True
    """Whether it has a bias."""


class ConvLayer(NamedLayer):
    """`{conv: 16}`: a square convolution; reads an image."""

    kind: Literal["conv"] = "conv"
    channels: Width
    """Channels of its output."""
    kernel: Annotated[Whole, Field(ge=1, le=99, title="kernel size")] = 3
    """Height and width of the kernel."""
    stride: Annotated[Whole, Field(ge=1, le=99, title="stride")] = 1
    """How many pixels the kernel moves at a time."""
    padding: Annotated[Whole | None, Field(ge=0, le=99, title="padding")] = None
    """Pixels of zeros around the image; without it `kernel // 2`, which keeps the size for an odd one."""
    bias: Switch = True
    """Whether it has a bias."""


class BatchNormLayer(NamedLayer):
    """`batch_norm`: over the rows of a batch; of an image every channel is normalised."""

    kind: Literal["batch_norm"] = "batch_norm"
    eps: Annotated[Number, Field(gt=0, title="batch norm's eps")] = 1e-5
    """Added to the variance."""
    momentum: Annotated[Number, Field(gt=0, le=1, title="batch norm's momentum")] = 0.1
    """The share of a batch in the running mean and variance that evaluation uses."""


class LayerNormLayer(NamedLayer):
    """`layer_norm`: over the numbers of every row; reads no image."""

    kind: Literal["layer_norm"] = "layer_norm"
    eps: Annotated[Number, Field(gt=0, title="layer norm's eps")] = 1e-5
    """Added to the variance."""


class ActivationLayer(NamedLayer):
    """`relu`: the name of the function alone."""

    kind: Literal["activation"] = "activation"
    function: Annotated[Activation, Field(title="activation")]
    """Those of `torch.nn`; `scaled_sigmoid` is 4 sigmoid(x) - 2."""


class DropoutLayer(NamedLayer):
    """`{dropout: 0.2}`: drops each number by itself."""

    kind: Literal["dropout"] = "dropout"
    p: Annotated[Probability, Field(title="dropout probability")] = 0.5
    """Probability that a number is dropped."""


class _Pooling(NamedLayer):
    size: Annotated[Whole, Field(ge=1, le=99, title="pool size")] = 2
    """Height and width of the squares."""
    stride: Annotated[Whole | None, Field(ge=1, le=99, title="stride")] = None
    """How many pixels lie between squares; without it as many as they are wide."""


class MaxPoolLayer(_Pooling):
    """`{max_pool: 2}`: the largest number of every square; reads an image."""

    kind: Literal["max_pool"] = "max_pool"


class AvgPoolLayer(_Pooling):
    """`{avg_pool: 2}`: the mean of every square; reads an image."""

    kind: Literal["avg_pool"] = "avg_pool"


class FlattenLayer(NamedLayer):
    """`flatten`: an image becomes a row of numbers, channel by channel."""

    kind: Literal["flatten"] = "flatten"


class ResidualLayers(NamedLayer):
    """`{residual: [...]}`: what goes in is added to what comes out; both have one shape (He et al. 2016)."""

    kind: Literal["residual"] = "residual"
    layers: Annotated[tuple[LayerSpec, ...], Field(max_length=1000, title="list of layers")]
    """What stands beside the connection."""


class BlockLayers(NamedLayer):
    """`{block: [...], name: stem}`: layers under one name, in each other as deep as wanted."""

    kind: Literal["block"] = "block"
    layers: Annotated[tuple[LayerSpec, ...], Field(max_length=1000, title="list of layers")]
    """What the block consists of."""


class UseLayer(NamedLayer):
    """`{use: shared}`: an earlier layer or block once more, with the same parameters (counted once)."""

    kind: Literal["use"] = "use"
    of: Annotated[str, Field(title="name of an earlier layer")]
    """Name of the layer or block."""


OneLayer = (
    LinearLayer
    | ConvLayer
    | BatchNormLayer
    | LayerNormLayer
    | ActivationLayer
    | DropoutLayer
    | MaxPoolLayer
    | AvgPoolLayer
    | FlattenLayer
    | ResidualLayers
    | BlockLayers
    | UseLayer
)
MAIN_SETTINGS = {
    "linear": "width",
    "conv": "channels",
    "batch_norm": "",
    "layer_norm": "",
    "activation": "function",
    "dropout": "p",
    "max_pool": "size",
    "avg_pool": "size",
    "flatten": "",
    "residual": "layers",
    "block": "layers",
    "use": "of",
}
"""Kind of a layer -> the setting that its short form gives: ``{linear: 64}``."""


def written_out(value: object) -> object:
    """Expand the short forms: ``relu``, ``{linear: 64}``, ``{residual: [...]}``, ``{conv: {...}}``."""
    if isinstance(value, BaseModel):
        return value
    if isinstance(value, str):
        return _of_kind(value, {})
    if not isinstance(value, Mapping):
        raise wrong(f"{shown(value)} is not a layer; give one such as `relu` or `{{linear: 64}}`")
    if "kind" in value:
        return _of_kind(value["kind"], {name: own for name, own in value.items() if name != "kind"})
    return _from_main_setting(value)


def _from_main_setting(value: Mapping[str, Any]) -> dict[str, Any]:
    kind = next((name for name in value if name in MAIN_SETTINGS), None)
    if kind is None:
        return _of_kind(next((name for name in value if name != "name"), "name"), {})
    main, rest = value[kind], {name: own for name, own in value.items() if name != kind}
    if isinstance(main, Mapping):
        return {"kind": kind, **main, **rest}
    given = {} if main is None else {MAIN_SETTINGS[kind] or "value": main}
    return {"kind": kind, **given, **rest}


def _of_kind(kind: object, settings: Mapping[str, Any]) -> dict[str, Any]:
    if kind in MAIN_SETTINGS:
        return {"kind": kind, **settings}
    if kind in get_args(Activation):
        return {"kind": "activation", "function": kind, **settings}
    known = [*(name for name in MAIN_SETTINGS if name != "activation"), *get_args(Activation)]
    raise wrong(unknown_name("layer", str(kind), known))


LayerSpec = Annotated[OneLayer, Field(discriminator="kind", title="layer"), BeforeValidator(written_out)]
for _owner in (ResidualLayers, BlockLayers):
    _owner.model_rebuild()


def inner_layers(layer: OneLayer) -> tuple[OneLayer, ...]:
    """Return the layers that stand in a layer."""
    return layer.layers if isinstance(layer, ResidualLayers | BlockLayers) else ()


def all_layers(layers: Sequence[OneLayer]) -> Iterator[OneLayer]:
    """Yield layers with those that stand in them, each before its own."""
    for layer in layers:
        yield layer
        yield from all_layers(inner_layers(layer))


def check_names(layers: Sequence[OneLayer], path: str, known: set[str]) -> None:
    """Check that names are given once and that ``use`` follows what it names; raises as validators do.

    ``known`` are the names of what is complete before these layers; those of these are added to it.
    """
    siblings: set[str] = set()
    for place, layer in enumerate(layers):
        where = f"{path}.{place}"
        if isinstance(layer, UseLayer) and layer.of not in known:
            raise wrong(_no_earlier(layer.of, known), where)
        if isinstance(layer, ResidualLayers | BlockLayers) and not layer.layers:
            raise wrong(f"there is no layer in this {layer.kind}; give at least one", where)
        if layer.name in known or layer.name in siblings:
            raise wrong(f"two layers are named `{layer.name}`; give each a name of its own", where)
        check_names(inner_layers(layer), f"{where}.layers", known)
        if layer.name:
            siblings.add(layer.name)
            known.add(layer.name)


def _no_earlier(name: str, known: set[str]) -> str:
    if not known:
        return f"there is no earlier layer named `{name}`; give one before it: `{{linear: 64, name: {name}}}`"
    return unknown_name("earlier layer named", name, sorted(known))
