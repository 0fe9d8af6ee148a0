"""Limits on gradients."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from ceteris.spec.base import Number, Spec, wrong


class Clip(Spec):
    """Gradient clipping of each network by itself, penalties included: by norm, by value,
    or by scaling to a norm; or not at all. With a norm and a value it is clipped by norm first."""

    norm: Annotated[Number | None, Field(gt=0, title="largest norm")] = None
    """The gradient g of all parameters is multiplied by min(1, norm / (||g||_2 + 1e-6))
    (``torch.nn.utils.clip_grad_norm_``; Pascanu et al. 2013)."""

    value: Annotated[Number | None, Field(gt=0, title="largest value")] = None
    """Every number of the gradient is cut to [-value, value] (``torch.nn.utils.clip_grad_value_``)."""

    to_norm: Annotated[Number | None, Field(gt=0, title="norm")] = None
    """Gradient normalisation: at every step the gradient g of all parameters is multiplied by
    to_norm / ||g||_2, whether it is longer or shorter; a gradient of zeros stays one."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.to_norm is not None and (self.norm is not None or self.value is not None):
            raise wrong(
                "a gradient that is scaled to a norm is not clipped as well; leave one out", "to_norm"
            )
        return self
