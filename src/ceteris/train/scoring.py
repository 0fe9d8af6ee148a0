"""What a trained network's outputs are worth on rows that it did not train on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ceteris.data.target_scaling import TargetScaling
from ceteris.errors import CeterisError, exception_in_line
from ceteris.spec.experiment import Experiment, metric_name
from ceteris.spec.losses import class_edge
from ceteris.train.measure import PROVIDED, Metric
from ceteris.train.tensor.losses import Objective, losses, right_answers

BATCH = 1000
"""Rows that go through a network at once: enough to be fast, few enough to fit."""


@torch.no_grad()
def outputs_of(network: torch.nn.Module, inputs: Tensor) -> Tensor:
    """Return a network's outputs (N, k) for prepared inputs (N, ...), in evaluation mode.

    Raises ``CeterisError`` where the network, which may be one of the user's own, fails on them.
    """
    network.eval()
    try:
        parts = [network(inputs[begin : begin + BATCH]) for begin in range(0, len(inputs), BATCH)]
    except MemoryError:
        raise
    except Exception as error:
        raise CeterisError(f"the network fails on these rows: {exception_in_line(error)}") from error
    return torch.cat(parts).reshape(len(inputs), -1)


def as_targets(y: NDArray[np.generic]) -> Tensor:
    """Return class numbers (N,) int64, or values (N, k) float32."""
    if np.issubdtype(y.dtype, np.integer):
        return torch.from_numpy(y.astype(np.int64))
    return torch.from_numpy(y.astype(np.float32).reshape(len(y), -1))


def scores(
    experiment: Experiment,
    loss: str,
    outputs: Tensor,
    targets: Tensor,
    own: Mapping[str, Metric],
    scaling: TargetScaling | None = None,
) -> dict[str, float]:
    """Return the plain loss, the accuracy (of classes), and the experiment's further metrics by name.

    Args:
        loss: the name that the experiment's loss resolves to.
        outputs: (N, k).
        targets: (N,) class numbers, or (N, k) values.
        own: metrics of the user's own by name; those that are not given are left out.
        scaling: how the network learned its targets: the loss is of the scaled ones, metrics are not.
    """
    objective = _plain_objective(experiment, loss, outputs.shape[1])
    learned = targets if scaling is None else torch.from_numpy(scaling.scaled(targets.numpy()))
    found = {"loss": float(mean_loss(experiment, loss, outputs.double(), learned))}
    if not targets.is_floating_point():
        right = right_answers(objective, outputs[None], targets[None])[0]
        found["accuracy"] = float(right) / len(targets)
    known = {**PROVIDED, **own}
    for name in map(metric_name, experiment.metrics):
        if name in known:
            found[name] = float(known[name](in_units(outputs, scaling), targets))
    return found


def mean_loss(experiment: Experiment, loss: str, outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the mean loss of outputs (N, k), unsmoothed and unweighted, as a number with a gradient."""
    return losses(_plain_objective(experiment, loss, outputs.shape[1]), outputs[None], targets[None])[0]


def _plain_objective(experiment: Experiment, loss: str, outputs: int) -> Objective:
    return Objective(
        loss,
        smoothing=torch.zeros(1, dtype=torch.float64),
        class_weights=torch.ones(1, outputs, dtype=torch.float64),
        beta=torch.tensor([experiment.loss_beta], dtype=torch.float64),
        altered=False,
    )


def in_units(outputs: Tensor, scaling: TargetScaling | None) -> Tensor:
    """Return a network's outputs (N, k) in the units of its targets."""
    return outputs if scaling is None else torch.from_numpy(scaling.restored(outputs.numpy()))


def predicted_classes(loss: str, outputs: Tensor) -> Tensor:
    """Return the class numbers (N,) that outputs (N, k) stand for."""
    edge = class_edge(loss)
    return outputs.argmax(dim=1) if edge is None else (outputs[:, 0] > edge).long()
