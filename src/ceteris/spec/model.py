"""Which network is trained and how its weights start."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from ceteris.spec.base import AnyNumber, KindOnly, Number, OneToList, Spec, Switch, Whole, wrong
from ceteris.spec.plain import plain_data

Activation = Literal[
    "relu",
    "tanh",
    "sigmoid",
    "leaky_relu",
    "gelu",
    "silu",
    "elu",
    "softplus",
    "hardtanh",
    "scaled_sigmoid",
    "identity",
]
"""Those of ``torch.nn`` with their defaults; ``scaled_sigmoid`` is 4 sigmoid(x) - 2, with slope 1 at 0."""
Width = Annotated[int, AnyNumber, Field(ge=1, le=1_000_000)]
Probability = Annotated[float, AnyNumber, Field(ge=0, lt=1)]
Deviation = Annotated[float, AnyNumber, Field(ge=0)]


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
    """Shape of the distribution; its variance is the same."""


class HeInit(Spec):
    """Variance 2 / fan_in; biases zero (He et al. 2015, eq. 10)."""

    kind: Literal["he"] = "he"
    distribution: Annotated[Literal["uniform", "normal"], Field(title="distribution")] = "normal"
    """Shape of the distribution; its variance is the same."""


InitSpec = Annotated[
    DefaultInit | NormalInit | UniformInit | ConstantInit | ZerosInit | XavierInit | HeInit,
    Field(discriminator="kind", title="initialisation"),
    KindOnly,
]


class LinearModel(Spec):
    """One linear layer: softmax regression for classes, plain linear regression for numbers."""

    kind: Literal["linear"] = "linear"
    bias: Switch = True
    """Whether layers have a bias."""
    init: InitSpec = DefaultInit()
    """How weights start; biases as the kind says."""


class MLP(Spec):
    """A multilayer perceptron; a hidden layer is linear, normalisation, activation, noise, dropout."""

    kind: Literal["mlp"] = "mlp"

    hidden: Annotated[tuple[Width, ...], OneToList, Field(max_length=1000, title="list of widths")]
    """Widths of the hidden layers, from the data to the output; may be empty."""

    activation: Annotated[Activation, Field(title="activation")] = "relu"
    """Activation of hidden layers: those of `torch.nn`; `scaled_sigmoid` is 4 sigmoid(x) - 2."""

    dropout: Annotated[Probability | tuple[Probability, ...], Field(title="dropout probability")] = 0.0
    """Probability that a hidden unit is dropped; one for all hidden layers or one each."""

    input_dropout: Annotated[Probability, Field(title="dropout probability")] = 0.0
    """Probability that an input is dropped."""

    batch_norm: Annotated[Switch | tuple[Switch, ...], Field(title="choice of batch norm")] = False
    """Batch normalisation before the activation; one for all hidden layers or one each."""

    batch_norm_eps: Annotated[Number, Field(gt=0, title="batch norm's eps")] = 1e-5
    """Added to the variance, so that the divisor is never 0."""
    batch_norm_momentum: Annotated[Number, Field(gt=0, le=1, title="batch norm's momentum")] = 0.1
    """The share of a batch in the running mean and variance that evaluation uses."""

    layer_norm: Annotated[Switch, Field(title="choice of layer norm")] = False
    """Layer normalisation over the units of a hidden layer, before the activation (Ba et al. 2016)."""

    noise: Annotated[Deviation | tuple[Deviation, ...], Field(title="standard deviation")] = 0.0
    """Standard deviation of Gaussian noise that is added to hidden units in training, after the
    activation; one for all hidden layers or one each."""

    input_noise: Annotated[Deviation, Field(title="standard deviation")] = 0.0
    """Standard deviation of Gaussian noise that is added to the prepared inputs in training."""

    drop_connect: Annotated[Probability | tuple[Probability, ...], Field(title="probability")] = 0.0
    """Probability that a weight of a hidden layer is dropped for a step, the others scaled up by
    1 / (1 - p) (Wan et al. 2013, with one mask a batch); one for all hidden layers or one each."""

    bias: Switch = True
    """Whether layers have a bias."""
    init: InitSpec = DefaultInit()
    """How weights start; biases as the kind says."""

    @model_validator(mode="after")
    def _one_for_each_hidden_layer(self) -> Self:
        for name in ("dropout", "batch_norm", "noise", "drop_connect"):
            _check_length(name, getattr(self, name), len(self.hidden))
        batch_norm = self.batch_norm if isinstance(self.batch_norm, tuple) else (self.batch_norm,)
        if self.layer_norm and any(batch_norm):
            raise wrong("a network has batch norm or layer norm, not both", "layer_norm")
        return self


class CNN(Spec):
    """A convolutional network on images: convolutions, then hidden linear layers, then the outputs.

    A convolution keeps height and width (padding `kernel // 2`) and is followed by batch norm, activation
    and max pooling; a hidden layer is linear, batch norm, activation, dropout, as in an MLP.
    """

    kind: Literal["cnn"] = "cnn"

    convolutions: Annotated[
        tuple[Width, ...], OneToList, Field(min_length=1, max_length=100, title="list of channels")
    ]
    """Channels of the convolutions, from the image on; at least one."""

    kernel: Annotated[Whole, Field(ge=1, le=99, title="kernel size")] = 3
    """Height and width of every kernel; odd."""

    pool: Annotated[Whole, Field(ge=1, le=99, title="pool size")] = 2
    """Height and width of the max pooling after every convolution; 1 leaves it out."""

    hidden: Annotated[tuple[Width, ...], OneToList, Field(max_length=1000, title="list of widths")] = ()
    """Widths of the linear layers between the convolutions and the outputs; may be empty."""

    activation: Annotated[Activation, Field(title="activation")] = "relu"
    """Activation of hidden layers: those of `torch.nn`; `scaled_sigmoid` is 4 sigmoid(x) - 2."""

    dropout: Annotated[Probability | tuple[Probability, ...], Field(title="dropout probability")] = 0.0
    """Probability that a hidden unit is dropped; one for all hidden layers or one each."""

    batch_norm: Annotated[Switch, Field(title="choice of batch norm")] = False
    """Batch normalisation after every convolution and every hidden linear layer."""

    batch_norm_eps: Annotated[Number, Field(gt=0, title="batch norm's eps")] = 1e-5
    """Added to the variance, so that the divisor is never 0."""
    batch_norm_momentum: Annotated[Number, Field(gt=0, le=1, title="batch norm's momentum")] = 0.1
    """The share of a batch in the running mean and variance that evaluation uses."""
    bias: Switch = True
    """Whether layers have a bias."""
    init: InitSpec = DefaultInit()
    """How weights start; biases as the kind says."""

    @field_validator("kernel")
    @classmethod
    def _odd(cls, kernel: int) -> int:
        if kernel % 2 == 0:
            raise wrong(f"a kernel of {kernel} has no middle; give an odd size")
        return kernel

    @model_validator(mode="after")
    def _one_for_each_hidden_layer(self) -> Self:
        _check_length("dropout", self.dropout, len(self.hidden))
        return self


def _check_length(name: str, given: object, layers: int) -> None:
    if isinstance(given, tuple) and len(given) != layers:
        network = "1 hidden layer" if layers == 1 else f"{layers} hidden layers"
        sizes = f"this is a list of {len(given)} for a network of {network}"
        raise wrong(f"{sizes}; give one value for all or one for each", name)


MODULE_NAME = re.compile(r"[A-Za-z_]\w*(\.\w+)*(:[A-Za-z_]\w*)?", re.ASCII)


class ModuleModel(Spec):
    """A `torch.nn.Module` of the user's own, made anew with its arguments for every trial."""

    kind: Literal["module"] = "module"

    name: Annotated[str, Field(title="name of a class or function")]
    """A class or function given in Python (`ceteris.run(model=...)`), or `package.module:Name` with
    `--allow-code`."""

    arguments: dict[str, Any] = Field(default_factory=dict, title="mapping of arguments")
    """Keyword arguments of the class or function: numbers, text, lists and mappings."""

    input: Annotated[Literal["auto", "data", "flat"], Field(title="choice of input shape")] = "auto"
    """Shape of a row that the module gets. `data`: the data's own; `flat`: all numbers in one axis; `auto`:
    the data's own, with a channel axis first where it has height and width alone (28 x 28 as 1 x 28 x 28)."""

    source: Annotated[str | None, Field(title="SHA-256")] = None
    """SHA-256 of the module's source text; Ceteris fills it in when it records a run."""

    @field_validator("name")
    @classmethod
    def _can_be_found(cls, name: str) -> str:
        if MODULE_NAME.fullmatch(name) is None:
            raise wrong(f"'{name}' is not a network; give a name, or `package.module:Name`")
        return name

    @field_validator("arguments")
    @classmethod
    def _plain(cls, arguments: dict[str, Any]) -> dict[str, Any]:
        copied: dict[str, Any] = plain_data(arguments)
        return copied


ModelSpec = Annotated[
    LinearModel | MLP | CNN | ModuleModel, Field(discriminator="kind", title="model"), KindOnly
]
