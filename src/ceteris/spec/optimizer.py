"""Optimisers with PyTorch's names, defaults and meanings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ceteris.spec.base import Spec

Rate = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Beta = Annotated[float, Field(ge=0, lt=1)]


class SGD(Spec):
    """Stochastic gradient descent (``torch.optim.SGD``)."""

    kind: Literal["sgd"] = "sgd"
    lr: Rate = 1e-3
    momentum: Annotated[float, Field(ge=0)] = 0.0
    dampening: Annotated[float, Field(ge=0, le=1)] = 0.0
    nesterov: bool = False
    weight_decay: NonNegative = 0.0


class Adam(Spec):
    """Adam (Kingma and Ba 2015; ``torch.optim.Adam``); weight decay is added to the gradient."""

    kind: Literal["adam"] = "adam"
    lr: Rate = 1e-3
    beta1: Beta = 0.9
    beta2: Beta = 0.999
    eps: Rate = 1e-8
    weight_decay: NonNegative = 0.0


class AdamW(Spec):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019; ``torch.optim.AdamW``)."""

    kind: Literal["adamw"] = "adamw"
    lr: Rate = 1e-3
    beta1: Beta = 0.9
    beta2: Beta = 0.999
    eps: Rate = 1e-8
    weight_decay: NonNegative = 1e-2


OptimizerSpec = Annotated[SGD | Adam | AdamW, Field(discriminator="kind")]
