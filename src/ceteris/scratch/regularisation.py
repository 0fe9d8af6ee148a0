"""What keeps a network from learning its rows by heart: dropout, drop-connect, penalties."""

from __future__ import annotations

import torch
from torch import Tensor


def dropout(x: Tensor, p: float, uniform: Tensor) -> Tensor:
    """Drop each number with probability p in [0, 1] and scale the others by 1 / (1 - p); x (n, units).

    ``uniform`` has the shape of x and comes from a *uniform* distribution on [0, 1), of which the share p
    lies below p; of normal numbers another share would. So the mean of x is kept. In evaluation it is not
    called.
    """
    if p == 1:
        return torch.zeros_like(x)
    kept = (uniform >= p).to(x.dtype)  # (n, units) of 0 and 1
    return kept * x / (1 - p)


def drop_connect(weight: Tensor, p: float, uniform: Tensor) -> Tensor:
    """Drop weights instead of units, one mask for the whole batch; weight (outputs, inputs)."""
    return dropout(weight, p, uniform)


def l1_penalty(weight: Tensor) -> Tensor:
    """Return the sum of |w|."""
    return weight.abs().sum()


def l2_penalty(weight: Tensor) -> Tensor:
    """Return the sum of w^2 / 2: with the half its gradient is w."""
    return (weight**2).sum() / 2


def l2_step(weight: Tensor, gradient: Tensor, lr: float, strength: float) -> Tensor:
    """Return the weight after a step on loss + strength l2_penalty: (1 - lr strength) w - lr gradient.

    The weight shrinks by the same share whatever its size: weight decay.
    """
    return (1 - lr * strength) * weight - lr * gradient


def l1_step(weight: Tensor, gradient: Tensor, lr: float, strength: float) -> Tensor:
    """Return the weight after a step on loss + strength l1_penalty: w - lr (gradient + strength sign w).

    Every weight moves by the same amount towards 0: a stronger pull on small weights than that of L2.
    """
    return weight - lr * (gradient + strength * weight.sign())
