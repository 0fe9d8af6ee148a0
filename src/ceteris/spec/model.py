"""Which network is trained and how its weights start."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ceteris.spec.base import AnyNumber, KindOnly, Number, OneToList, Spec, Switch, wrong

Activation = Literal["relu", "tanh", "sigmoid", "leaky_relu", "identity"]
Width = Annotated[int, AnyNumber, Field(ge=1, le=1_000_000)]
Probability = Annotated[float, AnyNumber, Field(ge=0, lt=1)]


class DefaultInit(Spec):
    """PyTorch's own: weights and biases uniform in +-1/sqrt(fan_in) (``nn.Linear.reset_parameters``)."""

    kind: Literal["default"] = "default"


class NormalInit(Spec):
    """Weights from N(mean, std) with standard deviation ``std``; biases zero."""

    kind: Literal["normal"] = "normal"
    std: Annotated[Number, Field(gt=0, title="standard deviation")] = 0.01
    mean: Annotated[Number, Field(title="mean")] = 0.0


class UniformInit(Spec):
    """Weights uniform in [low, high]; biases zero."""

    kind: Literal["uniform"] = "uniform"
    low: Annotated[Number, Field(title="lower bound")] = -0.1
    high: Annotated[Number, Field(title="upper bound")] = 0.1

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.low >= self.high:
            raise wrong(f"{self.high:g} is not above `low`, which is {self.low:g}", "high")
        return self


class ConstantInit(Spec):
    """All weights ``value``; biases zero. Every hidden unit of a layer then stays like its neighbours."""

    kind: Literal["constant"] = "constant"
    value: Annotated[Number, Field(title="value of a weight")] = 1.0


class ZerosInit(Spec):
    """All weights and biases zero."""

    kind: Literal["zeros"] = "zeros"


class XavierInit(Spec):
    """Variance 2 / (fan_in + fan_out); biases zero (Glorot and Bengio 2010, eq. 12 and 16)."""

    kind: Literal["xavier"] = "xavier"
    distribution: Annotated[Literal["uniform", "normal"], Field(title="distribution")] = "uniform"


class HeInit(Spec):
    """Variance 2 / fan_in; biases zero (He et al. 2015, eq. 10)."""

    kind: Literal["he"] = "he"
    distribution: Annotated[Literal["uniform", "normal"], Field(title="distribution")] = "normal"


InitSpec = Annotated[
    DefaultInit | NormalInit | UniformInit | ConstantInit | ZerosInit | XavierInit | HeInit,
    Field(discriminator="kind", title="initialisation"),
    KindOnly,
]


class LinearModel(Spec):
    """One linear layer: softmax regression for classes, plain linear regression for numbers."""

    kind: Literal["linear"] = "linear"
    bias: Switch = True
    init: InitSpec = DefaultInit()


class MLP(Spec):
    """A multilayer perceptron; a hidden layer is linear, batch norm, activation, dropout, in this order."""

    kind: Literal["mlp"] = "mlp"

    hidden: Annotated[tuple[Width, ...], OneToList, Field(max_length=1000, title="list of widths")]
    """Widths of the hidden layers, from the data to the output; may be empty."""

    activation: Annotated[Activation, Field(title="activation")] = "relu"

    dropout: Annotated[Probability | tuple[Probability, ...], Field(title="dropout probability")] = 0.0
    """Probability that a hidden unit is dropped; one for all hidden layers or one each."""

    input_dropout: Annotated[Probability, Field(title="dropout probability")] = 0.0
    """Probability that an input is dropped."""

    batch_norm: Annotated[Switch | tuple[Switch, ...], Field(title="choice of batch norm")] = False
    """Batch normalisation before the activation; one for all hidden layers or one each."""

    batch_norm_eps: Annotated[Number, Field(gt=0, title="batch norm's eps")] = 1e-5
    batch_norm_momentum: Annotated[Number, Field(gt=0, le=1, title="batch norm's momentum")] = 0.1
    bias: Switch = True
    init: InitSpec = DefaultInit()

    @model_validator(mode="after")
    def _one_for_each_hidden_layer(self) -> Self:
        for name in ("dropout", "batch_norm"):
            given = getattr(self, name)
            if isinstance(given, tuple) and len(given) != len(self.hidden):
                layers = "1 hidden layer" if len(self.hidden) == 1 else f"{len(self.hidden)} hidden layers"
                sizes = f"this is a list of {len(given)} for a network of {layers}"
                raise wrong(f"{sizes}; give one value for all or one for each", name)
        return self


ModelSpec = Annotated[LinearModel | MLP, Field(discriminator="kind", title="model"), KindOnly]
