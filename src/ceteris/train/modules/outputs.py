"""What the outputs of a module of the user's own are: logits, probabilities, or something else."""

from __future__ import annotations

import torch
from torch import Tensor

from ceteris.nets.layers import OutputKind

NEAR_ONE = 1e-3
"""Shares that add up to 1 within this are probabilities."""
NEAR_ZERO = 1e-2
"""Logarithms whose exponentials add up to 1 within this (as a logarithm) are log-probabilities."""
VIEWS = ("View", "UnsafeView", "ReshapeAlias", "Squeeze", "Unsqueeze", "Select", "Slice")
"""What autograd's names of operations begin with that only give numbers another shape."""


def kind_of_outputs(outputs: Tensor) -> OutputKind:
    """Tell what outputs (2, k) are, with the graph that they came from.

    Rows that add up to 1 are probabilities; columns that do are a softmax over the wrong axis. One output
    is a probability where the last thing done was a sigmoid, for a logit may lie between 0 and 1 as well.
    """
    values = outputs.detach().double()
    if values.dim() == 2 and values.shape[1] > 1:
        if bool((torch.logsumexp(values, dim=1).abs() < NEAR_ZERO).all()):
            return "log-probabilities"
        if bool((values >= 0).all()):
            if _are_one(values.sum(dim=1)):
                return "probabilities"
            if _are_one(values.sum(dim=0)):
                return "shares of the batch"
        return ""
    if _last_operation(outputs) == "SigmoidBackward0":
        return "probabilities"
    return "" if bool(((values >= 0) & (values <= 1)).all()) else "no probabilities"


def _are_one(sums: Tensor) -> bool:
    return bool(((sums - 1).abs() < NEAR_ONE).all())


def _last_operation(outputs: Tensor) -> str:
    """Return autograd's name of what made the outputs, seen through changes of shape."""
    node = outputs.grad_fn
    while node is not None and node.name().partition("Backward")[0] in VIEWS:
        node = node.next_functions[0][0]
    return "" if node is None else str(node.name())
