"""What is done to stacked gradients between the backward pass and the update: penalties, then clipping."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ceteris.train.hyper import WEIGHTS
from ceteris.train.penalties import (
    CLIP_NORM,
    CLIP_VALUE,
    FORM,
    L1_MEAN,
    L1_SUM,
    L2_MEAN,
    L2_NORM,
    L2_SUM,
    ON_ALL,
    SIZES,
    STRENGTH,
    TO_NORM,
)
from ceteris.train.tensor.exact import exactly

CLIP_EPS = 1e-6
"""Added to the norm before it divides, as ``torch.nn.utils.clip_grad_norm_`` does."""


@torch.no_grad()
def penalise(
    terms: Tensor, groups: Mapping[str, int], parameters: Mapping[str, Tensor], gradients: dict[str, Tensor]
) -> None:
    """Add the gradients of the members' penalties (``ceteris.spec.penalty``) to ``gradients``.

    Args:
        terms: (M, terms, SIZES + T) float64; groups: of the T parameters by name, in their order.
    """
    for index in range(terms.shape[1]):
        form, strength, on_all = (terms[:, index, column] for column in (FORM, STRENGTH, ON_ALL))
        for place, (name, group) in enumerate(groups.items()):
            own = strength if group == WEIGHTS else torch.where(on_all != 0, strength, 0)
            size = terms[:, index, SIZES + place]
            gradients[name] = gradients[name] + _term_gradient(form, own, size, parameters[name])


def _term_gradient(form: Tensor, strength: Tensor, size: Tensor, param: Tensor) -> Tensor:
    """Return the gradient of a term at a stacked parameter (M, ...); a mean is over ``size`` (M,) numbers."""
    flat = param.detach().flatten(1)
    slope = torch.where(form == L1_MEAN, strength / size, torch.where(form == L1_SUM, strength, 0))
    scale = torch.where(form == L2_MEAN, 2 * strength / size, torch.where(form == L2_SUM, 2 * strength, 0))
    norm = exactly(flat).square().sum(dim=1).sqrt()
    scale = torch.where(form == L2_NORM, torch.where(norm > 0, strength / norm, 0), scale)
    gradient = slope.to(flat.dtype)[:, None] * flat.sign() + scale.to(flat.dtype)[:, None] * flat
    return gradient.reshape(param.shape)


def tensor_norms(tensors: Mapping[str, Tensor]) -> Tensor:
    """Return the 2-norm of every stacked tensor (M, ...), (M, T) float64."""
    return torch.stack([exactly(t.detach()).flatten(1).norm(dim=1) for t in tensors.values()], dim=1)


def norms(gradients: Mapping[str, Tensor]) -> Tensor:
    """Return the 2-norm of every member's whole gradient, (M,) float64."""
    parts = [exactly(gradient).square().flatten(1).sum(dim=1) for gradient in gradients.values()]
    return torch.stack(parts).sum(dim=0).sqrt()


@torch.no_grad()
def clip(limits: Tensor, norm: Tensor | None, gradients: dict[str, Tensor]) -> None:
    """Clip every member's gradient by its norm (M,) and by value, or scale it to a norm; 0 is none."""
    values, limit = limits[:, CLIP_VALUE], limits[:, CLIP_NORM]
    high = torch.where(values > 0, values, torch.inf)
    factor = torch.ones_like(high)
    if norm is not None:
        factor = torch.where(limit > 0, (limit / (norm + CLIP_EPS)).clamp(max=1), factor)
        aim = limits[:, TO_NORM]
        factor = torch.where((aim > 0) & (norm > 0), aim / norm, factor)
    for name, gradient in gradients.items():
        shape = (-1, *(1 for _ in gradient.shape[1:]))
        bound = high.to(gradient.dtype).reshape(shape)
        shorter = gradient * factor.to(gradient.dtype).reshape(shape)
        gradients[name] = torch.maximum(torch.minimum(shorter, bound), -bound)
