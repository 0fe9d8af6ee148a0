"""Optimiser steps of stacked tensors: hyper-parameters are vectors over members."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ceteris.train.hyper import (
    BETA1,
    BETA2,
    DAMPENING,
    DECOUPLED,
    EPS,
    LR,
    MOMENTUM,
    NESTEROV,
    WEIGHT_DECAY,
)


class Hyper:
    """Columns of the hyper-parameters (M, N_HYPER), shaped to broadcast over a stacked tensor."""

    def __init__(self, hyper: Tensor, like: Tensor) -> None:
        self._hyper = hyper.reshape(hyper.shape[0], hyper.shape[1], *(1 for _ in like.shape[1:]))
        self._dtype = like.dtype

    def __getitem__(self, column: int) -> Tensor:
        return self._hyper[:, column].to(self._dtype)

    def exact(self, column: int) -> Tensor:
        """Return a column in float64."""
        return self._hyper[:, column]


@torch.no_grad()
def sgd(step: int, hyper: Hyper, param: Tensor, grad: Tensor, slots: Sequence[Tensor], alive: Tensor) -> None:
    """One step of SGD, in place, for members that are alive; tensors (M, ...), ``step`` from 0.

    Source: Sutskever et al. 2013, eq. 3 and 4, in PyTorch's form (the rate outside the velocity).
    """
    grad = grad + hyper[WEIGHT_DECAY] * param
    if slots:
        velocity = slots[0]
        kept, fresh = hyper[MOMENTUM], 1 - hyper[DAMPENING]
        velocity.copy_(grad if step == 0 else kept * velocity + fresh * grad)
        grad = torch.where(hyper[NESTEROV] != 0, grad + kept * velocity, velocity)
    param.sub_(torch.where(alive, hyper[LR] * grad, 0))


@torch.no_grad()
def adam(
    step: int, hyper: Hyper, param: Tensor, grad: Tensor, slots: Sequence[Tensor], alive: Tensor
) -> None:
    """One step of Adam or AdamW, in place, for members that are alive; tensors (M, ...), ``step`` from 0.

    Source: Kingma and Ba 2015, algorithm 1; Loshchilov and Hutter 2019, algorithm 2.
    """
    first, second = slots
    decoupled = hyper[DECOUPLED] != 0
    decay = torch.where(decoupled, hyper.exact(LR) * hyper.exact(WEIGHT_DECAY), 0).to(param.dtype)
    grad = grad + torch.where(decoupled, 0, hyper[WEIGHT_DECAY]) * param
    first.lerp_(grad, (1 - hyper.exact(BETA1)).to(grad.dtype))
    second.mul_(hyper[BETA2]).add_((1 - hyper.exact(BETA2)).to(grad.dtype) * grad.square())
    size = hyper.exact(LR) / (1 - hyper.exact(BETA1) ** (step + 1))
    root = 1 / torch.sqrt(1 - hyper.exact(BETA2) ** (step + 1))
    change = size.to(param.dtype) * (first / (second.sqrt() * root.to(param.dtype) + hyper[EPS]))
    param.sub_(torch.where(alive, change + decay * param, 0))
