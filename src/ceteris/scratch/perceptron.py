"""Rosenblatt's perceptron, and how many points a linear classifier can tell apart in every way."""

from __future__ import annotations

from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linprog
from torch import Tensor


def perceptron_epoch(x: Tensor, signs: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Tensor, int]:
    """Show the rows one by one, and add y x to w and y to b at each mistake, where y (w x + b) <= 0.

    It is gradient descent with batch size 1 and rate 1 on the perceptron loss max(0, -y (w x + b)), whose
    slope at 0 is taken as that of a mistake.

    Args:
        x: (n, d); signs: (n,) of -1 and 1; w: (d,); b: ().

    Returns:
        w, b and the number of mistakes; after an epoch without one, nothing will change any more.
    """
    mistakes = 0
    for row, sign in zip(x, signs, strict=True):
        if sign * (row @ w + b) <= 0:
            w, b, mistakes = w + sign * row, b + sign, mistakes + 1
    return w, b, mistakes


def corrections(x: Tensor, signs: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """Return what is added to w (d,) and b () for the mistakes in a batch: the means of y x and of y.

    Rows that are right count as zeros. One row at a time it is the rule of ``perceptron_epoch``, and needs
    neither a loss nor its gradient.

    Args:
        x: (n, d); signs: (n,) of -1 and 1; scores: w x + b, (n,).
    """
    mistaken = torch.where(signs * scores <= 0, signs, 0.0)  # (n,) of -1, 0 and 1
    return mistaken @ x / len(x), mistaken.mean()


def separable(x: NDArray[np.float64], signs: NDArray[np.int64]) -> bool:
    """Tell whether a hyperplane has the points x (n, d) of sign 1 on one side and those of -1 on the other.

    That is a linear programme: are there w and b with y (w x + b) >= 1 for all points?
    """
    wide = np.column_stack([x, np.ones(len(x))])  # (n, d + 1)
    answer = linprog(
        np.zeros(wide.shape[1]), A_ub=-signs[:, None] * wide, b_ub=-np.ones(len(x)), bounds=(None, None)
    )
    return bool(answer.success)


def shatters(x: NDArray[np.float64]) -> bool:
    """Tell whether linear classifiers can label the points x (n, d) in all 2^n ways.

    The largest n for which some points allow it is the VC dimension: d + 1 (Vapnik and Chervonenkis 1971).
    """
    return all(separable(x, np.array(signs)) for signs in product((-1, 1), repeat=len(x)))


def simplex(dimension: int) -> NDArray[np.float64]:
    """Return dimension + 1 points that linear classifiers shatter: the origin and the unit vectors."""
    corners: NDArray[np.float64] = np.vstack([np.zeros(dimension), np.eye(dimension)])
    return corners


def train_perceptron(x: Tensor, signs: Tensor, epochs: int) -> tuple[Tensor, Tensor, int]:
    """Start from zeros and go through the rows until an epoch has no mistake, at most ``epochs`` times.

    Returns:
        w (d,), b () and the mistakes of the last epoch: 0 where it found a separating hyperplane.
    """
    w, b, mistakes = torch.zeros(x.shape[1], dtype=x.dtype), torch.zeros((), dtype=x.dtype), 0
    for _ in range(epochs):
        w, b, mistakes = perceptron_epoch(x, signs, w, b)
        if mistakes == 0:
            break
    return w, b, mistakes
