"""Mixed precision: the forward pass in few bits, weights and loss in float32."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from ceteris.train.loss_scale import BACKOFF, FIRST_SCALE, GROWTH, GROWTH_STEPS

TYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class Lowered(nn.Module):
    """A module whose forward pass runs under autocast and whose outputs are float32."""

    def __init__(self, module: nn.Module, precision: str) -> None:
        super().__init__()
        self.inner = module
        self._type = TYPES[precision]

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the outputs of the module, computed in few bits, as float32."""
        with torch.autocast("cpu", dtype=self._type):
            outputs: torch.Tensor = self.inner(rows)
        return outputs.float()


PRODUCTS = frozenset(
    {
        functional.linear,
        functional.conv1d,
        functional.conv2d,
        functional.conv3d,
        functional.conv_transpose1d,
        functional.conv_transpose2d,
        functional.conv_transpose3d,
        functional.bilinear,
        functional.scaled_dot_product_attention,
        torch.matmul,
        torch.Tensor.matmul,
        torch.Tensor.__matmul__,
        torch.mm,
        torch.Tensor.mm,
        torch.bmm,
        torch.Tensor.bmm,
        torch.addmm,
        torch.baddbmm,
    }
)
"""What is computed in few bits."""
NORMALISATIONS = frozenset(
    {
        functional.batch_norm,
        functional.layer_norm,
        functional.group_norm,
        functional.instance_norm,
        functional.rms_norm,
    }
)
"""What is computed in float32 and gives as many bits as it got. Autocast decides about everything else."""


class StackedLowering(TorchFunctionMode):
    """Chooses the precision of products, convolutions and normalisations under ``vmap``.

    Autocast sees there what a function has become, and does not know it on every device: on the processor
    stacked convolutions stayed in float32, and batch norm failed on inputs of few bits.
    """

    def __init__(self, precision: str) -> None:
        super().__init__()
        self._type = TYPES[precision]

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in PRODUCTS:
            return func(*_cast(args, self._type), **_cast(kwargs, self._type))
        if func in NORMALISATIONS and args[0].is_floating_point():
            return func(args[0].float(), *args[1:], **kwargs).to(args[0].dtype)
        return func(*args, **kwargs)


def _cast(values: Any, to: torch.dtype) -> Any:
    def cast(own: Any) -> Any:
        return own.to(to) if isinstance(own, torch.Tensor) and own.is_floating_point() else own

    return tree_map(cast, values)


class LossScales:
    """One dynamic loss scale per member; all 1 and never changed unless the precision is float16.

    ``scale`` (M,) is multiplied with the loss; ``skipped`` (M,) counts the steps that were left out because
    their gradient was not finite.
    """

    def __init__(self, members: int, precision: str) -> None:
        self.acts = precision == "float16"
        self.scale = np.full(members, FIRST_SCALE if self.acts else 1.0)
        self.skipped = np.zeros(members, dtype=np.int64)
        self._good = np.zeros(members, dtype=np.int64)

    def unscale(self, place: int, gradient: NDArray[np.floating]) -> bool:
        """Divide a member's gradient by its scale in place; tell whether the step can be taken.

        A gradient that is not finite halves the scale; every 2,000 good steps in a row double it.
        """
        if not self.acts:
            return True
        if not np.isfinite(gradient).all():
            self.scale[place] *= BACKOFF
            self.skipped[place] += 1
            self._good[place] = 0
            return False
        gradient /= self.scale[place]
        self._good[place] += 1
        if self._good[place] == GROWTH_STEPS:
            self.scale[place] *= GROWTH
            self._good[place] = 0
        return True

    def state(self, place: int) -> dict[str, NDArray[np.generic]]:
        """Return what a member carries to its next epoch, by name."""
        own = [self.scale[place], self.skipped[place], self._good[place]]
        return {"loss scale": np.array(own, dtype=np.float64)} if self.acts else {}

    def restore(self, place: int, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Put a member where ``state`` found it."""
        if self.acts:
            scale, skipped, good = map(float, state["loss scale"])
            self.scale[place], self.skipped[place], self._good[place] = scale, int(skipped), int(good)
