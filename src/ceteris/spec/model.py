"""Which network is trained and how its weights start."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ceteris.spec.base import Spec

Activation = Literal["relu", "tanh", "sigmoid", "leaky_relu", "identity"]
Width = Annotated[int, Field(ge=1, le=1_000_000)]
Probability = Annotated[float, Field(ge=0, lt=1)]


class DefaultInit(Spec):
    """PyTorch's own: weights and biases uniform in +-1/sqrt(fan_in) (``nn.Linear.reset_parameters``)."""

    kind: Literal["default"] = "default"


class NormalInit(Spec):
    """Weights from N(mean, std) with standard deviation ``std``; biases zero."""

    kind: Literal["normal"] = "normal"
    std: Annotated[float, Field(gt=0)] = 0.01
    mean: float = 0.0


class UniformInit(Spec):
    """Weights uniform in [low, high]; biases zero."""

    kind: Literal["uniform"] = "uniform"
    low: float = -0.1
    high: float = 0.1


class ConstantInit(Spec):
    """All weights ``value``; biases zero. Every hidden unit of a layer then stays like its neighbours."""

    kind: Literal["constant"] = "constant"
    value: float = 1.0


class ZerosInit(Spec):
    """All weights and biases zero."""

    kind: Literal["zeros"] = "zeros"


class XavierInit(Spec):
    """Variance 2 / (fan_in + fan_out); biases zero (Glorot and Bengio 2010, eq. 12 and 16)."""

    kind: Literal["xavier"] = "xavier"
    distribution: Literal["uniform", "normal"] = "uniform"


class HeInit(Spec):
    """Variance 2 / fan_in; biases zero (He et al. 2015, eq. 10)."""

    kind: Literal["he"] = "he"
    distribution: Literal["uniform", "normal"] = "normal"


InitSpec = Annotated[
    DefaultInit | NormalInit | UniformInit | ConstantInit | ZerosInit | XavierInit | HeInit,
    Field(discriminator="kind"),
]


class LinearModel(Spec):
    """One linear layer: softmax regression for classes, plain linear regression for numbers."""

    kind: Literal["linear"] = "linear"
    bias: bool = True
    init: InitSpec = DefaultInit()


class MLP(Spec):
    """A multilayer perceptron; each hidden layer is linear, batch norm, activation, dropout, in this order."""

    kind: Literal["mlp"] = "mlp"

    hidden: tuple[Width, ...]
    """Widths of the hidden layers, from the data to the output; may be empty."""

    activation: Activation = "relu"

    dropout: Probability | tuple[Probability, ...] = 0.0
    """Probability that a hidden unit is dropped; one for all hidden layers or one each."""

    input_dropout: Probability = 0.0
    """Probability that an input is dropped."""

    batch_norm: bool | tuple[bool, ...] = False
    """Batch normalisation before the activation; one for all hidden layers or one each."""

    batch_norm_eps: Annotated[float, Field(gt=0)] = 1e-5
    batch_norm_momentum: Annotated[float, Field(gt=0, le=1)] = 0.1
    bias: bool = True
    init: InitSpec = DefaultInit()


ModelSpec = Annotated[LinearModel | MLP, Field(discriminator="kind")]
