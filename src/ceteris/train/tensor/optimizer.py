"""A stack's optimiser on a torch device: penalties, clipping, rates and updates of stacked parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ceteris.nets.architecture import Architecture
from ceteris.spec.experiment import Experiment
from ceteris.train.hyper import LR, group_of, hyper_vectors, initial_state, state_slots
from ceteris.train.penalties import CLIP_NORM, TO_NORM, clip_limits, penalty_terms
from ceteris.train.tensor.exact import moved
from ceteris.train.tensor.gradients import clip, norms, penalise, tensor_norms
from ceteris.train.tensor.kept import as_array
from ceteris.train.tensor.updates import UPDATES, Hyper


class StackedOptimizer:
    """Updates stacked parameters (M, ...) by name, in place; every setting is a vector over members."""

    def __init__(
        self,
        net: Architecture,
        experiments: tuple[Experiment, ...],
        columns: Sequence[int],
        parameters: Mapping[str, Tensor],
    ) -> None:
        optimizers = [experiment.optimizer for experiment in experiments]
        device = next(iter(parameters.values())).device
        self._parameters = parameters
        hyper = hyper_vectors(optimizers)
        self._used = frozenset(map(int, np.flatnonzero((hyper != 0).any(axis=(0, 1)))))
        self._hyper = moved(hyper, device)
        self._rates = self._hyper[:, :, LR, None].clone()
        self._last_rate = torch.zeros((), dtype=torch.int64, device=device)
        self._groups = {tensor.name: group_of(tensor) for tensor in net.parameters}
        self._update = UPDATES[optimizers[0].kind]
        start = moved(np.array([initial_state(optimizer) for optimizer in optimizers]), device)
        self._slots = {
            name: [_filled(tensor, start.to(tensor.dtype)) for _ in range(state_slots(optimizers))]
            for name, tensor in parameters.items()
        }
        self._terms = moved(penalty_terms(net, experiments, columns), device)
        limits = clip_limits([experiment.clip for experiment in experiments])
        self._limits = moved(limits, device)
        self._clips = bool((limits > 0).any())
        self._needs_norm = bool((limits[:, [CLIP_NORM, TO_NORM]] > 0).any())

    def set_rates(self, rates: NDArray[np.float64]) -> bool:
        """Set the learning rates of an epoch, (M, groups, 1 or steps); tell whether they fit in their place.

        Where fewer stand there than before, the last of them counts from then on.
        """
        columns = rates.shape[2]
        fits = bool(columns <= self._rates.shape[2])
        if fits:
            self._rates[:, :, :columns].copy_(moved(rates, self._hyper.device))
        else:
            self._rates = moved(rates, self._hyper.device)
        self._last_rate.fill_(columns - 1)
        return fits

    def finish(self, gradients: dict[str, Tensor], *, measured: bool) -> tuple[Tensor | None, Tensor | None]:
        """Penalise and clip gradients, in place.

        Returns:
            Norms before clipping: of the whole gradient (M,) where it is needed, and of every tensor (M, T)
            where it is measured.
        """
        if self._terms.shape[1] > 0:
            penalise(self._terms, self._groups, self._parameters, gradients)
        norm = norms(gradients) if measured or self._needs_norm else None
        of_tensors = tensor_norms(gradients) if measured else None
        if self._clips:
            clip(self._limits, norm if self._needs_norm else None, gradients)
        return norm, of_tensors

    def step(self, step: Tensor, done: Tensor, gradients: Mapping[str, Tensor], alive: Tensor) -> None:
        """Update the members that are alive (M,).

        Args:
            step: of the epoch, from 0, a number on the device.
            done: the updates of each member since training began, (M,) int64.
        """
        column = torch.minimum(step, self._last_rate).reshape(1)
        self._hyper[:, :, LR] = self._rates.index_select(2, column)[..., 0]
        for name, gradient in gradients.items():
            param = self._parameters[name]
            shape = (-1, *(1 for _ in param.shape[1:]))
            hyper = Hyper(self._hyper[:, self._groups[name]], param, alive.reshape(shape), self._used)
            self._update(done.reshape(shape), hyper, param, gradient, self._slots[name])

    def state(self, place: int, count: int) -> dict[str, NDArray[np.generic]]:
        """Return copies of the first ``count`` vectors that a member's optimiser keeps, by name."""
        return {
            f"slot {number} {name}": as_array(slot[place])
            for name, slots in self._slots.items()
            for number, slot in enumerate(slots[:count])
        }

    def restore(self, place: int, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Put back what ``state`` returned."""
        for name, slots in self._slots.items():
            for number, slot in enumerate(slots):
                kept = state.get(f"slot {number} {name}")
                if kept is not None:
                    slot[place] = moved(kept, slot.device)


def _filled(like: Tensor, values: Tensor) -> Tensor:
    shape = (-1, *(1 for _ in like.shape[1:]))
    return values.reshape(shape).expand(like.shape).clone()
