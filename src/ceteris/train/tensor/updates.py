"""Optimiser steps of stacked tensors: hyper-parameters are vectors over members.

Where a member is not alive its gradient counts as 0, whatever it is, and its coefficients leave its
parameters and its state as they are; so nothing is written twice. ``done`` (M, 1, ...) are the steps that a
member's optimiser has taken. What no member asks for costs nothing.
"""

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
    """One group's hyper-parameters (M, N_HYPER), shaped to broadcast over a stacked tensor.

    ``alive`` (M, 1, ...) are the members that are updated; ``used`` the columns in which any member has
    something other than 0.
    """

    def __init__(self, hyper: Tensor, like: Tensor, alive: Tensor, used: frozenset[int]) -> None:
        self._hyper = hyper.reshape(hyper.shape[0], hyper.shape[1], *(1 for _ in like.shape[1:]))
        self._dtype = like.dtype
        self._used = used
        self.alive = alive

    def __getitem__(self, column: int) -> Tensor:
        return self._hyper[:, column].to(self._dtype)

    def exact(self, column: int) -> Tensor:
        """Return a column in float64."""
        return self._hyper[:, column]

    def any(self, column: int) -> bool:
        """Tell whether any member has something other than 0 there."""
        return column in self._used

    def where_alive(self, found: Tensor, resting: float) -> Tensor:
        """Return coefficients (M, 1, ...) in the parameters' precision, and others for members that rest."""
        return torch.where(self.alive, found, resting).to(self._dtype)

    @property
    def living(self) -> Tensor:
        """1 for members that are alive and 0 for others, in the parameters' precision."""
        return self.alive.to(self._dtype)

    def decayed(self, grad: Tensor, param: Tensor, decay: Tensor) -> Tensor:
        """Return the gradient with the part that decay adds, for members that are alive."""
        grad = torch.where(self.alive, grad, 0)
        return grad + decay * param if self.any(WEIGHT_DECAY) else grad


@torch.no_grad()
def sgd(done: Tensor, hyper: Hyper, param: Tensor, grad: Tensor, slots: Sequence[Tensor]) -> None:
    """One step of SGD, in place; tensors (M, ...).

    Source: Sutskever et al. 2013, eq. 3 and 4, in PyTorch's form (the rate outside the velocity).
    """
    grad = hyper.decayed(grad, param, hyper[WEIGHT_DECAY])
    if slots:
        # The first velocity is the gradient itself.
        kept = torch.where(done == 0, 0, hyper.exact(MOMENTUM))
        fresh = torch.where(done == 0, 1, 1 - hyper.exact(DAMPENING))
        slots[0].mul_(hyper.where_alive(kept, 1)).add_(hyper.where_alive(fresh, 0) * grad)
        moved = slots[0]
        if hyper.any(NESTEROV):
            moved = torch.where(hyper[NESTEROV] != 0, grad + hyper[MOMENTUM] * moved, moved)
        # Without momentum torch ignores the dampening.
        grad = torch.where(hyper[MOMENTUM] != 0, moved, grad)
    param.sub_(hyper.where_alive(hyper.exact(LR), 0) * grad)


@torch.no_grad()
def adam(done: Tensor, hyper: Hyper, param: Tensor, grad: Tensor, slots: Sequence[Tensor]) -> None:
    """One step of Adam or AdamW, in place; tensors (M, ...).

    Source: Kingma and Ba 2015, algorithm 1; Loshchilov and Hutter 2019, algorithm 2.
    """
    decoupled = hyper.exact(DECOUPLED) != 0
    coupled = torch.where(decoupled, 0, hyper.exact(WEIGHT_DECAY)).to(param.dtype)
    grad = hyper.decayed(grad, param, coupled)
    rest1, rest2 = 1 - hyper.exact(BETA1), 1 - hyper.exact(BETA2)
    first = slots[0].lerp_(grad, hyper.where_alive(rest1, 0))
    second = slots[1].mul_(hyper.where_alive(hyper.exact(BETA2), 1))
    second.add_(grad.square().mul_(hyper.where_alive(rest2, 0)))
    size = hyper.exact(LR) / (1 - hyper.exact(BETA1) ** (done + 1))
    root = 1 / torch.sqrt(1 - hyper.exact(BETA2) ** (done + 1))
    change = first / second.sqrt().mul_(root.to(param.dtype)).add_(hyper[EPS])
    change.mul_(hyper.where_alive(size, 0))
    if hyper.any(DECOUPLED) and hyper.any(WEIGHT_DECAY):
        decay = torch.where(decoupled, hyper.exact(LR) * hyper.exact(WEIGHT_DECAY), 0)
        change.add_(hyper.where_alive(decay, 0) * param)
    param.sub_(change)


@torch.no_grad()
def rmsprop(done: Tensor, hyper: Hyper, param: Tensor, grad: Tensor, slots: Sequence[Tensor]) -> None:
    """One step of RMSprop, in place; tensors (M, ...).

    Source: Hinton 2012, lecture 6e; centred as in Graves 2013, eq. 38 to 41.
    """
    grad = hyper.decayed(grad, param, hyper[WEIGHT_DECAY])
    rest = hyper.where_alive(1 - hyper.exact(ALPHA), 0)
    square = slots[0].mul_(hyper.where_alive(hyper.exact(ALPHA), 1)).add_(grad.square().mul_(rest))
    if len(slots) > 2:
        mean = slots[2].lerp_(grad, rest)
        variance = (square - mean.square()).clamp_(min=0)
        square = torch.where(hyper[CENTERED] != 0, variance, square)
    grad = grad / (square.sqrt() + hyper[EPS])
    if len(slots) > 1:
        grad = slots[1].mul_(hyper.where_alive(hyper.exact(MOMENTUM), 1)).add_(hyper.living * grad)
    param.sub_(hyper.where_alive(hyper.exact(LR), 0) * grad)


@torch.no_grad()
def adagrad(done: Tensor, hyper: Hyper, param: Tensor, grad: Tensor, slots: Sequence[Tensor]) -> None:
    """One step of Adagrad, in place; tensors (M, ...).

    Source: Duchi, Hazan and Singer 2011, the diagonal form.
    """
    grad = hyper.decayed(grad, param, hyper[WEIGHT_DECAY])
    total = slots[0].add_(hyper.living * grad.square())
    rate = hyper.exact(LR) / (1 + done * hyper.exact(LR_DECAY))
    param.sub_(hyper.where_alive(rate, 0) * grad / (total.sqrt() + hyper[EPS]))


Update = Callable[[Tensor, Hyper, Tensor, Tensor, Sequence[Tensor]], None]
UPDATES: Mapping[str, Update] = {
    "sgd": sgd,
    "adam": adam,
    "adamw": adam,
    "rmsprop": rmsprop,
    "adagrad": adagrad,
}
