"""Optimisers with PyTorch's names, defaults and meanings."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ceteris.spec.base import KindOnly, Number, Spec, Switch, wrong

Rate = Annotated[Number, Field(gt=0, title="learning rate")]
Decay = Annotated[Number, Field(ge=0, title="weight decay")]
Beta = Annotated[Number, Field(ge=0, lt=1, title="decay rate of moments")]
Eps = Annotated[Number, Field(gt=0, title="valid eps")]


class SGD(Spec):
    """Stochastic gradient descent (``torch.optim.SGD``)."""

    kind: Literal["sgd"] = "sgd"
    lr: Rate = 1e-3
    momentum: Annotated[Number, Field(ge=0, title="momentum")] = 0.0
    dampening: Annotated[Number, Field(ge=0, le=1, title="dampening")] = 0.0
    nesterov: Switch = False
    weight_decay: Decay = 0.0

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> Self:
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise wrong(
                "Nesterov's method needs a momentum above 0 and a dampening of 0; "
                f"here they are {self.momentum:g} and {self.dampening:g}",
                "nesterov",
            )
        return self


class Adam(Spec):
    """Adam (Kingma and Ba 2015; ``torch.optim.Adam``); weight decay is added to the gradient."""

    kind: Literal["adam"] = "adam"
    lr: Rate = 1e-3
    beta1: Beta = 0.9
    beta2: Beta = 0.999
    eps: Eps = 1e-8
    weight_decay: Decay = 0.0


class AdamW(Spec):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019; ``torch.optim.AdamW``)."""

    kind: Literal["adamw"] = "adamw"
    lr: Rate = 1e-3
    beta1: Beta = 0.9
    beta2: Beta = 0.999
    eps: Eps = 1e-8
    weight_decay: Decay = 1e-2


OptimizerSpec = Annotated[SGD | Adam | AdamW, Field(discriminator="kind", title="optimizer"), KindOnly]
