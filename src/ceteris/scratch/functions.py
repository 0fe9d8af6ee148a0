"""Activations and losses, written out.

All that take logits stay finite for logits of 1e4 in float32 and float16; squares leave float16 from 256 on.
"""

from __future__ import annotations

import torch
from torch import Tensor


def relu(x: Tensor) -> Tensor:
    """Return max(x, 0), element by element; the shape stays."""
    return torch.where(x > 0, x, torch.zeros_like(x))


def sigmoid(x: Tensor) -> Tensor:
    """Return 1 / (1 + exp(-x)), element by element, from the exponential of a number that is not above 0."""
    small = torch.exp(-_size(x))  # in (0, 1]: it cannot overflow
    return torch.where(x > 0, 1 / (1 + small), small / (1 + small))


def tanh(x: Tensor) -> Tensor:
    """Return (1 - exp(-2x)) / (1 + exp(-2x)), element by element, of the size of x, with its sign.

    ``expm1`` keeps all digits near 0, where the two terms of the numerator are almost equal.
    """
    twice = -2 * _size(x)  # not above 0: its exponential cannot overflow
    size = -torch.expm1(twice) / (1 + torch.exp(twice))
    return torch.where(x > 0, size, -size)


def _size(x: Tensor) -> Tensor:
    """Return |x| with slope -1 at 0, where ``abs`` has 0: functions smooth at 0 keep their slope there."""
    return torch.where(x > 0, x, -x)


def log_softmax(logits: Tensor) -> Tensor:
    """Return log(exp(o_j) / sum_k exp(o_k)) along the last axis; logits (..., classes).

    The largest logit is taken off first, which changes nothing in exact arithmetic: then every exponential
    lies in [0, 1], and their sum is at least 1, so neither it nor its logarithm overflows.
    """
    shifted = logits - logits.max(dim=-1, keepdim=True).values.detach()  # (..., classes), all <= 0
    return shifted - shifted.exp().sum(dim=-1, keepdim=True).log()  # minus (..., 1)


def softmax(logits: Tensor) -> Tensor:
    """Return the probabilities of the classes, which add up to 1 along the last axis."""
    return log_softmax(logits).exp()


def negative_log_likelihood(log_probabilities: Tensor, labels: Tensor) -> Tensor:
    """Return the mean of -log p of the right classes: (n, classes), labels (n,), to a number."""
    rows = torch.arange(len(labels), device=labels.device)
    right = log_probabilities[rows, labels]  # (n,)
    return -right.mean()


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy of logits (n, classes) and labels (n,): log-softmax, then its NLL.

    Its gradient by the logits is (softmax - one_hot(labels)) / n.
    """
    return negative_log_likelihood(log_softmax(logits), labels)


def binary_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of log(1 + exp(-z)) for targets 1 and log(1 + exp(z)) for targets 0; both (n,).

    Written as max(z, 0) - z y + log(1 + exp(-|z|)), so that no exponential exceeds 1.
    """
    return (relu(logits) - logits * targets + torch.log1p(torch.exp(-_size(logits)))).mean()


def squared_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of (outputs - targets)^2 / 2 over all numbers.

    The gradient of one term is the error itself. Mean-squared error is twice this: the same step takes half
    the learning rate there.
    """
    return ((outputs - targets.reshape(outputs.shape)) ** 2 / 2).mean()


def absolute_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of |outputs - targets| over all numbers (L1); the gradient is the sign of an error."""
    return (outputs - targets.reshape(outputs.shape)).abs().mean()


def smooth_l1_loss(outputs: Tensor, targets: Tensor, beta: float = 1.0) -> Tensor:
    """Return the mean of e^2 / (2 beta) for errors below beta > 0, and of |e| - beta / 2 beyond."""
    size = (outputs - targets.reshape(outputs.shape)).abs()
    return torch.where(size < beta, size**2 / (2 * beta), size - beta / 2).mean()


def hinge_loss(scores: Tensor, signs: Tensor) -> Tensor:
    """Return the mean of max(0, 1 - y f); scores f (n,), signs y (n,) of -1 and 1."""
    return relu(1 - signs * scores).mean()


def perceptron_loss(scores: Tensor, signs: Tensor) -> Tensor:
    """Return the mean of max(0, -y f); scores f (n,), signs y (n,) of -1 and 1.

    A score of 0 is a mistake, with a slope: from weights of 0 a perceptron could not begin otherwise.
    """
    misses = -signs * scores
    return torch.where(misses >= 0, misses, 0.0).mean()
