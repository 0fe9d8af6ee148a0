"""How the weights of a network start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from ceteris.spec.base import KindOnly, Number, Spec, wrong


class Initialisation(Spec):
    """What all ways to start have in common."""

    biases: Annotated[Number | None, Field(title="value of a bias")] = None
    """The value of every bias at the start; where it is not set, biases start as the kind says."""


class DefaultInit(Initialisation):
    """PyTorch's own: weights and biases uniform in +-1/sqrt(fan_in) (``nn.Linear.reset_parameters``)."""

    kind: Literal["default"] = "default"


class NormalInit(Initialisation):
    """Weights from N(mean, std) with standard deviation ``std``; biases zero."""

    kind: Literal["normal"] = "normal"
    std: Annotated[Number, Field(gt=0, title="standard deviation")] = 0.01
    """Standard deviation of the weights."""
    mean: Annotated[Number, Field(title="mean")] = 0.0
    """Mean of the weights."""


class UniformInit(Initialisation):
    """Weights uniform in [low, high]; biases zero."""

    kind: Literal["uniform"] = "uniform"
    low: Annotated[Number, Field(title="lower bound")] = -0.1
    """The smallest that a weight can be."""
    high: Annotated[Number, Field(title="upper bound")] = 0.1
    """The largest that a weight can be."""

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.low >= self.high:
            raise wrong(f"{self.high:g} is not above `low`, which is {self.low:g}", "high")
        return self


class ConstantInit(Initialisation):
    """All weights ``value``; biases zero. Every hidden unit of a layer then stays like its neighbours."""

    kind: Literal["constant"] = "constant"
    value: Annotated[Number, Field(title="value of a weight")] = 1.0


class ZerosInit(Initialisation):
    """All weights and biases zero."""

    kind: Literal["zeros"] = "zeros"


class XavierInit(Initialisation):
    """Variance 2 / (fan_in + fan_out), uniform in +-sqrt(6 / (fan_in + fan_out)); biases zero (Glorot and
    Bengio 2010, eq. 12 and 16)."""

    kind: Literal["xavier"] = "xavier"
    distribution: Annotated[Literal["uniform", "normal"], Field(title="distribution")] = "uniform"
    """Shape of the distribution; its variance is the same."""
    gain: Annotated[Number, Field(gt=0, title="gain")] = 1.0
    """Weights are multiplied by it, as by the `gain` of `torch.nn.init`."""


class HeInit(Initialisation):
    """Variance 2 / fan_in; biases zero (He et al. 2015, eq. 10)."""

    kind: Literal["he"] = "he"
    distribution: Annotated[Literal["uniform", "normal"], Field(title="distribution")] = "normal"
    """Shape of the distribution; its variance is the same."""
    gain: Annotated[Number, Field(gt=0, title="gain")] = 1.0
    """Weights are multiplied by it, as by the `gain` of `torch.nn.init`."""


OneInit = DefaultInit | NormalInit | UniformInit | ConstantInit | ZerosInit | XavierInit | HeInit
"""A way in which a layer starts."""


class EachInit(Spec):
    """Layers start each in a way of their own: `init: {head: zeros, hidden.0: {kind: normal}, default: he}`.

    The short form leaves out `kind` and `layers`.
    """

    kind: Literal["each"] = "each"

    layers: Annotated[
        dict[str, Annotated[OneInit, Field(discriminator="kind", title="initialisation"), KindOnly]],
        Field(min_length=1, title="mapping of layers"),
    ]
    """Layer (`hidden.0`, `head`; `default` for those that are not named) -> how it starts. Without
    `default`, layers that are not named start as PyTorch's."""

    def of(self, role: str) -> OneInit:
        """Return how a layer starts."""
        return self.layers.get(role) or self.layers.get(OTHERS) or DefaultInit()


OTHERS = "default"
"""The name that stands for the layers that are not named."""


def _each_layer(value: object) -> object:
    """Expand the short form: a mapping without a kind is one of layers."""
    if isinstance(value, Mapping) and value and "kind" not in value:
        return {"kind": "each", "layers": value}
    return value


Drawn = Annotated[
    OneInit | EachInit,
    Field(discriminator="kind", title="initialisation"),
    KindOnly,
    BeforeValidator(_each_layer),
]
"""A start that is drawn from the seed alone."""


class FileInit(Spec):
    """Parameters start from values in a safetensors file, by name, the same for every seed:
    `init: {from: weights.safetensors}`, which is short for `{kind: from, file: weights.safetensors}`.

    Every parameter has to be in the file unless `only` says which are taken; buffers (running statistics)
    are taken where they are there. `ceteris export --format safetensors` writes such a file.
    """

    kind: Literal["from"] = "from"

    file: Annotated[str, Field(min_length=1, title="name of a file")]
    """The safetensors file."""
    only: Annotated[tuple[str, ...], Field(title="list of names")] = ()
    """Names of parameters, or of layers, that are taken (`hidden.0`, `head.linear.weight`); everything where
    nothing is listed."""
    others: Drawn = DefaultInit()
    """How parameters start that are not taken; those of a network of your own start as it makes them."""
    content: Annotated[str | None, Field(title="SHA-256")] = None
    """SHA-256 of the names and values; Ceteris fills it in when it records a run."""

    def takes(self, name: str) -> bool:
        """Tell whether a parameter or buffer of this name is taken from the file."""
        return not self.only or any(name == own or name.startswith(f"{own}.") for own in self.only)


class OwnInit(Spec):
    """A function of your own changes the parameters in place, as `torch.nn.Module.apply` calls it with every
    module of the network; torch's random numbers are drawn from the trial's seed."""

    kind: Literal["own"] = "own"

    name: Annotated[str, Field(title="name of a function")]
    """A function given in Python (`ceteris.run(initial=...)`), or `package.module:name` with
    `--allow-code`."""
    others: Drawn = DefaultInit()
    """How parameters start before the function changes them."""
    source: Annotated[str | None, Field(title="SHA-256")] = None
    """SHA-256 of the function's source text; Ceteris fills it in when it records a run."""

    @field_validator("name")
    @classmethod
    def _can_be_found(cls, name: str) -> str:
        if CODE_NAME.fullmatch(name) is None:
            raise wrong(f"'{name}' is not a function; give a name, or `package.module:name`")
        return name


CODE_NAME = re.compile(r"[A-Za-z_]\w*(\.\w+)*(:[A-Za-z_]\w*)?", re.ASCII)
"""A name, or ``package.module:Name``."""


def drawn_part(init: OneInit | EachInit | FileInit | OwnInit) -> OneInit | EachInit:
    """Return what is drawn from the seed, before anything is set by name or by a function."""
    return init.others if isinstance(init, FileInit | OwnInit) else init


def _short_form(value: object) -> object:
    """Expand the short forms: a file by `from`; another mapping without a kind is one of layers."""
    if isinstance(value, Mapping) and "from" in value and "kind" not in value:
        return {"kind": "from", "file": value["from"], **{k: v for k, v in value.items() if k != "from"}}
    return _each_layer(value)


InitSpec = Annotated[
    OneInit | EachInit | FileInit | OwnInit,
    Field(discriminator="kind", title="initialisation"),
    KindOnly,
    BeforeValidator(_short_form),
]
GivenInit = Annotated[
    FileInit | OwnInit,
    Field(discriminator="kind", title="initialisation"),
    BeforeValidator(_short_form),
]
"""How a network of the user's own may start other than as it makes itself."""
