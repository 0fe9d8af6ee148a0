"""The module engine: ``torch.nn.Module``s on one thread of the processor, one after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ceteris.nets.architecture import Tensor as ParameterTensor
from ceteris.nets.hidden import hidden_modules
from ceteris.nets.stacked import StackedNetwork
from ceteris.spec.optimizer import Newton
from ceteris.train.cpu.gradients import finish_gradient
from ceteris.train.cpu.probes import begin_probes, new_probes, probe_noise, update_probed
from ceteris.train.cpu.updates import update
from ceteris.train.engine import EVALUATION_ROWS, GRADIENT_EVERY, StackSpec, Totals
from ceteris.train.hyper import (
    FAMILIES,
    LR,
    hyper_vectors,
    initial_state,
    segments,
    state_slots,
    tensor_table,
)
from ceteris.train.modules.accumulation import MeanGradient
from ceteris.train.modules.kept import module_buffers, restore_module_buffers
from ceteris.train.modules.member import emptied, members_of, without
from ceteris.train.modules.memory import aligned_rows, keep_freed_memory
from ceteris.train.modules.newton import hessian, newton_direction
from ceteris.train.modules.precision import LossScales
from ceteris.train.penalties import clip_limits, penalty_terms
from ceteris.train.probes import N_ACTIVATION, GradientProbes, step_variances
from ceteris.train.tensor.losses import losses, objectives, right_answers, training_losses

Bend = Callable[[NDArray[np.floating]], None]
"""Changes a finished gradient (P,) in place into the direction of a step."""


class ModuleEngine:
    """Trains a stack member by member: autograd for the gradients, the compiled updates for the steps.

    The parameters of every module are views into the stack's flat vectors, so that an update is one
    pass over memory and the same arithmetic as in the compiled engine. Stacked convolutions lose on a
    processor; one network after another in ``channels_last`` is the fastest there.
    """

    def __init__(self, spec: StackSpec, stack: StackedNetwork) -> None:
        keep_freed_memory()
        self._spec = spec
        self._stack = stack
        self._parameters = aligned_rows(stack.parameters)
        self._members = members_of(spec, stack, self._parameters)
        self._objectives = objectives(spec, torch.device("cpu"))
        self._steps = _Steps(spec, self._parameters)
        self._mean = MeanGradient(self._parameters if spec.accumulate > 1 else self._parameters[:, :0])
        self._inputs = [torch.from_numpy(feed.x) for feed in spec.feeds]
        self._targets = [_targets(feed.y, stack.parameters.dtype) for feed in spec.feeds]
        self._scales = LossScales(len(stack), spec.precision)
        self._totals = np.zeros((5, len(stack)))
        self._variances = np.zeros((len(stack), len(hidden_modules(spec.net)), 2))
        self._seen = np.zeros(self._variances.shape[1:])
        self._diverged = np.full(len(stack), -1)
        self._epoch = 0
        self._orders: list[Tensor] = []

    def begin_epoch(
        self, epoch: int, orders: Sequence[NDArray[np.int64]], rates: NDArray[np.float64]
    ) -> None:
        """Start an epoch (counted from 0); see ``Engine.begin_epoch``."""
        self._epoch = epoch
        self._steps.rates = rates
        self._orders = [torch.from_numpy(order) for order in orders]
        self._totals[:] = 0
        self._variances[:] = 0
        begin_probes(self._steps.probed)

    def run_steps(self, first: int, last: int, active: NDArray[np.bool_]) -> None:
        """Do the steps ``first`` to ``last`` (exclusive) of the epoch for the active members."""
        for number, feed in enumerate(self._spec.feeds):
            for place in map(int, feed.members[active[feed.members]]):
                self._members[place].module.train()
                for step in range(first, last):
                    if self._diverged[place] >= 0:
                        break
                    self._step(place, number, step)

    def progress(self) -> Totals:
        """Return what was gathered so far; see ``Engine.progress``."""
        return self.totals()

    def refresh(self, stretches: Sequence[tuple[int, int]]) -> None:
        """Nothing to do: the feeds' arrays are read where they are."""

    def totals(self) -> Totals:
        """Read what was gathered in this epoch."""
        loss, right, rows, norm, norms = self._totals
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = norm / norms
        gathered = Totals(loss.copy(), right.copy(), rows.copy(), mean, self._diverged.copy())
        if not self._scales.acts:
            return gathered
        return replace(gathered, loss_scale=self._scales.scale.copy(), skipped=self._scales.skipped.copy())

    @torch.no_grad()
    def evaluate(
        self, rows: Sequence[NDArray[np.int64]], active: NDArray[np.bool_], *, keep_outputs: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
        """Evaluate the active members; see ``Engine.evaluate``."""
        count = len(self._members)
        kept = max(len(own) for own in rows) if keep_outputs else 0
        outputs = np.zeros((count, kept, self._spec.net.n_out), np.float32)
        results = np.full((count, 2), np.nan)
        for number, (feed, own) in enumerate(zip(self._spec.feeds, rows, strict=True)):
            for place in map(int, feed.members[active[feed.members]]):
                self._members[place].module.eval()
                results[place] = self._evaluate_member(place, number, torch.from_numpy(own), outputs[place])
        return results, outputs if keep_outputs else None

    def gradient_probes(self) -> GradientProbes:
        """Read what the gradients of this epoch were; see ``Engine.gradient_probes``."""
        count, steps = self._totals[4][:, None], self._steps
        noise = (
            step_variances(steps.probed.spreads, steps.probed.pairs) if self._spec.gradient_noise else None
        )
        with np.errstate(invalid="ignore"):
            return GradientProbes(
                steps.probed.norms / count,
                steps.probed.updates / count,
                self._variances / count[..., None],
                noise,
            )

    @torch.no_grad()
    def activations(
        self, rows: Sequence[NDArray[np.int64]], active: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Measure the activations of the active members; see ``Engine.activations``."""
        found = np.full((*self._variances.shape[:2], N_ACTIVATION), np.nan)
        for number, (feed, own) in enumerate(zip(self._spec.feeds, rows, strict=True)):
            x = self._inputs[number][torch.from_numpy(own)]
            for place in map(int, feed.members[active[feed.members]]):
                member = self._members[place]
                member.module.eval()
                with member.watch.kept() as kept:
                    member.forward(x, 0, 0)
                found[place] = member.watch.statistics(kept)
        return found

    @torch.no_grad()
    def activation_values(self, place: int, rows: NDArray[np.int64]) -> list[NDArray[np.floating]]:
        """Return the activations of one member's hidden layers; see ``Engine.activation_values``."""
        number = next(n for n, feed in enumerate(self._spec.feeds) if place in feed.members)
        member = self._members[place]
        member.module.eval()
        with member.watch.kept() as kept:
            member.forward(self._inputs[number][torch.from_numpy(rows)], 0, 0)
        return member.watch.values(kept)

    def parameters(self) -> NDArray[np.floating]:
        """Return the parameters, (M, P)."""
        return self._parameters

    def buffers(self) -> NDArray[np.floating]:
        """Return the buffers, (M, Q)."""
        for place, member in enumerate(self._members):
            self._stack.buffers[place] = member.buffers()
        return self._stack.buffers

    def state(self, place: int) -> dict[str, NDArray[np.generic]]:
        """Return what a member carries to its next epoch; see ``Engine.state``."""
        slots = self._steps.slots[place, : state_slots([self._spec.experiments[place].optimizer])]
        own = {"parameters": self._parameters[place], "slots": slots}
        return own | module_buffers(self._members[place].module) | self._scales.state(place)

    def restore(self, place: int, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Put a member where ``state`` found it; see ``Engine.restore``."""
        self._parameters[place] = state["parameters"]
        self._steps.slots[place, : len(state["slots"])] = state["slots"]
        restore_module_buffers(self._members[place].module, state)
        self._scales.restore(place, state)

    def _step(self, place: int, number: int, step: int) -> None:
        """Do one step of a member, on one batch or on several whose gradients are averaged."""
        size = self._spec.batch_size * self._spec.accumulate
        rows = self._orders[number][step * size : (step + 1) * size]
        done = self._epoch * self._spec.steps + step
        measured = step % GRADIENT_EVERY == 0
        parts = torch.split(rows, self._spec.batch_size)
        for nth, part in enumerate(parts):
            first_row = step * size + nth * self._spec.batch_size
            watched = measured and nth == 0 and self._spec.layers
            found = self._batch(place, number, part, first_row, watched=watched)
            if found is None:
                self._diverged[place] = done
                return
            if len(parts) > 1:
                self._mean.add(nth, *found)
            gradient, untrained = found
        if len(parts) > 1:
            untrained = self._mean.write(len(parts), gradient)
        if not self._scales.unscale(place, gradient):
            return
        done -= int(self._scales.skipped[place])
        bend = self._bend(place, self._inputs[number][rows], self._targets[number][rows])
        norm = self._steps.take(place, gradient, untrained, step, done, bend, measured=measured)
        self._totals[3:, place] += norm if measured else 0.0, measured
        if measured and self._spec.layers:
            self._variances[place] += self._seen

    def _bend(self, place: int, x: Tensor, targets: Tensor) -> Bend | None:
        """Return what makes a member's gradient into the direction of its step; None where it is that."""
        optimizer = self._spec.optimizers[place]
        if not isinstance(optimizer, Newton):
            return None

        def bend(gradient: NDArray[np.floating]) -> None:
            flat = torch.from_numpy(self._parameters[place])
            module, objective = self._members[place].module, self._objectives[place]
            curvature = hessian(module, self._spec.net, flat, objective, x, targets)
            gradient[:] = newton_direction(curvature, gradient, optimizer.damping)

        return bend

    def _batch(
        self, place: int, number: int, part: Tensor, first_row: int, *, watched: bool
    ) -> tuple[NDArray[np.floating], list[ParameterTensor]] | None:
        """Run a member on a batch, forwards and backwards; None where its loss is not finite."""
        member, objective = self._members[place], self._objectives[place]
        targets = self._targets[number][part][None]
        with member.watch.kept(watched) as kept:
            outputs = member.forward(self._inputs[number][part], self._epoch, first_row)[None]
        loss = (training_losses if objective.altered else losses)(objective, outputs, targets)[0]
        value = loss.item()
        if not np.isfinite(value):
            return None
        scale = self._scales.scale[place]
        gradient, untrained, at_layers = member.gradient(loss * scale if self._scales.acts else loss, kept)
        if watched:
            self._seen = member.watch.variances(kept, at_layers) / [1.0, scale**2]
        right = right_answers(objective, outputs.detach(), targets).item()
        self._totals[:3, place] += value * len(part), right, len(part)
        return gradient, untrained

    def _evaluate_member(
        self, place: int, number: int, rows: Tensor, kept: NDArray[np.float32]
    ) -> tuple[float, float]:
        member, objective = self._members[place], self._objectives[place]
        loss = right = 0.0
        for begin in range(0, len(rows), EVALUATION_ROWS):
            part = rows[begin : begin + EVALUATION_ROWS]
            outputs, targets = (
                member.forward(self._inputs[number][part], 0, begin),
                self._targets[number][part],
            )
            objective = self._objectives[place]
            loss += float(losses(objective, outputs[None], targets[None])[0]) * len(part)
            right += float(right_answers(objective, outputs[None], targets[None])[0])
            if len(kept):
                kept[begin : begin + len(part)] = outputs.numpy()
        return loss / len(rows), right / len(rows)


class _Steps:
    """The compiled way from gradients to parameters: penalties, clipping, the optimiser with its state."""

    def __init__(self, spec: StackSpec, parameters: NDArray[np.floating]) -> None:
        self.rates = np.zeros((0, 0, 1))
        self._parameters = parameters
        self._family = FAMILIES[spec.optimizers[0].kind]
        shape = (len(parameters), state_slots(spec.optimizers), spec.net.n_parameters)
        self.slots = np.zeros(shape, parameters.dtype)
        for slots, optimizer in zip(self.slots, spec.optimizers, strict=True):
            slots[:] = initial_state(optimizer)
        self._hyper = hyper_vectors(spec.optimizers)
        self._segments = segments(spec.net, self._hyper)
        self._tensors = tensor_table(spec.net)
        self._terms = penalty_terms(spec.net, spec.experiments, spec.widths)
        self._limits = clip_limits([experiment.clip for experiment in spec.experiments])
        self.probed = new_probes(spec, np.zeros(0, np.int64), parameters)

    def take(
        self,
        place: int,
        gradient: NDArray[np.floating],
        untrained: Sequence[ParameterTensor],
        step: int,
        done: int,
        bend: Bend | None = None,
        *,
        measured: bool,
    ) -> float:
        """Do the step ``step`` of the epoch, ``done`` steps having been done; return the gradient's norm."""
        parameters, hyper = self._parameters[place], self._hyper[place]
        if self.probed.previous.shape[1] > 0:
            probe_noise(self._tensors, self.probed, place, step, gradient)
        norm: float = finish_gradient(
            self._terms[place],
            self._limits[place],
            self._tensors,
            measured,
            parameters,
            gradient,
            self.probed.norms[place],
        )
        if bend is not None:
            bend(gradient)
        hyper[:, LR] = self.rates[place, :, min(step, self.rates.shape[2] - 1)]
        slots, before = self.slots[place], self.probed.before
        if measured and len(before):
            stretches = emptied(self._tensors, untrained) if untrained else self._tensors
            out = self.probed.updates[place]
            update_probed(self._family, done, hyper, stretches, parameters, gradient, slots, before, out)
        else:
            stretches = without(self._segments, untrained) if untrained else self._segments
            update(self._family, done, hyper, stretches, parameters, gradient, slots)
        return norm


def _targets(y: NDArray[np.generic], precision: np.dtype[np.floating]) -> Tensor:
    """Return class numbers (N,), or values (N, k) as precise as the parameters."""
    if np.issubdtype(y.dtype, np.integer):
        return torch.from_numpy(y.astype(np.int64, copy=False))
    return torch.from_numpy(y.astype(precision, copy=False).reshape(len(y), -1))
