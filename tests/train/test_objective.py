"""Objectives that do not fit their data are refused in words; worked examples of losses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from ceteris.data import arrays, load
from ceteris.data.dataset import Dataset
from ceteris.spec.experiment import Experiment
from ceteris.train.cpu.losses import (
    ABSOLUTE_ERROR,
    SMOOTH_L1,
    binary_cross_entropy,
    robust_error,
    squared_error,
    weighted_cross_entropy,
)
from ceteris.train.cpu.softmax import cross_entropy
from ceteris.train.objective import class_weights, objective_problems, smoothings, watched_problems


@pytest.fixture(scope="module")
def numbers() -> Dataset:
    return arrays(np.zeros((9, 2), np.float32), np.linspace(-1, 1, 9))


def problems(dataset: Dataset, **settings: Any) -> list[str]:
    one = Experiment(data="digits", model="linear", **settings)
    found = [*objective_problems(one, dataset), *watched_problems(one, dataset)]
    return [f"{path}: {message}" for path, message in found]


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"loss": "l1"}, "experiment.loss: l1 needs numbers"),
        (
            {"loss": "binary_cross_entropy"},
            "experiment.loss: binary_cross_entropy needs two classes, and `digits` has 10; use cross_entropy",
        ),
        (
            {"loss": "mse", "label_smoothing": 0.1},
            "experiment.label_smoothing: labels are smoothed for cross_entropy only; the loss is mse",
        ),
        (
            {"loss": "mse", "class_weights": "balanced"},
            "experiment.class_weights: classes are weighted for cross_entropy only; the loss is mse",
        ),
        (
            {"class_weights": [1, 2]},
            "experiment.class_weights: this is a list of 2, and `digits` has 10 classes; give one weight",
        ),
        ({"metrics": ["log_rmse"]}, "experiment.metrics.0: log_rmse needs numbers above 0 to predict"),
        (
            {"loss": "hinge"},
            "experiment.loss: hinge needs two classes, and `digits` has 10; use cross_entropy",
        ),
        (
            {"loss": "nll"},
            "experiment.loss: nll is of log-probabilities, and the outputs are none; set `model.output: log_",
        ),
    ],
)
def test_what_does_not_fit_classes(settings: dict[str, Any], line: str) -> None:
    found = problems(load("digits"), **settings)
    assert len(found) == 1
    assert found[0].startswith(line)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"loss": "cross_entropy"}, "experiment.loss: cross_entropy needs classes, and `arrays` has numbers"),
        ({"label_smoothing": 0.1}, "experiment.label_smoothing: labels are smoothed for cross_entropy only"),
        (
            {"schedule": {"kind": "plateau", "metric": "val_accuracy"}},
            "experiment.schedule.metric: `arrays` has numbers to predict, which have no accuracy",
        ),
        (
            {"early_stopping": {"metric": "val_accuracy"}},
            "experiment.early_stopping.metric: `arrays` has numbers to predict",
        ),
        ({"metrics": ["log_rmse"]}, "experiment.metrics.0: log_rmse needs numbers above 0"),
    ],
)
def test_what_does_not_fit_numbers(numbers: Dataset, settings: dict[str, Any], line: str) -> None:
    found = problems(numbers, **settings)
    assert len(found) == 1
    assert found[0].startswith(line)


def test_a_softmax_over_one_output_is_refused(numbers: Dataset) -> None:
    one = Experiment(data="digits", model={"kind": "linear", "output": ["relu", "softmax"]})
    assert list(objective_problems(one, numbers)) == [
        (
            "experiment.model.output.1",
            "softmax of one output is a constant, so nothing would be learned; use sigmoid",
        )
    ]


def test_what_fits_is_not_refused(numbers: Dataset) -> None:
    assert not problems(load("digits"), label_smoothing=0.1, class_weights=[1] * 10)
    assert not problems(numbers, loss="huber", loss_beta=2)


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    labels = np.repeat([0, 1, 2], [5, 20, 1])
    one = Experiment(data="digits", model="linear", class_weights="balanced")
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(class_weights(one, labels, 3), expected)


def test_conventions_of_label_smoothing() -> None:
    """For 10 classes torch's 0.1 leaves 0.91 to the right class, the shared one 0.9."""
    two = [
        Experiment(data="digits", model="linear", label_smoothing=0.1, smoothing_convention=convention)
        for convention in ("torch", "shared")
    ]
    spread = smoothings(two, 10)
    np.testing.assert_allclose(1 - spread + spread / 10, [0.91, 0.9])


