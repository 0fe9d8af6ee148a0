"""Newton's step: a gradient divided by the curvature, with exact second derivatives."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, jacrev

from ceteris.nets.architecture import Architecture
from ceteris.train.tensor.losses import Objective, losses, training_losses

CHUNK = 64
"""Rows of a Hessian that are computed at once: memory is so many times that of a backward pass."""


def hessian(
    module: nn.Module, net: Architecture, flat: Tensor, objective: Objective, x: Tensor, targets: Tensor
) -> Tensor:
    """Return the second derivatives (P, P) of a batch's mean loss by the flat parameters (P,), in float64.

    Args:
        x: (n, features); ``targets`` as the losses take them, (n, ...).
    """
    inputs, goals = x.double(), targets.double() if targets.is_floating_point() else targets

    def loss(parameters: Tensor) -> Tensor:
        named = {
            tensor.name: parameters[tensor.offset : tensor.offset + tensor.size].reshape(tensor.shape)
            for tensor in net.parameters
        }
        outputs = functional_call(module, named, (inputs,))
        value: Tensor = (training_losses if objective.altered else losses)(
            objective, outputs[None], goals[None]
        )[0]
        return value

    found: Tensor = jacrev(jacrev(loss), chunk_size=CHUNK)(flat.double())
    return found


def newton_direction(
    curvature: Tensor, gradient: NDArray[np.floating], damping: float
) -> NDArray[np.float64]:
    """Return (H + damping I)^+ g, for H (P, P) and g (P,); the shortest solution where H has no inverse."""
    shifted = curvature + damping * torch.eye(len(curvature), dtype=curvature.dtype)
    inverse = torch.linalg.pinv(shifted, hermitian=True)
    direction: NDArray[np.float64] = (inverse @ torch.from_numpy(gradient).double()).numpy()
    return direction
