"""Which network is trained and how its weights start."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from ceteris.spec.base import AnyNumber, KindOnly, Number, OneToList, Spec, Switch, Whole, wrong
from ceteris.spec.init import CODE_NAME, DefaultInit, GivenInit, InitSpec
from ceteris.spec.layers import LayerSpec, check_names
from ceteris.spec.model_parts import Activation, Probability, Width
from ceteris.spec.plain import plain_data

OutputActivation = Literal[Activation, "softmax", "log_softmax"]
"""What may be applied to the outputs; softmax goes over the outputs of a row."""
EpsPlace = Literal["inside", "outside"]
Deviation = Annotated[float, AnyNumber, Field(ge=0)]


OutputSpec = Annotated[
    tuple[Annotated[OutputActivation, Field(title="activation of the outputs")], ...],
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    Field(max_length=10, title="list of activations"),
]


class LinearModel(Spec):
    """One linear layer: softmax regression for classes, plain linear regression for numbers."""

    kind: Literal["linear"] = "linear"
    bias: Switch = True
    """Whether layers have a bias."""
    init: InitSpec = DefaultInit()
    """How weights start; biases as the kind says."""
    output: OutputSpec = ()
    """Activations that are applied to the outputs, in order: `[relu, softmax]`. Without any, outputs are
    logits, or numbers as they are."""


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
    batch_norm_eps_place: Annotated[EpsPlace, Field(title="place of batch norm's eps")] = "inside"
    """`inside` the root as in PyTorch, (x - mean) / sqrt(var + eps), or `outside`: (x - mean) / (sqrt(var) +
    eps)."""
    batch_norm_momentum: Annotated[Number, Field(gt=0, le=1, title="batch norm's momentum")] = 0.1
    """The share of a batch in the running mean and variance that evaluation uses."""

    residual: Annotated[Switch, Field(title="choice of residual connections")] = False
    """Whether a hidden layer's input is added to its output, wherever the widths agree (He et al. 2016)."""

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
    output: OutputSpec = ()
    """Activations that are applied to the outputs, in order: `[relu, softmax]`. Without any, outputs are
    logits, or numbers as they are."""

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
    batch_norm_eps_place: Annotated[EpsPlace, Field(title="place of batch norm's eps")] = "inside"
    """`inside` the root as in PyTorch, (x - mean) / sqrt(var + eps), or `outside`: (x - mean) / (sqrt(var) +
    eps)."""
    batch_norm_momentum: Annotated[Number, Field(gt=0, le=1, title="batch norm's momentum")] = 0.1
    """The share of a batch in the running mean and variance that evaluation uses."""
    bias: Switch = True
    """Whether layers have a bias."""
    init: InitSpec = DefaultInit()
    """How weights start; biases as the kind says."""
    output: OutputSpec = ()
    """Activations that are applied to the outputs, in order: `[relu, softmax]`. Without any, outputs are
    logits, or numbers as they are."""

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


class SequentialModel(Spec):
    """A network composed of layers one after another, with residual sums, blocks in blocks and tied layers.

    Widths that go in are inferred; the output layer (linear, role `head`) is added, one output per class or
    per number to predict. Rows come as images where a convolution or pooling is the first layer that asks,
    else as rows of numbers; behind convolutions `flatten` has to stand. Runs as a `torch.nn.Sequential`.
    """

    kind: Literal["sequential"] = "sequential"

    layers: Annotated[tuple[LayerSpec, ...], Field(max_length=1000, title="list of layers")]
    """The layers from the data to the output layer; may be empty. A path such as `layers.2.0` counts them
    from 0; a layer with a name goes by it."""

    bias: Switch = True
    """Whether the output layer has a bias."""
    init: InitSpec = DefaultInit()
    """How weights start; biases as the kind says."""
    output: OutputSpec = ()
    """Activations that are applied to the outputs, in order: `[relu, softmax]`. Without any, outputs are
    logits, or numbers as they are."""

    @model_validator(mode="after")
    def _names_are_clear(self) -> Self:
        check_names(self.layers, "layers", set())
        return self


def _check_length(name: str, given: object, layers: int) -> None:
    if isinstance(given, tuple) and len(given) != layers:
        network = "1 hidden layer" if layers == 1 else f"{layers} hidden layers"
        sizes = f"this is a list of {len(given)} for a network of {network}"
        raise wrong(f"{sizes}; give one value for all or one for each", name)


class ModuleModel(Spec):
    """A `torch.nn.Module` of the user's own, made anew with its arguments for every trial.

    It gets all columns of a table; those that the training rows of a fold lack are 0.
    """

    kind: Literal["module"] = "module"

    name: Annotated[str, Field(title="name of a class or function")]
    """A class or function given in Python (`ceteris.run(model=...)`), or `package.module:Name` with
    `--allow-code`."""

    arguments: dict[str, Any] = Field(default_factory=dict, title="mapping of arguments")
    """Keyword arguments of the class or function: numbers, text, lists and mappings."""

    input: Annotated[Literal["auto", "data", "flat", "integers"], Field(title="choice of input shape")] = (
        "auto"
    )
    """Shape of a row that the module gets. `data`: the data's own; `flat`: all numbers in one axis; `auto`:
    the data's own, with a channel axis first where it has height and width alone (28 x 28 as 1 x 28 x 28);
    `integers`: the data's own, as 64-bit whole numbers for an embedding (tokens, with `data.scale: none`)."""

    init: GivenInit | None = None
    """Values or a function by which parameters start other than as the module makes them."""

    source: Annotated[str | None, Field(title="SHA-256")] = None
    """SHA-256 of the module's source text; Ceteris fills it in when it records a run."""

    @field_validator("name")
    @classmethod
    def _can_be_found(cls, name: str) -> str:
        if CODE_NAME.fullmatch(name) is None:
            raise wrong(f"'{name}' is not a network; give a name, or `package.module:Name`")
        return name

    @field_validator("arguments")
    @classmethod
    def _plain(cls, arguments: dict[str, Any]) -> dict[str, Any]:
        copied: dict[str, Any] = plain_data(arguments)
        return copied


ModelSpec = Annotated[
    LinearModel | MLP | CNN | SequentialModel | ModuleModel,
    Field(discriminator="kind", title="model"),
    KindOnly,
]
