"""Mixed precision: the forward pass in few bits, weights and loss in float32.

``float16`` has so small a range that gradients vanish in it, so the loss is scaled up before its gradient is
taken and the gradient scaled down again, each member by a scale of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

TYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
FIRST_SCALE, GROWTH, BACKOFF, GROWTH_STEPS = 2.0**16, 2.0, 0.5, 2000
"""The rules of ``torch.amp.GradScaler`` with its defaults."""


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
