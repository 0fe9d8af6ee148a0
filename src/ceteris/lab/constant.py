"""What a constant would reach: the check that a network has learned anything at all.

The constant is made of the training targets of a trial and measured on its validation rows, as a network is:
for classes their shares, whose largest is the most frequent class; for numbers their mean, or their median
where the loss is one of absolute errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Dataset
from ceteris.data.split import split_rows
from ceteris.data.target_scaling import fit_targets
from ceteris.spec.combine import Combination
from ceteris.spec.data import DataSpec
from ceteris.spec.experiment import Experiment
from ceteris.spec.folds import Folds
from ceteris.train.objective import resolved_loss

Values = NDArray[np.float64]
Labels = NDArray[np.int64]

MOST_PLACES = 20
"""Splits that are averaged over at most."""
LEAST_SHARE = 0.5
"""Rows that a class without a training row counts as, so that its loss is finite."""


def constants_of(
    found: Sequence[Combination],
    datasets: Mapping[str, Dataset],
    seeds: Sequence[int],
    folds: Folds | None,
) -> dict[str, dict[str, Any]]:
    """Return for each level what a constant would reach, averaged over its splits, by metric.

    ``predicts`` says what the constant is. Levels without validation rows are left out.
    """
    known: dict[tuple[DataSpec, str, float, tuple[str, ...]], dict[str, Any]] = {}
    told = {}
    for combination in found:
        experiment = combination.experiment
        dataset = datasets[experiment.data.reading]
        loss = resolved_loss(experiment, dataset)
        key = experiment.data, loss, experiment.loss_beta, experiment.metrics
        if key not in known:
            known[key] = _averaged(experiment, dataset, loss, seeds, folds)
        if known[key]:
            told[combination.label] = known[key]
    return told


def _averaged(
    experiment: Experiment, dataset: Dataset, loss: str, seeds: Sequence[int], folds: Folds | None
) -> dict[str, Any]:
    places = [(seed, fold) for seed in seeds for fold in range(1 if folds is None else folds.k)]
    each = []
    for seed, fold in places[:MOST_PLACES]:
        split = split_rows(dataset, experiment.data, seed, fold, folds)
        if not len(split.validation):
            return {}
        measure = constant_for_classes if dataset.task == "classification" else constant_for_numbers
        each.append(measure(experiment, dataset, loss, split.train, split.validation))
    means = {name: float(np.mean([own[name] for own in each])) for name in each[0]}
    return {"predicts": _what(dataset, loss), **means}


def _what(dataset: Dataset, loss: str) -> str:
    if dataset.task == "classification":
        return "the most frequent class"
    return "the mean of the training targets" if _is_squared(loss) else "the median of the training targets"


def _is_squared(loss: str) -> bool:
    return loss in ("mse", "mse_half")


def constant_for_classes(
    experiment: Experiment, dataset: Dataset, loss: str, train: Labels, validation: Labels
) -> dict[str, float]:
    """Return ``val_loss`` and ``val_accuracy`` of the training rows' class shares.

    Losses of two classes with one output take the share of class 1, or its sign where they have a margin.
    """
    classes = len(dataset.classes)
    counts = np.bincount(dataset.y[train], minlength=classes).astype(np.float64)
    shares = np.maximum(counts, LEAST_SHARE) / np.maximum(counts, LEAST_SHARE).sum()
    labels = dataset.y[validation]
    majority = int(counts.argmax())
    if _is_squared(loss):
        half = 0.5 if loss == "mse_half" else 1.0
        errors = half * (np.eye(classes)[labels] - counts / counts.sum()) ** 2
        value = float(errors.mean())
    elif loss in ("hinge", "perceptron"):  # max(0, 1 - t z) and max(0, -t z) at z = 1 or -1
        wrong = float((labels != majority).mean())
        value = wrong * (2.0 if loss == "hinge" else 1.0)
    else:
        value = float(-np.log(shares[labels]).mean())
    return {"val_loss": value, "val_accuracy": float((labels == majority).mean())}


def constant_for_numbers(
    experiment: Experiment, dataset: Dataset, loss: str, train: Labels, validation: Labels
) -> dict[str, float]:
    """Return ``val_loss`` and the listed ``val_rmse`` and ``val_log_rmse`` of the training targets' mean.

    The mean is that of the targets as they are learned; its median takes its place where the loss is one of
    absolute errors.
    """
    scaling = fit_targets(dataset, experiment.data.target_scale, train)
    own = dataset.y.reshape(len(dataset.y), -1).astype(np.float64)
    learned = own if scaling is None else scaling.scaled(own).astype(np.float64)
    centre = np.mean if _is_squared(loss) else np.median
    constant = np.asarray(centre(learned[train], axis=0))[None]
    errors = learned[validation] - constant
    found = {"val_loss": float(_loss(errors, loss, experiment.loss_beta).mean())}
    predicted = constant if scaling is None else scaling.restored(constant)
    if "rmse" in experiment.metrics:
        found["val_rmse"] = _root_mean_square(own[validation] - predicted)
    if "log_rmse" in experiment.metrics:
        logs = np.log(own[validation]) - np.log(np.maximum(predicted, 1.0))
        found["val_log_rmse"] = _root_mean_square(logs)
    return found


def _loss(errors: Values, loss: str, beta: float) -> Values:
    """Return the losses of single errors; see ``Experiment.loss``."""
    size, square = np.abs(errors), errors**2
    match loss:
        case "mse":
            return square
        case "mse_half":
            return square / 2
        case "l1":
            return size
        case _:
            parabola = square / 2 if loss == "huber" else square / (2 * beta)
            line = beta * (size - beta / 2) if loss == "huber" else size - beta / 2
            return np.where(size < beta, parabola, line)


def _root_mean_square(values: Values) -> float:
    return float(np.sqrt((values**2).mean()))