LOGITS = np.array(
    [
        [-1.4925, -1.4033, 0.8390, -1.6440, 1.5562],
        [2.0672, -0.3932, -1.2632, 0.6108, 1.3722],
        [-1.5822, -0.0761, 0.3674, -1.7704, 0.1582],
    ]
)


def by_unit(logits: np.ndarray, labels: np.ndarray) -> tuple[float, int, np.ndarray]:
    """Cross-entropy of logits (b, c), which the kernel reads as (c, b); the gradient is (b, c) again."""
    columns = np.ascontiguousarray(logits.T)
    gradient, spare = np.empty_like(columns), np.empty((2, len(labels)), columns.dtype)
    total, right = cross_entropy(columns, labels, gradient, *spare)
    return total, right, gradient.T


@pytest.mark.parametrize(("rows", "units"), [(1, 2), (7, 10), (32, 10), (33, 3)])
def test_cross_entropy_and_right_answers_equal_torchs(rows: int, units: int) -> None:
    draw = np.random.default_rng(rows)
    logits = np.round(draw.standard_normal((rows, units)) * 3)  # whole numbers: many are tied for the largest
    labels = draw.integers(0, units, rows)
    theirs = torch.tensor(logits, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(theirs, torch.tensor(labels))
    loss.backward()
    total, right, gradient = by_unit(logits, labels)
    assert total / rows == pytest.approx(loss.item(), rel=1e-12)
    assert theirs.grad is not None
    np.testing.assert_allclose(gradient, theirs.grad.numpy(), rtol=1e-10, atol=1e-14)
    assert right == (logits.argmax(1) == labels).sum()


def test_a_logit_that_is_not_a_number_makes_the_loss_one() -> None:
    logits, labels = LOGITS.copy(), np.array([0, 3, 4])
    logits[1, 2] = np.nan
    assert np.isnan(by_unit(logits, labels)[0])


def test_worked_examples_of_losses() -> None:
    gradient, labels = np.empty_like(LOGITS), np.array([0, 3, 4])
    total, _, plain = by_unit(LOGITS, labels)
    assert total / 3 == pytest.approx(2.27229, abs=1e-5)
    assert weighted_cross_entropy(LOGITS, labels, 0.0, np.ones(5), gradient)[0] / 3 == pytest.approx(
        2.27229, abs=1e-5
    )
    np.testing.assert_allclose(gradient, plain, rtol=1e-12)
    binary = np.array([[1.70], [-0.38], [2.14]])
    total, right = binary_cross_entropy(binary, np.array([0, 1, 0]), np.empty_like(binary))
    assert total / 3 == pytest.approx(1.67337, abs=1e-5)
    assert right == 0
    y, outputs = np.array([[2.0], [3.2], [1.9]]), np.array([[2.1], [3.1], [1.8]])
    assert robust_error(ABSOLUTE_ERROR, 1.0, outputs, y, np.empty_like(y))[0] / 3 == pytest.approx(0.1)
    assert squared_error(outputs, y, np.empty_like(y)) / 3 == pytest.approx(0.01)
    one, other = np.array([[1.0], [0.0]]), np.array([[0.4], [0.6]])
    assert robust_error(SMOOTH_L1, 1.0, other, one, np.empty_like(one))[0] / 2 == pytest.approx(0.18)
