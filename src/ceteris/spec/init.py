"""How the weights of a network start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

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
    mean: Annotated[Number, Field(title="mean")] = 0.0


class UniformInit(Initialisation):
    """Weights uniform in [low, high]; biases zero."""

    kind: Literal["uniform"] = "uniform"
    low: Annotated[Number, Field(title="lower bound")] = -0.1
    high: Annotated[Number, Field(title="upper bound")] = 0.1

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


InitSpec = Annotated[
    OneInit | EachInit,
    Field(discriminator="kind", title="initialisation"),
    KindOnly,
    BeforeValidator(_each_layer),
]
