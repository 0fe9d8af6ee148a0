"""Optimiser steps of stacked tensors: hyper-parameters are vectors over members."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from ceteris.train.hyper import (
    ALPHA,
    BETA1,
    BETA2,
    CENTERED,
    DAMPENING,
    DECOUPLED,
    EPS,
    LR,
    LR_DECAY,
    MOMENTUM,
    NESTEROV,
    WEIGHT_DECAY,
)


class Hyper:
    """One group's hyper-parameters (M, N_HYPER), shaped to broadcast over a stacked tensor."""

    def __init__(self, hyper: Tensor, like: Tensor) -> None:
        self._hyper = hyper.reshape(hyper.shape[0], hyper.shape[1], *(1 for _ in like.shape[1:]))
        self._dtype = like.dtype

    def __getitem__(self, column: int) -> Tensor:
        return self._hyper[:, column].to(self._dtype)

    def exact(self, column: int) -> Tensor:
        """Return a column in float64."""
        return self._hyper[:, column]


def keep(state: Tensor, fresh: Tensor, alive: Tensor) -> Tensor:
    """Write an optimiser's new state for the members that are alive, and return what then stands there."""
    return state.copy_(torch.where(alive, fresh, state))


@torch.no_grad()
def sgd(step: int, hyper: Hyper, param: Tensor, grad: Tensor, slots: Sequence[Tensor], alive: Tensor) -> None:
    """One step of SGD, in place, for members that are alive; tensors (M, ...), ``step`` from 0.

    Source: Sutskever et al. 2013, eq. 3 and 4, in PyTorch's form (the rate outside the velocity).
    """
    grad = grad + hyper[WEIGHT_DECAY] * param
    if slots:
        kept, fresh = hyper[MOMENTUM], 1 - hyper[DAMPENING]
        velocity = keep(slots[0], grad if step == 0 else kept * slots[0] + fresh * grad, alive)
        moved = torch.where(hyper[NESTEROV] != 0, grad + kept * velocity, velocity)
        # Without momentum torch ignores the dampening.
        grad = torch.where(kept != 0, moved, grad)
    param.sub_(torch.where(alive, hyper[LR] * grad, 0))


@torch.no_grad()
def adam(
    step: int, hyper: Hyper, param: Tensor, grad: Tensor, slots: Sequence[Tensor], alive: Tensor
) -> None:
    """One step of Adam or AdamW, in place, for members that are alive; tensors (M, ...), ``step`` from 0.

    Source: Kingma and Ba 2015, algorithm 1; Loshchilov and Hutter 2019, algorithm 2.
    """
    decoupled = hyper[DECOUPLED] != 0
    decay = torch.where(decoupled, hyper.exact(LR) * hyper.exact(WEIGHT_DECAY), 0).to(param.dtype)
    grad = grad + torch.where(decoupled, 0, hyper[WEIGHT_DECAY]) * param
    first = keep(slots[0], torch.lerp(slots[0], grad, (1 - hyper.exact(BETA1)).to(grad.dtype)), alive)
    fresh = hyper[BETA2] * slots[1] + (1 - hyper.exact(BETA2)).to(grad.dtype) * grad.square()
    second = keep(slots[1], fresh, alive)
    size = hyper.exact(LR) / (1 - hyper.exact(BETA1) ** (step + 1))
    root = 1 / torch.sqrt(1 - hyper.exact(BETA2) ** (step + 1))
    change = size.to(param.dtype) * (first / (second.sqrt() * root.to(param.dtype) + hyper[EPS]))
    param.sub_(torch.where(alive, change + decay * param, 0))


@torch.no_grad()
def rmsprop(
    step: int, hyper: Hyper, param: Tensor, grad: Tensor, slots: Sequence[Tensor], alive: Tensor
) -> None:
    """One step of RMSprop, in place, for members that are alive; tensors (M, ...).

    Source: Hinton 2012, lecture 6e; centred as in Graves 2013, eq. 38 to 41.
    """
    grad = grad + hyper[WEIGHT_DECAY] * param
    rest = (1 - hyper.exact(ALPHA)).to(grad.dtype)
    square = keep(slots[0], hyper[ALPHA] * slots[0] + rest * grad.square(), alive)
    if len(slots) > 2:
        mean = keep(slots[2], torch.lerp(slots[2], grad, rest), alive)
        variance = (square - mean.square()).clamp(min=0)
        square = torch.where(hyper[CENTERED] != 0, variance, square)
    grad = grad / (square.sqrt() + hyper[EPS])
    if len(slots) > 1:
        grad = keep(slots[1], hyper[MOMENTUM] * slots[1] + grad, alive)
    param.sub_(torch.where(alive, hyper[LR] * grad, 0))


@torch.no_grad()
def adagrad(
    step: int, hyper: Hyper, param: Tensor, grad: Tensor, slots: Sequence[Tensor], alive: Tensor
) -> None:
    """One step of Adagrad, in place, for members that are alive; tensors (M, ...), ``step`` from 0.

    Source: Duchi, Hazan and Singer 2011, the diagonal form.
    """
    grad = grad + hyper[WEIGHT_DECAY] * param
    total = keep(slots[0], slots[0] + grad.square(), alive)
    rate = (hyper.exact(LR) / (1 + step * hyper.exact(LR_DECAY))).to(param.dtype)
    param.sub_(torch.where(alive, rate * grad / (total.sqrt() + hyper[EPS]), 0))


Update = Callable[[int, Hyper, Tensor, Tensor, Sequence[Tensor], Tensor], None]
UPDATES: Mapping[str, Update] = {
    "sgd": sgd,
    "adam": adam,
    "adamw": adam,
    "rmsprop": rmsprop,
    "adagrad": adagrad,
}
