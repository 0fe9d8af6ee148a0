"""Probes of the tensor engine: sums over the measured steps of an epoch, on the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ceteris.nets.architecture import Architecture
from ceteris.nets.hidden import hidden_layers
from ceteris.train.probes import (
    ALIVE,
    DEAD,
    MEAN_ACTIVATION,
    N_ACTIVATION,
    VARIANCE,
    ZEROS,
    GradientProbes,
    step_variances,
)
from ceteris.train.tensor.exact import exact_type, exactly
from ceteris.train.tensor.gradients import tensor_norms


class TensorProbes:
    """What gradients and updates were in an epoch, of members (M) and of tensors that are trained.

    Without ``sees_layers`` activations in training are not known.
    """

    def __init__(
        self,
        net: Architecture,
        members: int,
        device: torch.device,
        trained: Sequence[str] | None = None,
        *,
        sees_layers: bool = True,
    ) -> None:
        names = [tensor.name for tensor in net.parameters]
        self._trained = [names.index(name) for name in (names if trained is None else trained)]
        self._tensors = len(names)
        self._sees_layers = sees_layers

        def zeros(*shape: int) -> Tensor:
            return torch.zeros((members, *shape), dtype=exact_type(device), device=device)

        self._count, self._pairs = zeros(), zeros()
        self._norms, self._updates = zeros(len(self._trained)), zeros(len(self._trained))
        self._variances = zeros(len(hidden_layers(net)) if sees_layers else 0, 2)
        self._spreads = zeros(len(self._trained))
        self._previous: list[Tensor] = []
        self._kept = torch.full((members,), -1, device=device)

    def clear(self) -> None:
        """Begin an epoch."""
        sums = (self._norms, self._updates, self._variances, self._spreads)
        for gathered in (self._count, self._pairs, *sums):
            gathered.zero_()
        self._kept.fill_(-1)

    @torch.no_grad()
    def add(
        self, alive: Tensor, norms: Tensor, before: Mapping[str, Tensor], after: Mapping[str, Tensor]
    ) -> None:
        """Add a step of the members that are alive (M,): gradient norms (M, T), parameters by name."""
        steps = tensor_norms({name: exactly(after[name]) - exactly(own) for name, own in before.items()})
        self._count += alive
        self._norms += torch.where(alive[:, None], norms, 0)
        moved = alive[:, None] & (steps != 0)
        self._updates += torch.where(moved, steps / tensor_norms(after), 0)

    @torch.no_grad()
    def add_noise(
        self, step: int | Tensor, pair: tuple[bool, bool], alive: Tensor, gradients: Sequence[Tensor]
    ) -> None:
        """Compare a step's gradients (M, ...) with those of the step before, where they were kept.

        They are those of the loss, of the tensors that are trained.

        Args:
            step: of the epoch.
            pair: whether a pair of steps begins here, and whether one ends; see ``pair_at``.
        """
        begins, ends = pair
        if not self._previous:
            self._previous = [torch.zeros_like(own) for own in gradients]
        if ends:
            paired = alive & (self._kept == step - 1)
            self._pairs += paired
            for place, (before, own) in enumerate(zip(self._previous, gradients, strict=True)):
                distances = (exactly(own) - exactly(before)).flatten(1).square().sum(dim=1)
                self._spreads[:, place] += torch.where(paired, distances / 2, 0)
        if begins:
            for before, own in zip(self._previous, gradients, strict=True):
                before.copy_(torch.where(alive.reshape(-1, *(1 for _ in own.shape[1:])), own, before))
            self._kept.copy_(torch.where(alive, step, self._kept))

    @torch.no_grad()
    def add_variances(
        self, alive: Tensor, activations: Sequence[Tensor], gradients: Sequence[Tensor]
    ) -> None:
        """Add the variances of activations (M, ...) and of the gradients at them, layer by layer."""
        for place, pair in enumerate(zip(activations, gradients, strict=True)):
            for column, own in enumerate(pair):
                spread = exactly(own.detach()).flatten(1).var(dim=1, correction=0)
                self._variances[:, place, column] += torch.where(alive, spread, 0)

    def read(self) -> GradientProbes:
        """Return the means over the steps that were added; waits for the device."""
        count = self._count[:, None]
        variances = (self._variances / count[..., None]).cpu().numpy() if self._sees_layers else None
        noise = None
        if self._previous:
            noise = step_variances(self._of_all(self._spreads), self._pairs.cpu().numpy())
        return GradientProbes(
            self._of_all(self._norms / count), self._of_all(self._updates / count), variances, noise
        )

    def _of_all(self, found: Tensor) -> NDArray[np.float64]:
        """Return numbers of the trained tensors (M, trained) with zeros for the others, (M, T)."""
        whole = np.zeros((len(found), self._tensors))
        whole[:, self._trained] = found.cpu().numpy()
        return whole


def activation_statistics(activations: Tensor) -> NDArray[np.float64]:
    """Return the statistics of activations (M, n, ...), (M, N_ACTIVATION).

    A unit is a channel where a row is an image (three axes) or a volume, else an entry of the last axis.
    """
    members = len(activations)
    flat = exactly(activations.detach().reshape(members, -1))
    found = torch.empty((members, N_ACTIVATION), dtype=flat.dtype, device=flat.device)
    found[:, MEAN_ACTIVATION], found[:, VARIANCE] = flat.mean(dim=1), flat.var(dim=1, correction=0)
    found[:, ZEROS] = exactly(flat == 0).mean(dim=1)
    unit = 2 if activations.dim() >= 5 else activations.dim() - 1
    moves = (activations.detach().abs() > ALIVE).movedim(unit, 1).flatten(2).any(dim=2)
    found[:, DEAD] = 1 - exactly(moves).mean(dim=1)
    return found.cpu().numpy().astype(np.float64, copy=False)
