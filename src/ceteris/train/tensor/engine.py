"""The tensor engine: stacked torch tensors on a device, gradients by autograd."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ceteris.nets.hidden import hidden_layers
from ceteris.nets.stacked import StackedNetwork
from ceteris.train.engine import GRADIENT_EVERY, Feed, StackSpec, Totals
from ceteris.train.hyper import state_slots
from ceteris.train.probes import N_ACTIVATION, GradientProbes, noise_every
from ceteris.train.tensor.forward import forward
from ceteris.train.tensor.kept import BUFFER, as_array, as_bytes, from_bytes
from ceteris.train.tensor.losses import losses, right_answers, stacked_objective, training_losses
from ceteris.train.tensor.masks import Draws
from ceteris.train.tensor.optimizer import StackedOptimizer
from ceteris.train.tensor.probes import TensorProbes, activation_statistics

EVALUATION_NUMBERS = 2**26
"""About how many numbers the inputs of one evaluated batch may hold over all members."""


class TensorEngine:
    """Trains a stack on a torch device; nothing waits for the device inside an epoch."""

    def __init__(self, spec: StackSpec, stack: StackedNetwork, device: str) -> None:
        self._spec = spec
        self._device = torch.device(device)
        arrays: dict[int, Tensor] = {}
        self._inputs = [self._resident(feed.x, arrays) for feed in spec.feeds]
        self._targets = [self._resident(_shaped(feed), arrays) for feed in spec.feeds]
        self._feed_of_member = self._feed_numbers(spec.feeds, len(stack))
        self._parameters = {
            name: self._tensor(view).requires_grad_()
            for name, view in _stacked_views(stack, stack.parameters, "parameters")
        }
        self._buffers = {
            name: self._tensor(view) for name, view in _stacked_views(stack, stack.buffers, "buffers")
        }
        self._trained = list(self._parameters)
        self._optimizer = StackedOptimizer(spec.net, spec.experiments, self._parameters)
        self._objective = stacked_objective(spec, self._device)
        self._loss = training_losses if self._objective.altered else losses
        self._rates = self._tensor(spec.rates)
        self._used = frozenset(map(int, np.flatnonzero((spec.rates > 0).any(axis=0))))
        self._keys = self._tensor(spec.keys.astype(np.int64))
        self._diverged = torch.full((len(stack),), -1, device=self._device)
        self._probes = TensorProbes(spec.net, len(stack), self._device)
        self._gathered = torch.zeros((5, len(stack)), dtype=torch.float64, device=self._device)
        self._epoch = 0
        self._orders = torch.zeros(0)
        self._lengths: list[int] = []

    def begin_epoch(
        self, epoch: int, orders: Sequence[NDArray[np.int64]], rates: NDArray[np.float64]
    ) -> None:
        """Start an epoch (counted from 0); see ``Engine.begin_epoch``."""
        self._epoch = epoch
        self._optimizer.set_rates(rates)
        self._lengths = [len(order) for order in orders]
        longest = max(self._lengths)
        padded = [np.pad(order, (0, longest - len(order))) for order in orders]
        self._orders = self._tensor(np.stack(padded))
        self._gathered.zero_()
        self._probes.clear()

    def refresh(self, stretches: Sequence[tuple[int, int]]) -> None:
        """Copy the rows that have changed to the device, once for all streams that share an array."""
        arrays = {id(feed.x): number for number, feed in enumerate(self._spec.feeds)}
        for number in arrays.values():
            feed = self._spec.feeds[number]
            for begin, end in stretches:
                if end <= len(feed.x):
                    self._inputs[number][begin:end] = torch.from_numpy(feed.x[begin:end]).to(self._device)
                    shaped = _shaped(feed)[begin:end]
                    self._targets[number][begin:end] = torch.from_numpy(shaped).to(self._device)

    def run_steps(self, first: int, last: int, active: NDArray[np.bool_]) -> None:
        """Do the steps ``first`` to ``last`` (exclusive) of the epoch for the active members."""
        resting = self._tensor(~active)
        for step in range(first, last):
            size = self._spec.batch_size * self._spec.accumulate
            begin, end = step * size, (step + 1) * size
            if end <= min(self._lengths) or len(set(self._lengths)) == 1:
                self._step(step, begin, self._orders[:, begin:end], resting)
            else:
                self._step_apart(step, begin, end, resting)

    def totals(self) -> Totals:
        """Read what was gathered in this epoch; waits for the device."""
        loss, right, rows, norm, norms = self._gathered.cpu().numpy()
        with np.errstate(invalid="ignore", divide="ignore"):
            return Totals(loss, right, rows, norm / norms, self._diverged.cpu().numpy())

    @torch.no_grad()
    def evaluate(
        self, rows: Sequence[NDArray[np.int64]], active: NDArray[np.bool_], *, keep_outputs: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
        """Evaluate the active members; see ``Engine.evaluate``."""
        lengths = {len(own) for own in rows}
        if len(lengths) > 1:
            return self._evaluate_apart(rows, active, keep_outputs=keep_outputs)
        numbers = self._tensor(np.stack(rows))
        n, members = numbers.shape[1], len(active)
        chunk = max(1, EVALUATION_NUMBERS // (members * self._spec.net.n_in))
        sums = torch.zeros((2, members), dtype=torch.float64, device=self._device)
        kept = []
        for begin in range(0, n, chunk):
            part = numbers[:, begin : begin + chunk]
            x, targets = self._gather(part)
            outputs = self._forward(x, None)
            sums[0] += losses(self._objective, outputs, targets).double() * part.shape[1]
            sums[1] += right_answers(self._objective, outputs, targets)
            if keep_outputs:
                kept.append(outputs.cpu())
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
            fitted = self._tensor(np.stack([np.resize(own, length) for own in rows]))
            kept: list[Tensor] = []
            self._forward(self._gather(fitted)[0], None, kept)
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
        self._forward(self._gather(numbers)[0], None, kept)
        return [own[place].float().cpu().numpy() for own in kept]

    def parameters(self) -> NDArray[np.floating]:
        """Return the parameters, (M, P)."""
        return _flat(list(self._parameters.values()), len(self._diverged))

    def buffers(self) -> NDArray[np.floating]:
        """Return the buffers, (M, Q)."""
        return _flat(list(self._buffers.values()), len(self._diverged))

    def state(self, place: int) -> dict[str, NDArray[np.generic]]:
        """Return what a member carries to its next epoch; see ``Engine.state``."""
        count = state_slots([self._spec.optimizers[place]])
        own = {f"parameter {name}": as_array(tensor[place]) for name, tensor in self._parameters.items()}
        own |= {BUFFER + name: as_bytes(tensor[place]) for name, tensor in self._buffers.items()}
        return own | self._optimizer.state(place, count)

    @torch.no_grad()
    def restore(self, place: int, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Put a member where ``state`` found it; see ``Engine.restore``."""
        for name, tensor in self._parameters.items():
            tensor[place] = self._tensor(state[f"parameter {name}"])
        for name, tensor in self._buffers.items():
            tensor[place] = from_bytes(state[BUFFER + name], tensor[place]).to(self._device)
        self._optimizer.restore(place, state)

    def _forward(self, x: Tensor, draws: Draws | None, kept: list[Tensor] | None = None) -> Tensor:
        """Run all members on their rows, x (M, n, features); without draws in evaluation mode.

        ``kept`` receives the activations of hidden layers, (M, n, units).
        """
        return forward(self._spec.net, self._parameters, self._buffers, x, draws, kept)

    def _step_apart(self, step: int, begin: int, end: int, resting: Tensor) -> None:
        """Do the last step of streams that differ in rows: one length after another, the others resting."""
        own = self._tensor(np.array(self._lengths))[self._feed_of_member]
        for length in sorted(set(self._lengths)):
            others = own != length
            kept = [buffer[others] for buffer in self._buffers.values()]
            self._step(step, begin, self._orders[:, begin : min(end, length)], resting | others)
            for buffer, before in zip(self._buffers.values(), kept, strict=True):
                buffer[others] = before

    def _step(self, step: int, begin: int, rows: Tensor, resting: Tensor) -> None:
        """Do one step on rows (feeds, n) whose first stands at ``begin``, batch by batch."""
        done = self._epoch * self._spec.steps + step
        measured = step % GRADIENT_EVERY == 0
        watched = measured and self._spec.layers
        trained = {name: self._parameters[name] for name in self._trained}
        parts = torch.split(rows, self._spec.batch_size, dim=1)
        gradients: dict[str, Tensor] = {}
        probed: tuple[list[Tensor], list[Tensor]] = ([], [])
        alive = ~resting
        for number, part in enumerate(parts):
            first_row = begin + number * self._spec.batch_size
            nth = done * self._spec.accumulate + number
            draws = Draws(self._keys, self._rates, self._used, self._epoch, first_row, nth)
            kept: list[Tensor] | None = [] if watched and number == 0 else None
            x, targets = self._gather(part)
            outputs = self._forward(x, draws, kept)
            loss = self._loss(self._objective, outputs, targets)
            at_layers = [own for own in kept or () if own.requires_grad]
            found = torch.autograd.grad(loss.sum(), [*trained.values(), *at_layers])
            if number == 0:
                probed = at_layers, list(found[len(trained) :])
                gradients = dict(zip(trained, found[: len(trained)], strict=True))
            else:
                gradients = {n: gradients[n] + own for n, own in zip(trained, found, strict=True)}
            with torch.no_grad():
                alive = self._gather_totals(done, loss, outputs, targets, resting)
        if len(parts) > 1:
            gradients = {name: own / len(parts) for name, own in gradients.items()}
        if self._spec.gradient_noise:
            every = noise_every(self._spec.steps)
            self._probes.add_noise(step, every, alive, list(gradients.values()))
        with torch.no_grad():
            norm = self._optimizer.finish(gradients, measured=measured)
            if norm is not None and measured:
                self._gathered[3] += torch.where(alive, norm, 0)
                self._gathered[4] += alive
        before = {name: own.detach().clone() for name, own in trained.items()} if watched else {}
        self._optimizer.step(step, done, gradients, alive)
        if watched:
            self._probes.add(alive, self._optimizer.norms, before, trained)
            self._probes.add_variances(alive, *probed)

    def _gather_totals(
        self, done: int, loss: Tensor, outputs: Tensor, targets: Tensor, resting: Tensor
    ) -> Tensor:
        """Add a batch to the totals of the members that are alive, and tell which those are."""
        was_alive = (self._diverged < 0) & ~resting
        alive = was_alive & torch.isfinite(loss)
        self._diverged = torch.where(was_alive & ~alive, done, self._diverged)
        rows = outputs.shape[1]
        right = right_answers(self._objective, outputs, targets)
        for row, part in enumerate((loss.double() * rows, right.double(), loss.new_full((), rows))):
            self._gathered[row] += torch.where(alive, part, 0)
        return alive

    def _gather(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Gather each stream's rows once and hand them to its members: (M, n, features), (M, n, ...)."""
        x = torch.stack([own[part] for own, part in zip(self._inputs, rows, strict=True)])
        y = torch.stack([own[part] for own, part in zip(self._targets, rows, strict=True)])
        return x[self._feed_of_member], y[self._feed_of_member]

    def _evaluate_apart(
        self, rows: Sequence[NDArray[np.int64]], active: NDArray[np.bool_], *, keep_outputs: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
        """Evaluate streams of different lengths: all members on each length, and keep the right ones."""
        longest = max(len(own) for own in rows)
        results = np.full((len(active), 2), np.nan)
        kept = np.zeros((len(active), longest, self._spec.net.n_out), np.float32)
        for length in sorted({len(own) for own in rows}):
            fitted = [np.resize(own, length) for own in rows]
            part, outputs = self.evaluate(fitted, active, keep_outputs=keep_outputs)
            right = [
                feed.members for feed, own in zip(self._spec.feeds, rows, strict=True) if len(own) == length
            ]
            members = np.concatenate(right)
            results[members] = part[members]
            if outputs is not None:
                kept[members, :length] = outputs[members]
        return results, kept if keep_outputs else None

    def _resident(self, array: NDArray[np.generic], moved: dict[int, Tensor]) -> Tensor:
        """Move an array to the device once, however many streams share it."""
        if id(array) not in moved:
            moved[id(array)] = self._tensor(array)
        return moved[id(array)]

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.array(array)).to(self._device)

    def _feed_numbers(self, feeds: Sequence[Feed], members: int) -> Tensor:
        numbers = np.zeros(members, dtype=np.int64)
        for number, feed in enumerate(feeds):
            numbers[feed.members] = number
        return self._tensor(numbers)


def _shaped(feed: Feed) -> NDArray[np.generic]:
    if np.issubdtype(feed.y.dtype, np.integer):
        return feed.y
    return feed.y if feed.y.ndim == 2 else feed.y.reshape(len(feed.y), -1)


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
