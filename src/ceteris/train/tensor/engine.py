"""The tensor engine: stacked torch tensors on a device, gradients by autograd."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ceteris.nets.hidden import hidden_layers
from ceteris.nets.stacked import StackedNetwork
from ceteris.train.device_memory import EVALUATION_NUMBERS
from ceteris.train.engine import StackSpec, Totals
from ceteris.train.hyper import state_slots
from ceteris.train.memory import activations
from ceteris.train.probes import N_ACTIVATION, GradientProbes
from ceteris.train.tensor.clock import StepClock, StepKind
from ceteris.train.tensor.exact import exact_type, exactly, moved
from ceteris.train.tensor.forward import forward
from ceteris.train.tensor.glimpse import Glimpse, copied_out
from ceteris.train.tensor.kept import BUFFER, as_array, as_bytes, from_bytes
from ceteris.train.tensor.losses import losses, right_answers, stacked_objective, training_losses
from ceteris.train.tensor.masks import Draws
from ceteris.train.tensor.optimizer import StackedOptimizer
from ceteris.train.tensor.probes import TensorProbes, activation_statistics
from ceteris.train.tensor.resident import ResidentRows
from ceteris.train.tensor.runners import StepRunner, step_runner
from ceteris.train.tensor.scales import StackedScales

LOSS, RIGHT, ROWS, NORM, NORMS = range(5)


class TensorEngine:
    """Trains a stack on a torch device; nothing waits for the device inside an epoch.

    A step is a function of tensors that stay where they are and are changed in place, and of its ``StepKind``
    alone: so a runner may record it once and replay it.
    """

    def __init__(
        self, spec: StackSpec, stack: StackedNetwork, device: str, runner: StepRunner | None = None
    ) -> None:
        self._spec = spec
        self._device = torch.device(device)
        self._runner = runner or step_runner(self._device)
        self._rows = ResidentRows(spec.feeds, len(stack), self._device)
        self._parameters = {
            name: self._tensor(view).requires_grad_()
            for name, view in _stacked_views(stack, stack.parameters, "parameters")
        }
        self._buffers = {
            name: self._tensor(view) for name, view in _stacked_views(stack, stack.buffers, "buffers")
        }
        self._trained = list(self._parameters)
        self._optimizer = StackedOptimizer(spec.net, spec.experiments, spec.widths, self._parameters)
        self._objective = stacked_objective(spec, self._device)
        self._loss = training_losses if self._objective.altered else losses
        self._rates = self._tensor(spec.rates)
        self._used = frozenset(map(int, np.flatnonzero((spec.rates > 0).any(axis=0))))
        self._keys = self._tensor(spec.keys.astype(np.int64))
        self._columns = self._tensor(np.array(spec.columns)) if min(spec.widths) < spec.net.n_in else None
        self._probes = TensorProbes(spec.net, len(stack), self._device)
        self._scales = StackedScales(len(stack), spec.precision, self._device)
        self._clock = StepClock(spec.batch_size, spec.accumulate, spec.steps, self._device)
        self._diverged = torch.full((len(stack),), -1, device=self._device)
        self._gathered = torch.zeros((5, len(stack)), dtype=exact_type(self._device), device=self._device)
        self._glimpse = Glimpse(self._gathered)
        self._active = np.ones(len(stack), dtype=np.bool_)
        self._resting = self._tensor(~self._active)
        self._at = (0, 0)
        """The epoch and the step as numbers of Python's, for code that is never replayed."""

    def begin_epoch(
        self, epoch: int, orders: Sequence[NDArray[np.int64]], rates: NDArray[np.float64]
    ) -> None:
        """Start an epoch (counted from 0); see ``Engine.begin_epoch``."""
        self._at = (epoch, 0)
        stays = self._clock.begin_epoch(epoch, orders, self._rows.feed_of_member)
        if not (self._optimizer.set_rates(rates) and stays):
            self._runner.forget()
        self._gathered.zero_()
        self._glimpse.forget()
        self._probes.clear()

    def refresh(self, stretches: Sequence[tuple[int, int]]) -> None:
        """Copy the rows that have changed to the device, once for all streams that share an array."""
        self._rows.refresh(stretches)

    def run_steps(self, first: int, last: int, active: NDArray[np.bool_]) -> None:
        """Do the steps ``first`` to ``last`` (exclusive) of the epoch for the active members."""
        if not np.array_equal(active, self._active):
            self._active = active.copy()
            self._resting.copy_(torch.from_numpy(~active))
        self._clock.go_to(first)
        for step in range(first, last):
            self._at = (self._at[0], step)
            for kind in self._clock.kinds(step):
                self._runner.run(kind, partial(self._step, kind))

    @property
    def not_recorded(self) -> str:
        """Why steps are done one by one; empty where they are recorded and replayed."""
        return self._runner.reason

    def totals(self) -> Totals:
        """Read what was gathered in this epoch; waits for the device."""
        loss, right, rows, norm, norms = self._gathered.cpu().numpy()
        with np.errstate(invalid="ignore", divide="ignore"):
            found = Totals(loss, right, rows, norm / norms, self._diverged.cpu().numpy())
        if not self._scales.acts:
            return found
        scale, skipped = self._scales.read()
        return replace(found, loss_scale=scale, skipped=skipped)

    def progress(self) -> Totals | None:
        """Return what has arrived of this epoch's totals; see ``Engine.progress``."""
        found = self._glimpse.look(self._gathered)
        if found is None:
            return None
        loss, right, rows, norm, norms = found
        return Totals(loss, right, rows, norm / np.maximum(norms, 1), np.full(len(loss), -1))

    @torch.no_grad()
    def evaluate(
        self, rows: Sequence[NDArray[np.int64]], active: NDArray[np.bool_], *, keep_outputs: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
        """Evaluate the active members; see ``Engine.evaluate``."""
        lengths = {len(own) for own in rows}
        if len(lengths) > 1:
            return self._evaluate_apart(rows, active, keep_outputs=keep_outputs)
        return self._evaluate(self._rows.numbers(rows, *lengths), active, keep_outputs=keep_outputs)

    def _evaluate(
        self, numbers: Tensor, active: NDArray[np.bool_], *, keep_outputs: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
        """Evaluate by row numbers (streams, n)."""
        n, members = numbers.shape[1], len(active)
        per_row = max(self._spec.net.n_in, activations(self._spec.net))
        chunk = max(1, EVALUATION_NUMBERS // (members * per_row))
        sums = torch.zeros((2, members), dtype=exact_type(self._device), device=self._device)
        kept = []
        for begin in range(0, n, chunk):
            part = numbers[:, begin : begin + chunk]
            x, targets = self._rows.gather(part)
            outputs = self._forward(x, None)
            sums[0] += exactly(losses(self._objective, outputs, targets)) * part.shape[1]
            sums[1] += right_answers(self._objective, outputs, targets)
            if keep_outputs:
                kept.append(copied_out(outputs))
        results = (sums / n).T.cpu().numpy()
        results[~active] = np.nan
        return results, torch.cat(kept, dim=1).numpy() if keep_outputs else None

    def gradient_probes(self) -> GradientProbes:
        """Read what the gradients of this epoch were; see ``Engine.gradient_probes``."""
        return self._probes.read()

    @torch.no_grad()
    def activations(
        self, rows: Sequence[NDArray[np.int64]], active: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Measure the activations of the active members; see ``Engine.activations``."""
        layers = len(hidden_layers(self._spec.net))
        found = np.full((len(active), layers, N_ACTIVATION), np.nan)
        for length in sorted({len(own) for own in rows}):
            kept: list[Tensor] = []
            self._forward(self._rows.gather(self._rows.numbers(rows, length))[0], None, kept)
            right = [f.members for f, own in zip(self._spec.feeds, rows, strict=True) if len(own) == length]
            members = np.concatenate(right)
            for place, own in enumerate(kept):
                found[members, place] = activation_statistics(own)[members]
        found[~active] = np.nan
        return found

    @torch.no_grad()
    def activation_values(self, place: int, rows: NDArray[np.int64]) -> list[NDArray[np.floating]]:
        """Return the activations of one member's hidden layers; see ``Engine.activation_values``.

        All members run on the same rows, of which one is kept.
        """
        kept: list[Tensor] = []
        numbers = self._tensor(np.stack([rows] * len(self._spec.feeds)))
        self._forward(self._rows.gather(numbers)[0], None, kept)
        return [own[place].float().cpu().numpy() for own in kept]

    def parameters(self) -> NDArray[np.floating]:
        """Return the parameters, (M, P)."""
        return _flat(list(self._parameters.values()), len(self._diverged))

    def buffers(self) -> NDArray[np.floating]:
        """Return the buffers, (M, Q)."""
        return _flat(list(self._buffers.values()), len(self._diverged))

    def state(self, place: int) -> dict[str, NDArray[np.generic]]:
        """Return what a member carries to its next epoch; see ``Engine.state``."""
        count = state_slots([self._spec.experiments[place].optimizer])
        own = {f"parameter {name}": as_array(tensor[place]) for name, tensor in self._parameters.items()}
        own |= {BUFFER + name: as_bytes(tensor[place]) for name, tensor in self._buffers.items()}
        return own | self._optimizer.state(place, count) | self._scales.state(place)

    @torch.no_grad()
    def restore(self, place: int, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Put a member where ``state`` found it; see ``Engine.restore``."""
        for name, tensor in self._parameters.items():
            tensor[place] = self._tensor(state[f"parameter {name}"])
        for name, tensor in self._buffers.items():
            tensor[place] = from_bytes(state[BUFFER + name], tensor[place]).to(self._device)
        self._optimizer.restore(place, state)
        self._scales.restore(place, state)

    def _forward(self, x: Tensor, draws: Draws | None, kept: list[Tensor] | None = None) -> Tensor:
        """Run all members on their rows, x (M, n, features); without draws in evaluation mode.

        ``kept`` receives the activations of hidden layers, (M, n, units).
        """
        return forward(self._spec.net, self._parameters, self._buffers, x, draws, kept)

    def _gradient(self, loss: Tensor, of: list[Tensor]) -> tuple[Tensor, ...]:
        """Return the gradient of a loss with respect to tensors that it depends on."""
        return torch.autograd.grad(loss, of)

    def _step(self, kind: StepKind) -> None:
        """Do one step, batch by batch."""
        spec, clock = self._spec, self._clock
        takes_part = ~self._resting
        buffers: dict[str, Tensor] = {}
        if kind.length is not None:
            takes_part = takes_part & clock.members[kind.length]
            buffers = {name: own.clone() for name, own in self._buffers.items()}
        watched = kind.measured and spec.layers
        trained = {name: self._parameters[name] for name in self._trained}
        gradients: dict[str, Tensor] = {}
        probed: tuple[list[Tensor], list[Tensor]] = ([], [])
        alive = takes_part
        starts = range(0, kind.rows, spec.batch_size)
        for number, begin in enumerate(starts):
            x, targets = self._rows.gather(clock.rows(begin, min(spec.batch_size, kind.rows - begin)))
            kept: list[Tensor] | None = [] if watched and number == 0 else None
            outputs = self._forward(x, self._draws(number, begin), kept)
            loss = self._loss(self._objective, outputs, targets)
            at_layers = [own for own in kept or () if own.requires_grad]
            found = self._gradient(self._scales.scaled(loss).sum(), [*trained.values(), *at_layers])
            if number == 0:
                probed = at_layers, list(found[len(trained) :])
                gradients = dict(zip(trained, found[: len(trained)], strict=True))
            else:
                gradients = {n: gradients[n] + own for n, own in zip(trained, found, strict=True)}
            alive = self._gather_totals(alive, loss.detach(), outputs.detach(), targets)
        if len(starts) > 1:
            gradients = {name: own / len(starts) for name, own in gradients.items()}
        alive = self._scales.unscale(gradients, alive)
        if spec.gradient_noise:
            pair = kind.begins_pair, kind.ends_pair
            self._probes.add_noise(clock.step, pair, alive, list(gradients.values()))
        norm, norms = self._optimizer.finish(gradients, measured=kind.measured)
        if norm is not None and kind.measured:
            self._gathered[NORM] += torch.where(alive, norm, 0)
            self._gathered[NORMS] += alive
        before = {name: own.detach().clone() for name, own in trained.items()} if watched else {}
        self._optimizer.step(clock.step, self._scales.taken(clock.done), gradients, alive)
        if watched and norms is not None:
            self._probes.add(alive, norms, before, trained)
            self._probes.add_variances(alive, *probed)
        for name, own in buffers.items():
            taken = takes_part.reshape(-1, *(1 for _ in own.shape[1:]))
            self._buffers[name].copy_(torch.where(taken, self._buffers[name], own))
        if kind.ends:
            clock.step.add_(1)

    def _draws(self, number: int, begin: int) -> Draws:
        """Return what is drawn for a step's batch ``number``, whose first row stands at ``begin``."""
        clock, (epoch, step) = self._clock, self._at
        on_host = (epoch, step * self._spec.batch_size * self._spec.accumulate + begin)
        first, nth = clock.first_row(begin), clock.nth_batch(number)
        return Draws(self._keys, self._rates, self._used, clock.epoch, first, nth, on_host, self._columns)

    @torch.no_grad()
    def _gather_totals(self, living: Tensor, loss: Tensor, outputs: Tensor, targets: Tensor) -> Tensor:
        """Add a batch to the totals of the members that are alive, and tell which those are.

        ``living`` (M,) are those that take part in the step; a member that has diverged does not any more.
        """
        was_alive = (self._diverged < 0) & living
        alive = was_alive & torch.isfinite(loss)
        self._diverged.copy_(torch.where(was_alive & ~alive, self._clock.done, self._diverged))
        rows = outputs.shape[1]
        right = exactly(right_answers(self._objective, outputs, targets))
        found = torch.stack((exactly(loss) * rows, right, torch.full_like(right, rows)))
        self._gathered[:NORM] += torch.where(alive, found, 0)
        return alive

    def _evaluate_apart(
        self, rows: Sequence[NDArray[np.int64]], active: NDArray[np.bool_], *, keep_outputs: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
        """Evaluate streams of different lengths: all members on each length, and keep the right ones."""
        longest = max(len(own) for own in rows)
        results = np.full((len(active), 2), np.nan)
        kept = np.zeros((len(active), longest, self._spec.net.n_out), np.float32)
        for length in sorted({len(own) for own in rows}):
            numbers = self._rows.numbers(rows, length)
            part, outputs = self._evaluate(numbers, active, keep_outputs=keep_outputs)
            right = [
                feed.members for feed, own in zip(self._spec.feeds, rows, strict=True) if len(own) == length
            ]
            members = np.concatenate(right)
            results[members] = part[members]
            if outputs is not None:
                kept[members, :length] = outputs[members]
        return results, kept if keep_outputs else None

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        return moved(array, self._device)


def _stacked_views(
    stack: StackedNetwork, flat: NDArray[np.floating], which: str
) -> list[tuple[str, NDArray[np.floating]]]:
    tensors = stack.architecture.parameters if which == "parameters" else stack.architecture.buffers
    members = len(stack)
    return [(t.name, flat[:, t.offset : t.offset + t.size].reshape(members, *t.shape)) for t in tensors]


def _flat(tensors: Sequence[Tensor], members: int) -> NDArray[np.floating]:
    if not tensors:
        return np.zeros((members, 0), np.float32)
    joined: NDArray[np.floating] = (
        torch.cat([t.detach().reshape(members, -1) for t in tensors], dim=1).cpu().numpy()
    )
    return joined
