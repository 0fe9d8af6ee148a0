"""The engine that trains by the functions of ``ceteris.scratch``, one member after another.

What decides a comparison is shared with the other engines: initial weights, row orders, masks, learning
rates and what is measured when. The arithmetic is its own: layers, losses, penalties, SGD.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ceteris.lab.scratch_member import Drawn, ScratchMember
from ceteris.nets.hidden import hidden_layers
from ceteris.nets.stacked import StackedNetwork
from ceteris.spec.losses import class_edge
from ceteris.train.engine import EVALUATION_ROWS, GRADIENT_EVERY, StackSpec, Totals
from ceteris.train.probes import N_ACTIVATION, GradientProbes, noise_every, pair_at
from ceteris.train.tensor.probes import TensorProbes, activation_statistics

LOSS, RIGHT, ROWS, NORM, NORMS = range(5)


class ScratchEngine:
    """Trains a stack whose members are ``ScratchMember``s; see ``ceteris.train.engine.Engine``."""

    def __init__(self, spec: StackSpec, stack: StackedNetwork, device: str) -> None:
        self._spec = spec
        self._device = torch.device(device)
        self._parameters, self._buffers = stack.parameters, stack.buffers
        self._members = [
            ScratchMember(spec, place, stack.parameters[place], stack.buffers[place], self._device)
            for place in range(len(stack))
        ]
        self._inputs = [torch.from_numpy(feed.x).to(self._device) for feed in spec.feeds]
        self._targets = [_targets(feed.y).to(self._device) for feed in spec.feeds]
        self._probes = [TensorProbes(spec.net, 1, self._device) for _ in self._members]
        self._alive = torch.ones(1, dtype=torch.bool, device=self._device)
        self._totals = np.zeros((5, len(stack)))
        self._diverged = np.full(len(stack), -1)
        self._rates = np.zeros((0, 0, 1))
        self._orders: list[Tensor] = []
        self._epoch = 0

    def begin_epoch(
        self, epoch: int, orders: Sequence[NDArray[np.int64]], rates: NDArray[np.float64]
    ) -> None:
        """Start an epoch (counted from 0); see ``Engine.begin_epoch``."""
        self._epoch, self._rates = epoch, rates
        self._orders = [torch.from_numpy(order).to(self._device) for order in orders]
        self._totals[:] = 0
        for probes in self._probes:
            probes.clear()

    def run_steps(self, first: int, last: int, active: NDArray[np.bool_]) -> None:
        """Do the steps ``first`` to ``last`` (exclusive) of the epoch for the active members."""
        for number, feed in enumerate(self._spec.feeds):
            for place in map(int, feed.members[active[feed.members]]):
                for step in range(first, last):
                    if self._diverged[place] < 0:
                        self._step(place, number, step)

    def totals(self) -> Totals:
        """Read what was gathered in this epoch."""
        loss, right, rows, norm, norms = self._totals
        with np.errstate(invalid="ignore", divide="ignore"):
            return Totals(loss.copy(), right.copy(), rows.copy(), norm / norms, self._diverged.copy())

    def progress(self) -> Totals:
        """Return what was gathered so far; see ``Engine.progress``."""
        return self.totals()

    def refresh(self, stretches: Sequence[tuple[int, int]]) -> None:
        """Take in rows that have changed; see ``Engine.refresh``."""
        for place, feed in enumerate(self._spec.feeds):
            for begin, end in stretches:
                own = slice(begin, min(end, len(feed.x)))
                self._inputs[place][own] = torch.from_numpy(feed.x[own]).to(self._device)
                self._targets[place][own] = _targets(feed.y[own]).to(self._device)

    @torch.no_grad()
    def evaluate(
        self, rows: Sequence[NDArray[np.int64]], active: NDArray[np.bool_], *, keep_outputs: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
        """Evaluate the active members; see ``Engine.evaluate``."""
        kept = max(len(own) for own in rows) if keep_outputs else 0
        outputs = np.zeros((len(active), kept, self._spec.net.n_out), np.float32)
        results = np.full((len(active), 2), np.nan)
        for number, (feed, own) in enumerate(zip(self._spec.feeds, rows, strict=True)):
            for place in map(int, feed.members[active[feed.members]]):
                results[place] = self._evaluate_member(place, number, own, outputs[place])
        return results, outputs if keep_outputs else None

    def gradient_probes(self) -> GradientProbes:
        """Read what the gradients of this epoch were; see ``Engine.gradient_probes``."""
        found = [probes.read() for probes in self._probes]
        variances = [own.variances for own in found if own.variances is not None]
        unknown = np.full((1, len(self._spec.net.parameters)), np.nan)
        noise = [unknown if own.noise is None else own.noise for own in found]
        return GradientProbes(
            np.concatenate([own.norms for own in found]),
            np.concatenate([own.updates for own in found]),
            np.concatenate(variances),
            np.concatenate(noise) if self._spec.gradient_noise else None,
        )

    @torch.no_grad()
    def activations(
        self, rows: Sequence[NDArray[np.int64]], active: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Measure the activations of the active members; see ``Engine.activations``."""
        found = np.full((len(active), len(hidden_layers(self._spec.net)), N_ACTIVATION), np.nan)
        for number, (feed, own) in enumerate(zip(self._spec.feeds, rows, strict=True)):
            x = self._inputs[number][torch.from_numpy(own).to(self._device)]
            for place in map(int, feed.members[active[feed.members]]):
                kept: list[Tensor] = []
                self._members[place].outputs(x, None, kept)
                for layer, activations in enumerate(kept):
                    found[place, layer] = activation_statistics(activations[None])[0]
        return found

    @torch.no_grad()
    def activation_values(self, place: int, rows: NDArray[np.int64]) -> list[NDArray[np.floating]]:
        """Return the activations of one member's hidden layers; see ``Engine.activation_values``."""
        number = next(n for n, feed in enumerate(self._spec.feeds) if place in feed.members)
        kept: list[Tensor] = []
        self._members[place].outputs(
            self._inputs[number][torch.from_numpy(rows).to(self._device)], None, kept
        )
        return [own.cpu().numpy() for own in kept]

    def parameters(self) -> NDArray[np.floating]:
        """Return the parameters, (M, P)."""
        for own, member in zip(self._parameters, self._members, strict=True):
            _read(member.parameters.values(), own)
        return self._parameters

    def buffers(self) -> NDArray[np.floating]:
        """Return the buffers, (M, Q)."""
        for own, member in zip(self._buffers, self._members, strict=True):
            _read(member.buffers.values(), own)
        return self._buffers

    def state(self, place: int) -> dict[str, NDArray[np.generic]]:
        """Return what a member carries to its next epoch; see ``Engine.state``. Plain SGD has no memory."""
        member, parameters, buffers = self._members[place], self._parameters[place], self._buffers[place]
        _read(member.parameters.values(), parameters)
        _read(member.buffers.values(), buffers)
        return {"parameters": parameters, "buffers": buffers}

    @torch.no_grad()
    def restore(self, place: int, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Put a member where ``state`` found it; see ``Engine.restore``."""
        member = self._members[place]
        for name, own in (("parameters", member.parameters), ("buffers", member.buffers)):
            begin = 0
            for tensor in own.values():
                part = np.array(state[name][begin : begin + tensor.numel()])
                tensor.copy_(torch.from_numpy(part).reshape(tensor.shape))
                begin += tensor.numel()

    def _step(self, place: int, number: int, step: int) -> None:
        member, size = self._members[place], self._spec.batch_size
        part = self._orders[number][step * size : (step + 1) * size]
        targets = self._targets[number][part]
        done = self._epoch * self._spec.steps + step
        kept: list[Tensor] = []
        inputs = self._inputs[number][part]
        outputs = member.outputs(inputs, Drawn(self._epoch, step * size, done), kept)
        loss = member.loss(outputs, targets)
        value = loss.item()
        if not np.isfinite(value):
            self._diverged[place] = done
            return
        measured = step % GRADIENT_EVERY == 0
        watched = measured and self._spec.layers
        if self._spec.gradient_noise:
            pair = pair_at(step, noise_every(self._spec.steps))
            found = torch.autograd.grad(loss, list(member.parameters.values()), retain_graph=True)
            self._probes[place].add_noise(step, pair, self._alive, [own[None] for own in found])
        hidden = [own for own in kept if watched and own.requires_grad]
        for own in hidden:
            own.retain_grad()
        member.backward(loss, inputs, outputs, targets)
        rates = self._rates[place, :, min(step, self._rates.shape[2] - 1)]
        norm = self._measured_step(place, rates, hidden) if measured else 0.0
        if not measured:
            member.step(rates)
        right = self._right(outputs.detach(), targets)
        self._totals[:, place] += value * len(part), right, len(part), norm, measured

    def _measured_step(self, place: int, rates: NDArray[np.float64], hidden: Sequence[Tensor]) -> float:
        """Do a step at which gradients are measured; return the norm of the whole gradient."""
        member, probes = self._members[place], self._probes[place]
        gradients = [own.grad for own in member.parameters.values() if own.grad is not None]
        norms = torch.stack([own.double().norm() for own in gradients])[None]  # (1, tensors)
        before = {name: own.detach().clone()[None] for name, own in member.parameters.items()}
        at_hidden = [(own[None], own.grad[None]) for own in hidden if own.grad is not None]
        member.step(rates)
        probes.add(self._alive, norms, before, {name: own[None] for name, own in member.parameters.items()})
        probes.add_variances(self._alive, [own for own, _ in at_hidden], [own for _, own in at_hidden])
        return float(norms.norm())

    def _evaluate_member(
        self, place: int, number: int, rows: NDArray[np.int64], kept: NDArray[np.float32]
    ) -> tuple[float, float]:
        member, numbers = self._members[place], torch.from_numpy(rows).to(self._device)
        loss = right = 0.0
        for begin in range(0, len(rows), EVALUATION_ROWS):
            part = numbers[begin : begin + EVALUATION_ROWS]
            targets = self._targets[number][part]
            outputs = member.outputs(self._inputs[number][part], None, [])
            loss += member.loss(outputs, targets).item() * len(part)
            right += self._right(outputs, targets)
            if len(kept):
                kept[begin : begin + len(part)] = outputs.cpu().numpy()
        return loss / len(rows), right / len(rows)

    def _right(self, outputs: Tensor, targets: Tensor) -> float:
        """How many rows are classified rightly; 0 where targets are values."""
        if targets.is_floating_point():
            return 0.0
        edge = class_edge(self._spec.loss)
        if edge is not None:
            return float(((outputs[:, 0] > edge) == (targets == 1)).sum())
        return float((outputs.argmax(dim=1) == targets).sum())


def _read(tensors: Iterable[Tensor], into: NDArray[np.floating]) -> None:
    """Copy tensors one after another into a flat vector."""
    begin = 0
    for tensor in tensors:
        into[begin : begin + tensor.numel()] = tensor.detach().cpu().numpy().reshape(-1)
        begin += tensor.numel()


def _targets(y: NDArray[np.generic]) -> Tensor:
    """Return class numbers (N,), or values (N, k) in float32."""
    if np.issubdtype(y.dtype, np.integer):
        return torch.from_numpy(y.astype(np.int64, copy=False))
    return torch.from_numpy(y.astype(np.float32).reshape(len(y), -1))
