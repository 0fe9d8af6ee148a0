"""Linear regression with its gradient written by hand, and solved in one Newton step."""

from __future__ import annotations

import torch
from torch import Tensor


def gradient(x: Tensor, y: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradient of mean((x w + b - y)^2 / 2) by w (d,) and b (); x (n, d), y (n,)."""
    error = x @ w + b - y  # (n,)
    return x.T @ error / len(x), error.mean()


def newton_step(x: Tensor, y: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return w (d,) and b () after one Newton step: p - H^+ g, for x (n, d) and y (n,).

    The loss is a parabola, so its Hessian H = X^T X / n (X with a column of ones) is the same everywhere and
    one step from anywhere ends at a least-squares solution. Where columns depend on each other there are
    many, and the pseudo-inverse takes the one nearest to the start.
    """
    wide = torch.cat([x, x.new_ones(len(x), 1)], dim=1)  # (n, d + 1)
    hessian = wide.T @ wide / len(x)  # (d + 1, d + 1)
    by_w, by_b = gradient(x, y, w, b)
    step = torch.linalg.pinv(hessian, hermitian=True) @ torch.cat([by_w, by_b[None]])  # (d + 1,)
    return w - step[:-1], b - step[-1]
