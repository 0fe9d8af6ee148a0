"""What several kinds of networks have in common: activations, widths, probabilities."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ceteris.spec.base import AnyNumber

Activation = Literal[
    "relu",
    "tanh",
    "sigmoid",
    "leaky_relu",
    "gelu",
    "silu",
    "elu",
    "softplus",
    "hardtanh",
    "scaled_sigmoid",
    "identity",
]
"""Those of ``torch.nn`` with their defaults; ``scaled_sigmoid`` is 4 sigmoid(x) - 2, with slope 1 at 0."""
Width = Annotated[int, AnyNumber, Field(ge=1, le=1_000_000)]
Probability = Annotated[float, AnyNumber, Field(ge=0, lt=1)]
