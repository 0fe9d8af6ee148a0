"""Loss scales of stacked members on their device; see ``ceteris.train.loss_scale``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ceteris.train.loss_scale import BACKOFF, FIRST_SCALE, GROWTH, GROWTH_STEPS
from ceteris.train.tensor.exact import exact_type


class StackedScales:
    """One dynamic loss scale per member (M,); nothing is scaled unless the precision is float16."""

    def __init__(self, members: int, precision: str, device: torch.device) -> None:
        self.acts = precision == "float16"
        self._scale = torch.full((members,), FIRST_SCALE, dtype=exact_type(device), device=device)
        self._skipped = torch.zeros(members, dtype=torch.int64, device=device)
        self._good = torch.zeros(members, dtype=torch.int64, device=device)

    def scaled(self, loss: Tensor) -> Tensor:
        """Return what the gradient is taken of, (M,)."""
        return loss * self._scale.to(loss.dtype) if self.acts else loss

    def taken(self, done: Tensor) -> Tensor:
        """Return how many steps each member's optimiser has taken (M,) of so many that were done.

        A member that leaves out its very first step has taken none.
        """
        return (done - self._skipped).clamp(min=0)

    @torch.no_grad()
    def unscale(self, gradients: dict[str, Tensor], alive: Tensor) -> Tensor:
        """Scale gradients (M, ...) down again, and tell which living members can take their step."""
        if not self.acts:
            return alive
        finite = [torch.isfinite(own).flatten(1).all(dim=1) for own in gradients.values()]
        taken = alive & torch.stack(finite).all(dim=0)
        left_out = alive & ~taken
        for name, own in gradients.items():
            scale = self._scale.to(own.dtype).reshape(-1, *(1 for _ in own.shape[1:]))
            gradients[name] = own / scale
        self._scale.mul_(torch.where(left_out, BACKOFF, 1.0))
        self._skipped.add_(left_out)
        self._good.add_(taken).mul_(~left_out)
        grows = self._good == GROWTH_STEPS
        self._scale.mul_(torch.where(grows, GROWTH, 1.0))
        self._good.mul_(~grows)
        return taken

    def read(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the scales and the steps that were left out, (M,) each; waits for the device."""
        return self._scale.cpu().numpy().copy(), self._skipped.cpu().numpy().copy()

    def state(self, place: int) -> dict[str, NDArray[np.generic]]:
        """Return what a member carries to its next epoch, by name."""
        own = [float(part[place]) for part in (self._scale, self._skipped, self._good)]
        return {"loss scale": np.array(own, dtype=np.float64)} if self.acts else {}

    def restore(self, place: int, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Put a member where ``state`` found it."""
        if self.acts:
            parts = (self._scale, self._skipped, self._good)
            for part, value in zip(parts, map(float, state["loss scale"]), strict=True):
                part[place] = value
