"""What members minimise, as vectors over members; and which objectives do not fit the data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Dataset
from ceteris.spec.experiment import Experiment
from ceteris.spec.losses import FITTING_OUTPUTS, FOR_CLASSES, FOR_NUMBERS, ONE_OUTPUT
from ceteris.spec.model import MLP, ModuleModel
from ceteris.spec.schedule import Plateau


def resolved_loss(experiment: Experiment, dataset: Dataset) -> str:
    """Return the loss that ``auto`` stands for: by the task of the data."""
    if experiment.loss != "auto":
        return experiment.loss
    return "cross_entropy" if dataset.task == "classification" else "mse"


def smoothings(experiments: Sequence[Experiment], classes: int) -> NDArray[np.float64]:
    """Return all members' label smoothing in torch's convention, (M,).

    With c classes, ``shared`` smoothing e leaves 1 - e to the right class and gives e / (c - 1) to each
    other: that is torch's with e c / (c - 1).
    """
    factors = [
        classes / (classes - 1) if experiment.smoothing_convention == "shared" and classes > 1 else 1.0
        for experiment in experiments
    ]
    return np.array([e.label_smoothing * f for e, f in zip(experiments, factors, strict=True)])


def betas(experiments: Sequence[Experiment]) -> NDArray[np.float64]:
    """Return where all members' smooth L1 or Huber losses turn from a parabola into a line, (M,)."""
    return np.array([experiment.loss_beta for experiment in experiments])


def class_weights(experiment: Experiment, labels: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Return one member's class weights, (classes,), from the labels of its training rows.

    ``balanced`` gives class k the weight n / (classes n_k), as scikit-learn does; a class without a row
    gets 0, which nothing multiplies.
    """
    if experiment.class_weights is None:
        return np.ones(classes)
    if experiment.class_weights == "balanced":
        counts = np.bincount(labels, minlength=classes)
        return np.divide(len(labels), classes * counts, out=np.zeros(classes), where=counts > 0)
    return np.array(experiment.class_weights, dtype=np.float64)


def objective_problems(experiment: Experiment, dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield (path, sentence) for every setting of the objective that does not fit the data."""
    loss = resolved_loss(experiment, dataset)
    name, classes = dataset.name, len(dataset.classes)
    if dataset.task == "regression" and loss not in FOR_NUMBERS:
        yield "experiment.loss", f"{loss} needs classes, and `{name}` has numbers to predict; use mse"
        return
    if dataset.task == "classification" and loss not in FOR_CLASSES:
        yield (
            "experiment.loss",
            f"{loss} needs numbers to predict, and `{name}` has classes; use cross_entropy",
        )
        return
    yield from _output_problems(experiment, loss, dataset)
    if loss in ONE_OUTPUT and classes != 2:
        yield (
            "experiment.loss",
            f"{loss} needs two classes, and `{name}` has {classes}; use cross_entropy",
        )
    if loss != "cross_entropy" and experiment.label_smoothing > 0:
        yield "experiment.label_smoothing", f"labels are smoothed for cross_entropy only; the loss is {loss}"
    if experiment.class_weights is None:
        return
    if loss != "cross_entropy":
        yield "experiment.class_weights", f"classes are weighted for cross_entropy only; the loss is {loss}"
    elif experiment.class_weights != "balanced" and len(experiment.class_weights) != classes:
        yield (
            "experiment.class_weights",
            f"this is a list of {len(experiment.class_weights)}, and `{name}` has {classes} classes; give "
            "one weight for each, or `balanced`",
        )


def _output_problems(experiment: Experiment, loss: str, dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the activations on the outputs of a built-in network."""
    if isinstance(experiment.model, ModuleModel):
        return
    output, fitting = experiment.model.output, FITTING_OUTPUTS.get(loss)
    if fitting is not None and (not output or output[-1] not in fitting):
        meant = "log-probabilities" if loss == "nll" else "probabilities"
        message = f"{loss} is of {meant}, and the outputs are none; set `model.output: {fitting[0]}`"
        yield "experiment.loss", message
    alone = loss in ONE_OUTPUT or (dataset.task == "regression" and dataset.y[0].size == 1)
    for place, name in enumerate(output):
        if alone and name in ("softmax", "log_softmax"):
            message = f"{name} of one output is a constant, so nothing would be learned; use sigmoid"
            yield f"experiment.model.output.{place}", message


def precision_problems(experiment: Experiment) -> Iterator[tuple[str, str]]:
    """Yield (path, sentence) for what is not computed in few bits: noise and drop-connect."""
    model = experiment.model
    if experiment.precision == "float32" or not isinstance(model, MLP):
        return
    for name in ("noise", "input_noise", "drop_connect"):
        given = getattr(model, name)
        if any(given) if isinstance(given, tuple) else given > 0:
            yield (
                f"experiment.model.{name}",
                f"it acts in float32 only, and `precision` is {experiment.precision}; remove one of the two",
            )


def watched_problems(experiment: Experiment, dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield (path, sentence) for every metric that decides something and that this data does not have."""
    watched = {"early_stopping": experiment.early_stopping.metric}
    if isinstance(experiment.schedule, Plateau):
        watched["schedule"] = experiment.schedule.metric
    for part, metric in watched.items():
        acts = part == "schedule" or experiment.early_stopping.acts
        if experiment.data.validation == 0 and acts and metric.startswith("val_"):
            yield (
                f"experiment.{part}",
                f"it watches `{metric}`, and with `data.validation: 0` no rows validate; remove one of them",
            )
        if dataset.task == "regression" and metric in ("val_accuracy", "train_accuracy"):
            loss = metric.replace("accuracy", "loss")
            yield (
                f"experiment.{part}.metric",
                f"`{dataset.name}` has numbers to predict, which have no accuracy; use {loss}",
            )
    if "rmse" in experiment.metrics and dataset.task != "regression":
        place = experiment.metrics.index("rmse")
        message = f"rmse needs numbers to predict, and `{dataset.name}` has classes"
        yield f"experiment.metrics.{place}", message
    if "log_rmse" in experiment.metrics and (dataset.task != "regression" or not (dataset.y > 0).all()):
        place = experiment.metrics.index("log_rmse")
        message = f"log_rmse needs numbers above 0 to predict, which `{dataset.name}` does not have"
        yield f"experiment.metrics.{place}", message
