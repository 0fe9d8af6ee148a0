"""Optimiser steps in one pass over memory, written out for one member.

Hyper-parameters arrive as a vector of float64 in the order of ``ceteris.train.hyper``; scalars are
computed in float64 and rounded once, as ``torch.optim`` does.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import numpy as np

from ceteris.train.cpu.decorators import kernel
from ceteris.train.cpu.team import MOST_PIECES
from ceteris.train.hyper import (
    ADAM_FAMILY,
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
    RMSPROP_FAMILY,
    SGD_FAMILY,
    WEIGHT_DECAY,
)

PIECE, LARGE = 32_768, 131_072
"""An update of more than so many parameters (the second) is shared in pieces of so many (the first)."""


@kernel
def count_update(size):
    """Return into how many pieces an update of so many parameters is cut; 0 where it stays whole."""
    return -(-size // PIECE) if LARGE < size <= PIECE * MOST_PIECES else 0


@kernel
def update_piece(family, step, hyper, segments, param, grad, slots, piece):
    """Do a piece of ``update``: every parameter is updated for itself, so the cut changes no bit."""
    low, high = piece * PIECE, (piece + 1) * PIECE
    for index in range(segments.shape[0]):
        begin, end = max(segments[index, 0], low), min(segments[index, 1], high)
        if begin < end:
            own = hyper[segments[index, 2]]
            update_stretch(family, step, own, begin, end, param, grad, slots)


@kernel
def update(family, step, hyper, segments, param, grad, slots):
    """One step of an optimiser, in place, stretch by stretch of the parameter vector.

    Args:
        family: which kernel (``hyper``); step: counted from 0 over the whole training.
        hyper: (groups, N_HYPER); segments: (n, 3) begin, end, group.
        param: (P,); grad: (P,), overwritten by some optimisers; slots: (S, P) state.
    """
    for index in range(segments.shape[0]):
        begin, end, group = segments[index, 0], segments[index, 1], segments[index, 2]
        update_stretch(family, step, hyper[group], begin, end, param, grad, slots)


@kernel
def update_stretch(family, step, hyper, begin, end, param, grad, slots):
    """``update`` from ``begin`` to ``end`` (exclusive), by the settings (N_HYPER,) of one group."""
    last = slots.shape[0] - 1
    p, g = param[begin:end], grad[begin:end]
    # An optimiser whose settings need no state does not read what stands in for it.
    first = slots[0, begin:end] if last >= 0 else g
    second = slots[min(1, last), begin:end] if last >= 0 else g
    third = slots[last, begin:end] if last >= 0 else g
    if family == SGD_FAMILY:
        sgd(step, hyper, p, g, first)
    elif family == ADAM_FAMILY:
        adam(step, hyper, p, g, first, second)
    elif family == RMSPROP_FAMILY:
        rmsprop(hyper, p, g, first, second, third)
    else:
        adagrad(step, hyper, p, g, first)


@kernel
def sgd(step, hyper, param, grad, velocity):
    """One step of SGD, in place; all vectors (P,), ``step`` counted from 0.

    Source: Sutskever et al. 2013, eq. 3 and 4, in PyTorch's form (the rate outside the velocity).
    """
    real = param.dtype.type
    lr, decay = real(hyper[LR]), real(hyper[WEIGHT_DECAY])
    momentum = real(hyper[MOMENTUM])
    if hyper[MOMENTUM] == 0.0:
        for i in range(param.size):
            param[i] -= lr * (grad[i] + decay * param[i])
        return
    fresh = real(1.0 if step == 0 else 1.0 - hyper[DAMPENING])
    kept = real(0.0 if step == 0 else hyper[MOMENTUM])
    if hyper[NESTEROV] != 0.0:
        for i in range(param.size):
            g = grad[i] + decay * param[i]
            velocity[i] = kept * velocity[i] + fresh * g
            param[i] -= lr * (g + momentum * velocity[i])
    else:
        for i in range(param.size):
            g = grad[i] + decay * param[i]
            velocity[i] = kept * velocity[i] + fresh * g
            param[i] -= lr * velocity[i]


@kernel
def adam(step, hyper, param, grad, first, second):
    """One step of Adam or AdamW, in place; all vectors (P,), ``step`` counted from 0.

    Source: Kingma and Ba 2015, algorithm 1; Loshchilov and Hutter 2019, algorithm 2.
    """
    real = param.dtype.type
    lr, beta1, beta2 = hyper[LR], hyper[BETA1], hyper[BETA2]
    correction1 = 1.0 - beta1 ** (step + 1)
    correction2 = 1.0 - beta2 ** (step + 1)
    size = real(lr / correction1)
    root = real(1.0 / np.sqrt(correction2))
    eps = real(hyper[EPS])
    b1, rest1 = real(beta1), real(1.0 - beta1)
    b2, rest2 = real(beta2), real(1.0 - beta2)
    decoupled = hyper[DECOUPLED] != 0.0
    shrink = real(1.0 - lr * hyper[WEIGHT_DECAY]) if decoupled else real(1.0)
    coupled = real(0.0) if decoupled else real(hyper[WEIGHT_DECAY])
    for i in range(param.size):
        g = grad[i] + coupled * param[i]
        m = b1 * first[i] + rest1 * g
        v = b2 * second[i] + rest2 * (g * g)
        first[i] = m
        second[i] = v
        param[i] = param[i] * shrink - size * (m / (np.sqrt(v) * root + eps))


@kernel
def rmsprop(hyper, param, grad, square, velocity, mean):
    """One step of RMSprop, in place; all vectors (P,); ``grad`` is overwritten.

    Source: Hinton 2012, lecture 6e; centred as in Graves 2013, eq. 38 to 41.
    """
    real = param.dtype.type
    lr, decay, eps = real(hyper[LR]), real(hyper[WEIGHT_DECAY]), real(hyper[EPS])
    alpha, rest = real(hyper[ALPHA]), real(1.0 - hyper[ALPHA])
    zero = real(0)
    if hyper[CENTERED] != 0.0:
        for i in range(param.size):
            g = grad[i] + decay * param[i]
            square[i] = alpha * square[i] + rest * (g * g)
            mean[i] = mean[i] + rest * (g - mean[i])
            variance = square[i] - mean[i] * mean[i]
            # Rounding may take a variance of zero below it.
            variance = zero if variance < zero else variance
            grad[i] = g / (np.sqrt(variance) + eps)
    else:
        for i in range(param.size):
            g = grad[i] + decay * param[i]
            square[i] = alpha * square[i] + rest * (g * g)
            grad[i] = g / (np.sqrt(square[i]) + eps)
    if hyper[MOMENTUM] != 0.0:
        momentum = real(hyper[MOMENTUM])
        for i in range(param.size):
            velocity[i] = momentum * velocity[i] + grad[i]
            param[i] -= lr * velocity[i]
    else:
        for i in range(param.size):
            param[i] -= lr * grad[i]


@kernel
def adagrad(step, hyper, param, grad, total):
    """One step of Adagrad, in place; all vectors (P,), ``step`` counted from 0.

    Source: Duchi, Hazan and Singer 2011, the diagonal form.
    """
    real = param.dtype.type
    lr = real(hyper[LR] / (1.0 + step * hyper[LR_DECAY]))
    decay, eps = real(hyper[WEIGHT_DECAY]), real(hyper[EPS])
    for i in range(param.size):
        g = grad[i] + decay * param[i]
        total[i] += g * g
        param[i] -= lr * (g / (np.sqrt(total[i]) + eps))
