"""Parameters of the synthetic data sets, with the catalogue's settings as defaults."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ceteris.spec.base import Number, Spec, Whole, wrong

Rows = Annotated[Whole, Field(ge=2, le=10_000_000, title="number of rows")]
Noise = Annotated[Number, Field(ge=0, title="standard deviation of the noise")]


class Synthetic(Spec):
    """What all synthetic data sets have; the same seed gives the same draws whatever else is changed."""

    seed: Annotated[Whole, Field(ge=0, title="seed of the data")] = 0
    """Seed of the data itself, apart from the seeds of the trials: another seed is another data set."""


class LinearRegression(Synthetic):
    """y = w x + b + noise, with x from N(0, 1)."""

    n: Rows = 1000
    """Rows to train and validate on; a fifth as many test rows are drawn besides."""
    w: Annotated[tuple[Number, ...], Field(min_length=1, title="list of weights")] = (2.0, -3.4)
    """True weights, one per input."""
    b: Number = 4.2
    """True bias."""
    noise: Noise = 0.01
    """Standard deviation of the noise."""


class Sine(Synthetic):
    """y = sin x + noise, with x uniform in [low, high]; drawn as NumPy's RandomState(seed) draws them."""

    seed: Annotated[Whole, Field(ge=0, lt=2**32, title="seed of the data")] = 42
    """Seed of NumPy's RandomState, which draws all x, then all noise."""
    n: Rows = 100
    """Rows to train and validate on; as many test rows are drawn after them."""
    low: Number = 0.0
    """Smallest x."""
    high: Number = 10.0
    """Largest x."""
    noise: Noise = 0.1
    """Standard deviation of the noise."""


class Polynomial(Synthetic):
    """y = f(x) + noise, with x from N(mean, std); inputs are x^k/k!, the terms of a Taylor series.

    The true weights are the derivatives f^(k)(0): of a function that is no polynomial they make its Taylor
    polynomial, which is not the one that fits the drawn rows best.
    """

    function: Annotated[Literal["cubic", "sin", "cos", "exp"], Field(title="function")] = "cubic"
    """f: `cubic` is 5 + 1.2 x - 3.4 x^2/2! + 5.6 x^3/3!."""
    features: Annotated[Whole, Field(ge=1, le=100, title="number of features")] = 4
    """How many inputs: x^k / k! for k = 0, 1, ...; of the cubic, four are the true ones."""
    n: Rows = 200
    """Rows to train and validate on, half each; as many test rows as validate are drawn besides."""
    mean: Number = 0.0
    """Mean of x."""
    std: Annotated[Number, Field(gt=0, title="standard deviation")] = 1.0
    """Standard deviation of x."""
    noise: Noise = 0.1
    """Standard deviation of the noise."""


class HighDimensional(Synthetic):
    """y = 0.05 + the sum of 0.01 x_i + noise: few rows, many inputs."""

    inputs: Annotated[Whole, Field(ge=1, le=100_000, title="number of inputs")] = 200
    """How many inputs, all from N(0, 1)."""
    n: Rows = 120
    """Rows to train and validate on: 100 validate unless `validation` says otherwise."""
    noise: Noise = 0.01
    """Standard deviation of the noise."""


class Xor(Synthetic):
    """Two classes in the plane: whether the two coordinates have the same sign. No line parts them."""

    n: Rows = 200
    """Rows to train and validate on; a fifth as many test rows are drawn besides."""
    margin: Annotated[Number, Field(ge=0, lt=1, title="margin")] = 0.1
    """How far from both axes every point is; points lie in [-1, 1]."""


class Separable(Synthetic):
    """Two classes in the plane on the two sides of a line through 0, at least `margin` away from it."""

    n: Rows = 200
    """Rows to train and validate on; a fifth as many test rows are drawn besides."""
    margin: Annotated[Number, Field(ge=0, lt=1, title="margin")] = 0.1
    """Least distance of a point from the line."""


class LabelledPoints(Synthetic):
    """Corners of a cube with any labels: which of all labellings can a network tell apart?

    The corners (-1 or 1 in each coordinate) come in the order of how many coordinates are 1: in the plane
    (-1, -1), (1, -1), (-1, 1), (1, 1). The first `dimension` + 1 are a simplex, whose every labelling a
    hyperplane parts; of `dimension` + 2 points it never parts all labellings (Radon's theorem).
    """

    labels: Annotated[str, Field(pattern=r"^[+-]{2,64}$", title="labelling")] = "+--+"
    """A `+` or a `-` for each point, such as `+--+`; both classes need not be there."""
    dimension: Annotated[Whole, Field(ge=1, le=16, title="number of coordinates")] = 2
    """How many coordinates a point has: there are 2^dimension corners."""

    @model_validator(mode="after")
    def _has_so_many_corners(self) -> Self:
        if len(self.labels) > 2**self.dimension:
            raise wrong(
                f"{len(self.labels)} points are labelled, and a cube of {self.dimension} dimensions has "
                f"{2**self.dimension} corners; use fewer labels or a larger `dimension`",
                "labels",
            )
        return self


class Blobs(Synthetic):
    """Round clouds of points around centres on a circle of radius 1, a class each."""

    classes: Annotated[Whole, Field(ge=2, le=100, title="number of classes")] = 3
    """How many clouds."""
    n: Rows = 300
    """Rows to train and validate on; a fifth as many test rows are drawn besides."""
    spread: Annotated[Number, Field(gt=0, title="standard deviation")] = 0.3
    """Standard deviation of a cloud."""


SYNTHETIC: dict[str, type[Synthetic]] = {
    "linear-regression": LinearRegression,
    "sine": Sine,
    "polynomial": Polynomial,
    "high-dimensional": HighDimensional,
    "xor": Xor,
    "separable": Separable,
    "labelled-points": LabelledPoints,
    "blobs": Blobs,
}
"""The parameters of every synthetic data set, by the name of its source."""
