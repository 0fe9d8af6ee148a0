"""What is measured of a training beside its losses, metrics and norms."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from ceteris.spec.base import Number, OneToList, Spec, Switch, Whole


def _ascending(value: object) -> object:
    """Sort a list of epochs, each once; what is no list of whole numbers is left for the check to name."""
    if isinstance(value, list | tuple) and all(type(epoch) is int for epoch in value):
        return sorted(set(value))
    return value


Epoch = Annotated[Whole, Field(ge=0, le=1_000_000, title="number of epochs")]
Epochs = Annotated[
    Literal["none", "last", "all"] | tuple[Epoch, ...],
    Field(title="choice of epochs"),
    BeforeValidator(_ascending),
    OneToList,
]


class Grid(Spec):
    """The fitted curve of a regression whose inputs come from one number x, such as `sine` or `polynomial`.

    The outputs in evaluation mode at equally spaced x, from the smallest to the largest of a trial's training
    rows.
    """

    points: Annotated[Whole, Field(ge=2, le=10_000, title="number of points")] = 100
    """How many x."""

    epochs: Epochs = "none"
    """After how many epochs: see `histograms`."""


class Sharpness(Spec):
    """The curve `sharpness`: by how much small random changes of the weights raise the loss, on average.

    L(w + r D) - L(w), averaged over random directions D that are as long as the weights unit by unit (filter
    normalisation: Li et al. 2018), with the plain loss L in evaluation mode on at most 1,000 training rows. A
    flat minimum has a small one (Keskar et al. 2017).
    """

    epochs: Epochs = "none"
    """After how many epochs: see `histograms`. The curve has no number at other epochs."""

    radius: Annotated[Number, Field(gt=0, le=10, title="radius")] = 0.1
    """r: how long a change is, as a share of the weights."""

    directions: Annotated[Whole, Field(ge=1, le=1000, title="number of directions")] = 8
    """How many directions; all levels of a seed go into the same ones."""


class Probes(Spec):
    """More to be measured, or less. None of it changes what is trained, to the last bit.

    What was asked for is a part of a trial's identity all the same, as `metrics` are: it decides what is on
    record of the trial.
    """

    layers: Switch = True
    """The curves of single parameters and hidden layers: spread, norm, gradient norm and relative update of
    every parameter; mean, variance, share of zeros and of dead units of every hidden layer, and the variance
    of the gradient at it."""

    activation_rows: Annotated[Literal["training", "validation"], Field(title="choice of rows")] = "training"
    """The rows, at most 256 of them, on which the curves of hidden layers in evaluation mode are measured:
    `activation_mean/...`, `activation_var/...`, `zeros/...` and `dead/...`."""

    histograms: Epochs = "none"
    """Histograms of every parameter tensor and of every hidden layer's activations (in evaluation mode, on at
    most 256 validation rows, or training rows where none validate). `none`; `last`: after the last epoch that
    a trial trains; `all`; or a list of epochs, of which 0 is before training and n after n epochs. Epochs
    that do not come are left out."""

    grid: Grid = Grid()
    """The fitted curve, where there is one: see below."""

    sharpness: Sharpness = Sharpness()
    """How flat the minimum is: see below."""

    confusion: Epochs = "none"
    """How many validation rows of each class were taken for each class; epochs as for `histograms`."""

    units: Switch = False
    """The curves `std_over_outputs/<parameter>` and `std_over_inputs/<parameter>` of every weight matrix,
    whose first axis are outputs and whose second inputs: the standard deviation over the outputs at each
    input, and of these the root mean square; and the other way round. Where the first is 0, all units of a
    layer have the same weights into them; where the second is, the units before have the same out of them."""

    gradient_noise: Switch = False
    """The curves `gradient_noise/<parameter>`: half the mean squared distance between the gradients of two
    adjacent steps, over all such pairs of an epoch, or at least 100 evenly spaced ones where there are more.
    It is the variance of a step's gradient, summed over the numbers of the tensor, and unlike the variance
    over all steps hardly sees how the gradient changes while training goes on (von Neumann et al. 1941). The
    gradient is that of the step's loss, without the penalty and before clipping. `gradient_noise` is the sum
    over all parameters, the trace of the gradient's covariance. An epoch needs at least two steps."""


def comes(epochs: str | tuple[int, ...], epoch: int, *, last: bool) -> bool:
    """Tell whether an epoch (0: before training) is chosen; ``last``: it is a trial's last."""
    if isinstance(epochs, tuple):
        return epoch in epochs
    return epochs == "all" or (epochs == "last" and last)


def asks_for_arrays(probes: Probes) -> bool:
    """Tell whether anything is kept as an array of an epoch."""
    return any(
        chosen not in ("none", ()) for chosen in (probes.histograms, probes.grid.epochs, probes.confusion)
    )
