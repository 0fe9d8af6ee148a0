"""What is done to a gradient between the backward pass and the update: penalties, then clipping."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

import numpy as np

from ceteris.train.cpu.decorators import kernel
from ceteris.train.cpu.sums import add_norms, sum_of_squares
from ceteris.train.hyper import WEIGHTS
from ceteris.train.penalties import (
    CLIP_NORM,
    CLIP_VALUE,
    FORM,
    L1_MEAN,
    L1_SUM,
    L2_MEAN,
    L2_NORM,
    NO_TERM,
    ON_ALL,
    SIZES,
    STRENGTH,
    TO_NORM,
)

CLIP_EPS = 1e-6
"""Added to the norm before it divides, as ``torch.nn.utils.clip_grad_norm_`` does."""


@kernel
def finish_gradient(terms, limits, tensors, measured, param, grad, parts):
    """Penalise and clip a gradient; returns its norm before clipping where ``measured`` or clipped by it.

    Where ``measured``, the norm of every tensor (T, 3) is added to ``parts`` (T,), unless that is of size 0.
    """
    if terms.shape[0] > 0:
        penalise(terms, tensors, param, grad)
    norm = 0.0
    if measured or limits[CLIP_NORM] > 0.0 or limits[TO_NORM] > 0.0:
        norm = add_norms(grad, tensors, parts if measured else parts[:0])
    clip(limits, norm, grad)
    return norm


@kernel
def penalise(terms, tensors, param, grad):
    """Add the gradient of a penalty (``ceteris.spec.penalty``) to ``grad`` (P,), in place.

    Args:
        terms: (terms, SIZES + n) of one member; tensors: (n, 3) begin, end, group of every parameter.
    """
    for index in range(terms.shape[0]):
        term = terms[index]
        if term[FORM] == NO_TERM:
            continue
        for place in range(tensors.shape[0]):
            if tensors[place, 2] == WEIGHTS or term[ON_ALL] != 0.0:
                begin, end = tensors[place, 0], tensors[place, 1]
                size = term[SIZES + place]
                add_term(term[FORM], term[STRENGTH], size, param[begin:end], grad[begin:end])


@kernel
def add_term(form, strength, size, param, grad):
    """Add the gradient of one term at one tensor, both (n,), in place; a mean is over ``size`` numbers."""
    real = param.dtype.type
    zero = real(0)
    if form in (L1_SUM, L1_MEAN):
        slope = real(strength if form == L1_SUM else strength / size)
        for i in range(param.size):
            grad[i] += slope if param[i] > zero else (-slope if param[i] < zero else zero)
        return
    scale = 2.0 * strength
    if form == L2_MEAN:
        scale /= size
    elif form == L2_NORM:
        norm = np.sqrt(sum_of_squares(param))
        scale = strength / norm if norm > 0.0 else 0.0
    factor = real(scale)
    for i in range(param.size):
        grad[i] += factor * param[i]


@kernel
def clip(limits, norm, grad):
    """Clip a gradient (P,) whose 2-norm is ``norm``, in place: by norm, by value, or to a norm; 0 is none."""
    real = grad.dtype.type
    if limits[CLIP_NORM] > 0.0:
        factor = limits[CLIP_NORM] / (norm + CLIP_EPS)
        if not factor >= 1.0:
            scale = real(factor)
            for i in range(grad.size):
                grad[i] *= scale
    if limits[TO_NORM] > 0.0 and norm > 0.0:
        scale = real(limits[TO_NORM] / norm)
        for i in range(grad.size):
            grad[i] *= scale
    if limits[CLIP_VALUE] > 0.0:
        high = real(limits[CLIP_VALUE])
        for i in range(grad.size):
            low = grad[i] if grad[i] > -high else -high
            grad[i] = low if low < high else high
