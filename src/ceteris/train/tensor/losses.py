"""Losses of stacked outputs; every tensor has the member axis first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ceteris.spec.losses import ONE_OUTPUT, class_edge
from ceteris.train.engine import StackSpec
from ceteris.train.objective import betas, smoothings
from ceteris.train.tensor.exact import moved

LEAST_PROBABILITY = 1e-12
"""Below it the logarithm of a probability has no gradient, so that the stack stays finite."""
LEAST_LOG = -100.0
"""A logarithm of a probability is not smaller, as in ``torch.nn.BCELoss``."""


@dataclass(frozen=True)
class Objective:
    """The loss by name, with a vector over members of what may differ: ``smoothing`` (M,), ``beta`` (M,).

    ``class_weights`` is (M, classes).
    """

    loss: str
    smoothing: Tensor
    class_weights: Tensor
    beta: Tensor
    altered: bool
    """Whether any member's labels are smoothed or classes weighted."""


def stacked_objective(spec: StackSpec, device: torch.device) -> Objective:
    """Return the objective of a whole stack."""
    smoothing, beta = smoothings(spec.experiments, spec.net.n_out), betas(spec.experiments)
    return _objective(spec.loss, smoothing, spec.class_weights, beta, device)


def objectives(spec: StackSpec, device: torch.device) -> list[Objective]:
    """Return the objective of every member by itself, as of a stack of one."""
    smoothing, beta = smoothings(spec.experiments, spec.net.n_out), betas(spec.experiments)
    return [
        _objective(spec.loss, smoothing[i : i + 1], spec.class_weights[i : i + 1], beta[i : i + 1], device)
        for i in range(len(smoothing))
    ]


def _objective(
    loss: str,
    smoothing: NDArray[np.float64],
    weights: NDArray[np.float64],
    beta: NDArray[np.float64],
    device: torch.device,
) -> Objective:
    altered = loss == "cross_entropy" and bool((smoothing > 0).any() or (weights != 1).any())

    def there(array: NDArray[np.float64]) -> Tensor:
        return moved(array, device)

    return Objective(loss, there(smoothing), there(weights), there(beta), altered)


def training_losses(objective: Objective, outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean loss of every member's batch as it is trained on, (M,): smoothed and weighted; see ``losses``."""
    weights = objective.class_weights.to(outputs.dtype)
    smoothing = objective.smoothing.to(outputs.dtype)[:, None]
    surprise = -functional.log_softmax(outputs, dim=2)
    own = weights.gather(1, targets)
    right = surprise.gather(2, targets[..., None])[..., 0]
    spread = (weights[:, None] * surprise).sum(dim=2) / outputs.shape[2]
    summed = ((1 - smoothing) * own * right + smoothing * spread).sum(dim=1)
    return summed / own.sum(dim=1)


def losses(objective: Objective, outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean loss of every member over its rows, (M,), unsmoothed and unweighted.

    Args:
        outputs: (M, n, k); targets: (M, n) class numbers or (M, n, k) values.
    """
    members, rows, units = outputs.shape
    if objective.loss == "cross_entropy":
        flat = functional.cross_entropy(outputs.reshape(-1, units), targets.reshape(-1), reduction="none")
        return flat.reshape(members, rows).mean(dim=1)
    if objective.loss == "binary_cross_entropy":
        logits = outputs[..., 0]
        each = functional.binary_cross_entropy_with_logits(logits, targets.to(logits.dtype), reduction="none")
        return each.mean(dim=1)
    if objective.loss == "nll":
        return -outputs.gather(2, targets[..., None])[..., 0].mean(dim=1)
    if objective.loss in ONE_OUTPUT:
        return _of_one_output(objective.loss, outputs[..., 0], targets).mean(dim=1)
    if not targets.is_floating_point():
        # torch's one_hot looks at its numbers, and waits for the device.
        targets = (targets[..., None] == torch.arange(units, device=targets.device)).to(outputs.dtype)
    return _of_errors(objective, outputs - targets).mean(dim=(1, 2))


def _of_one_output(loss: str, outputs: Tensor, labels: Tensor) -> Tensor:
    """Losses (M, n) of a probability or a margin; see ``ceteris.train.cpu.class_losses``."""
    if loss == "binary_cross_entropy_probabilities":
        # torch's own refuses what is no probability, NaN after a divergence too, for the whole stack.
        return -_bounded_log(torch.where(labels == 1, outputs, 1 - outputs))
    margin = torch.where(labels == 1, outputs, -outputs)
    if loss == "hinge":
        return functional.relu(1 - margin)
    return torch.where(margin <= 0, -margin, 0 * margin)


def _bounded_log(p: Tensor) -> Tensor:
    """Return log p, at least ``LEAST_LOG``, whose gradient is that of a p of at least LEAST_PROBABILITY."""
    smooth = p.clamp(min=LEAST_PROBABILITY).log()
    own = p.detach()
    least = torch.finfo(
        p.dtype
    ).tiny  # what is smaller may be flushed to 0, the logarithm of which is infinite
    value = torch.where(own < least, LEAST_LOG, own.clamp(min=least).log())
    return smooth + (value - smooth.detach())


def _of_errors(objective: Objective, errors: Tensor) -> Tensor:
    if objective.loss in ("mse", "mse_half"):
        return errors.square() if objective.loss == "mse" else 0.5 * errors.square()
    size = errors.abs()
    if objective.loss == "l1":
        return size
    beta = objective.beta.to(errors.dtype)[:, None, None]
    smooth = torch.where(size < beta, 0.5 * errors.square() / beta, size - 0.5 * beta)
    return smooth * beta if objective.loss == "huber" else smooth


def right_answers(objective: Objective, outputs: Tensor, targets: Tensor) -> Tensor:
    """How many rows every member classifies rightly, (M,); zeros where targets are values."""
    if targets.is_floating_point():
        return outputs.new_zeros(len(outputs))
    edge = class_edge(objective.loss)
    if edge is not None:
        return ((outputs[..., 0] > edge) == (targets == 1)).sum(dim=1)
    return (outputs.argmax(dim=2) == targets).sum(dim=1)
