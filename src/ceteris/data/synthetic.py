"""Synthetic data sets: drawn from a formula, with the truth kept beside the rows.

Draws are keyed by the data's seed, by what they are for, and by row and column, so that more rows or more
features leave the others as they were. The sine alone is drawn by NumPy's legacy generator, to be the rows of
the note that it comes from.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Rows, SourceData, Task
from ceteris.data.download import Report
from ceteris.data.one_input import OneInput
from ceteris.draws import normals, stream_key, uniforms
from ceteris.spec.data import split_parameters
from ceteris.spec.synthetic import (
    SYNTHETIC,
    Blobs,
    HighDimensional,
    LabelledPoints,
    LinearRegression,
    Polynomial,
    Separable,
    Sine,
    Synthetic,
    Xor,
)

ORIGIN = "drawn from a formula"
TEST_SHARE = 0.2
COEFFICIENTS = (5.0, 1.2, -3.4, 5.6)
"""Of x^k / k! in the cubic."""
DERIVATIVES: Mapping[str, tuple[float, ...]] = {"sin": (0, 1, 0, -1), "cos": (1, 0, -1, 0), "exp": (1,)}
"""The derivatives at 0 of functions whose derivatives come round again, from the function itself on."""
NEAR = 0.1
"""How far the test points lie from labelled points: the standard deviation of each coordinate."""
HIGH_WEIGHT, HIGH_BIAS, HIGH_VALIDATION = 0.01, 0.05, 100
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    """Rows to train and validate on, test rows, and the truth behind them as plain JSON."""

    x: Array
    y: NDArray[Any]
    x_test: Array
    y_test: NDArray[Any]
    truth: Mapping[str, Any]
    validation: int | float = 0.2
    classes: tuple[str, ...] = ()
    one_input: OneInput | None = None


@dataclass(frozen=True)
class SyntheticSource:
    """A synthetic data set with its parameters; satisfies ``Source``."""

    name: str
    description: str
    parameters: Synthetic

    def place(self, folder: Path | None) -> str | None:
        """Always there."""
        return ORIGIN

    def read(self, folder: Path | None, report: Report | None) -> SourceData:
        """Draw the rows."""
        drawn = _DRAW[self.name](self.parameters)
        task: Task = "classification" if drawn.classes else "regression"
        kind = np.int64 if drawn.classes else np.float64
        return SourceData(
            name=self.name,
            task=task,
            train=Rows(drawn.x, drawn.y.astype(kind)),
            test=Rows(drawn.x_test, drawn.y_test.astype(kind)),
            classes=drawn.classes,
            value_range=None,
            origin=ORIGIN,
            default_validation=drawn.validation,
            truth=drawn.truth,
            one_input=drawn.one_input,
        )


def with_parameters(source: str) -> SyntheticSource | None:
    """Return the source that ``polynomial?{"features": 20}`` names (``DataSpec.reading``), else None."""
    name, text = split_parameters(source)
    if name not in SYNTHETIC:
        return None
    parameters = SYNTHETIC[name](**json.loads(text)) if text else SYNTHETIC[name]()
    return SyntheticSource(name, DESCRIPTIONS[name], parameters)


def _key(parameters: Synthetic, name: str, what: str) -> Any:
    return stream_key(parameters.seed, f"synthetic {name}", what)


def _split(x: Array, y: NDArray[Any], n: int, truth: Mapping[str, Any], **more: Any) -> Drawn:
    return Drawn(x[:n], y[:n], x[n:], y[n:], truth, **more)


def _with_test_rows(n: int) -> int:
    return n + math.ceil(TEST_SHARE * n)


def _linear(p: LinearRegression) -> Drawn:
    total = _with_test_rows(p.n)
    x = normals(_key(p, "linear-regression", "x"), total, len(p.w))
    noise = p.noise * normals(_key(p, "linear-regression", "noise"), total, 1)[:, 0]
    y = x @ np.array(p.w) + p.b + noise
    return _split(x, y, p.n, {"weights": list(p.w), "bias": p.b, "noise": p.noise})


def _sine(p: Sine) -> Drawn:
    random = np.random.RandomState(p.seed)

    def rows() -> tuple[Array, Array]:
        x = random.uniform(p.low, p.high, p.n)
        return x[:, None], np.sin(x) + p.noise * random.randn(p.n)

    (x, y), (x_test, y_test) = rows(), rows()
    truth = {"function": "sin x", "noise": p.noise, "low": p.low, "high": p.high}
    return Drawn(x, y, x_test, y_test, truth)


def polynomial_features(x: Array, features: int) -> Array:
    """Return x^k / k! for k = 0, ..., features - 1; (N,) to (N, features)."""
    powers = np.arange(features)
    factorials = np.array([math.gamma(k + 1) for k in powers])
    terms: Array = x[:, None] ** powers / factorials
    return terms


FUNCTIONS: Mapping[str, Callable[[Array], Array]] = {"sin": np.sin, "cos": np.cos, "exp": np.exp}


def taylor_coefficients(function: str, terms: int) -> list[float]:
    """Return the first derivatives of a function at 0, itself first: the weights of x^k / k!."""
    if function == "cubic":
        return [*COEFFICIENTS, *([0.0] * terms)][:terms]
    derivatives = DERIVATIVES[function]
    return [float(derivatives[k % len(derivatives)]) for k in range(terms)]


def _polynomial(p: Polynomial) -> Drawn:
    validation = p.n // 2
    total = p.n + validation
    x = p.mean + p.std * normals(_key(p, "polynomial", "x"), total, 1)[:, 0]
    noise = p.noise * normals(_key(p, "polynomial", "noise"), total, 1)[:, 0]
    truth: dict[str, Any] = {"weights": taylor_coefficients(p.function, p.features), "noise": p.noise}
    if p.function == "cubic":
        y = polynomial_features(x, len(COEFFICIENTS)) @ np.array(COEFFICIENTS) + noise
    else:
        y = FUNCTIONS[p.function](x) + noise
        truth["function"] = f"{p.function} x"
    along = OneInput(x[: p.n], partial(polynomial_features, features=p.features))
    features = polynomial_features(x, p.features)
    return _split(features, y, p.n, truth, validation=validation, one_input=along)


def _high(p: HighDimensional) -> Drawn:
    total = p.n + HIGH_VALIDATION
    x = normals(_key(p, "high-dimensional", "x"), total, p.inputs)
    noise = p.noise * normals(_key(p, "high-dimensional", "noise"), total, 1)[:, 0]
    y = HIGH_BIAS + HIGH_WEIGHT * x.sum(axis=1) + noise
    truth = {"weights": [HIGH_WEIGHT] * p.inputs, "bias": HIGH_BIAS, "noise": p.noise}
    validation = HIGH_VALIDATION if p.n > HIGH_VALIDATION else TEST_SHARE
    return _split(x, y, p.n, truth, validation=validation)


def _xor(p: Xor) -> Drawn:
    total = _with_test_rows(p.n)
    drawn = 2 * uniforms(_key(p, "xor", "x"), total, 2) - 1
    x = np.sign(drawn) * (p.margin + (1 - p.margin) * np.abs(drawn))
    same = x[:, 0] * x[:, 1] > 0
    return _split(x, same, p.n, {"margin": p.margin}, classes=("different signs", "same sign"))


def _separable(p: Separable) -> Drawn:
    total = _with_test_rows(p.n)
    angle = 2 * math.pi * float(uniforms(_key(p, "separable", "line"), 1, 1)[0, 0])
    normal, along = (
        np.array([math.cos(angle), math.sin(angle)]),
        np.array([-math.sin(angle), math.cos(angle)]),
    )
    drawn = 2 * uniforms(_key(p, "separable", "x"), total, 2) - 1
    away = np.sign(drawn[:, 0]) * (p.margin + (1 - p.margin) * np.abs(drawn[:, 0]))
    x = away[:, None] * normal + drawn[:, 1:] * along
    truth = {"normal": normal.tolist(), "margin": p.margin}
    return _split(x, away > 0, p.n, truth, classes=("negative", "positive"))


def _labelled_points(p: LabelledPoints) -> Drawn:
    corners = sorted(
        itertools.product((-1.0, 1.0), repeat=p.dimension), key=lambda c: (sum(c), [-x for x in c])
    )
    x = np.array(corners[: len(p.labels)])
    y = np.array([label == "+" for label in p.labels])
    near = x + NEAR * normals(_key(p, "labelled-points", "near"), *x.shape)
    return Drawn(x, y, near, y, {"labels": p.labels}, validation=0.5, classes=("-", "+"))


def _blobs(p: Blobs) -> Drawn:
    total = _with_test_rows(p.n)
    labels = np.arange(total) % p.classes
    angles = 2 * math.pi * np.arange(p.classes) / p.classes
    centres = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    x = centres[labels] + p.spread * normals(_key(p, "blobs", "x"), total, 2)
    truth = {"centres": centres.tolist(), "spread": p.spread}
    return _split(x, labels, p.n, truth, classes=tuple(map(str, range(p.classes))))


_DRAW: Mapping[str, Callable[[Any], Drawn]] = {
    "linear-regression": _linear,
    "sine": _sine,
    "polynomial": _polynomial,
    "high-dimensional": _high,
    "xor": _xor,
    "separable": _separable,
    "labelled-points": _labelled_points,
    "blobs": _blobs,
}

DESCRIPTIONS: Mapping[str, str] = {
    "linear-regression": "regression: y = 2 x1 - 3.4 x2 + 4.2 + noise, 1,000 drawn rows",
    "sine": "regression: y = sin x + noise, 100 drawn rows",
    "polynomial": "regression: a cubic, or sin, cos, exp, from features x^k/k!, 200 drawn rows",
    "high-dimensional": "regression: 200 inputs of weight 0.01, 120 drawn rows, 20 to train on",
    "xor": "two classes that no line parts, 200 drawn points of the plane",
    "separable": "two classes on the two sides of a line, 200 drawn points of the plane",
    "labelled-points": "any labelling of the corners of a cube, by default four in the plane as in XOR",
    "blobs": "three round clouds of points in the plane, 300 drawn rows",
}

SYNTHETIC_SOURCES = tuple(SyntheticSource(name, DESCRIPTIONS[name], SYNTHETIC[name]()) for name in SYNTHETIC)
