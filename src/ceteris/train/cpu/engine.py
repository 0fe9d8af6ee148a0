"""The CPU engine: stacked members in NumPy arrays, trained by the compiled interpreter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ceteris.nets.layers import Linear
from ceteris.nets.stacked import StackedNetwork
from ceteris.train.cpu.assistants import assisted
from ceteris.train.cpu.evaluation import average, evaluate
from ceteris.train.cpu.interpreter import (
    Members,
    Network,
    Rows,
    Rules,
    Space,
    train_steps,
)
from ceteris.train.cpu.linear_training import LEAST_SHARED
from ceteris.train.cpu.losses import (
    ABSOLUTE_ERROR,
    BINARY,
    BINARY_PROBABILITIES,
    CROSS_ENTROPY,
    HALF_SQUARED_ERROR,
    HALF_SQUARED_ERROR_ONE_HOT,
    HINGE,
    HUBER,
    NLL,
    PERCEPTRON,
    SMOOTH_L1,
    SQUARED_ERROR,
    SQUARED_ERROR_ONE_HOT,
    WEIGHTED_CROSS_ENTROPY,
)
from ceteris.train.cpu.probes import N_ACTIVATION, begin_probes, new_probes, probe_activations
from ceteris.train.cpu.sharing import assist
from ceteris.train.cpu.steps import LOSS, N_TOTALS, NORM, NORMS, RIGHT, ROWS
from ceteris.train.cpu.table import ACTIVATE, KIND, N_OUT, Y, layer_table
from ceteris.train.cpu.updates import LARGE
from ceteris.train.engine import EVALUATION_ROWS, Feed, StackSpec, Totals
from ceteris.train.hyper import (
    FAMILIES,
    hyper_vectors,
    initial_state,
    segments,
    state_slots,
    tensor_table,
)
from ceteris.train.objective import betas, smoothings
from ceteris.train.penalties import clip_limits, penalty_terms
from ceteris.train.probes import GradientProbes, step_variances

_LOSSES = {
    "cross_entropy": CROSS_ENTROPY,
    "binary_cross_entropy": BINARY,
    "binary_cross_entropy_probabilities": BINARY_PROBABILITIES,
    "nll": NLL,
    "hinge": HINGE,
    "perceptron": PERCEPTRON,
    "mse": SQUARED_ERROR,
    "mse_half": HALF_SQUARED_ERROR,
    "l1": ABSOLUTE_ERROR,
    "smooth_l1": SMOOTH_L1,
    "huber": HUBER,
}


_ONE_HOT = {"mse": SQUARED_ERROR_ONE_HOT, "mse_half": HALF_SQUARED_ERROR_ONE_HOT}


EVALUATION_WORTH_SHARING = 20_000_000
"""From so many multiplications on (some tenths of a millisecond), several threads evaluate."""


class CompiledEngine:
    """Trains a stack on one thread of the processor, or large networks on several; updates it in place."""

    def __init__(self, spec: StackSpec, stack: StackedNetwork) -> None:
        self._spec = spec
        self._stack = stack
        dtype = stack.parameters.dtype
        used = np.asarray((spec.rates > 0).any(axis=0), dtype=np.bool_)
        most_rows = max(spec.batch_size, EVALUATION_ROWS)
        table = layer_table(spec.net, most_rows, used)
        self._rules = _rules(spec)
        self._net = Network(
            table.rows, table.numbers, tensor_table(spec.net), segments(spec.net, self._rules.hyper)
        )
        self._members = Members(
            stack.parameters,
            stack.buffers,
            _slots(spec, stack),
            spec.rates,
            spec.keys,
            np.array(spec.widths, np.int64),
        )
        self._space = Space(
            np.zeros(table.workspace, dtype),
            np.zeros(most_rows, np.int64),
            np.zeros(len(stack), np.int64),
            np.zeros(table.words, np.uint32),
            np.zeros(spec.net.n_parameters, dtype),
            np.zeros(spec.net.n_parameters if spec.accumulate > 1 else 0, dtype),
        )
        self._rows = [_rows(feed, dtype) for feed in spec.feeds]
        self._totals = np.zeros((len(stack), N_TOTALS))
        # The last layer gives the output, even where it is an activation.
        hidden = np.flatnonzero(table.rows[:-1, KIND] == ACTIVATE)
        self._hidden = hidden
        self._probed = new_probes(spec, hidden, stack.parameters)
        self._diverged = np.full(len(stack), -1)
        self._assistants = spec.threads - 1 if _shares_steps(spec) else 0
        self._spaces: list[Space] = []
        self._epoch = 0
        self._orders: Sequence[NDArray[np.int64]] = ()

    def begin_epoch(
        self, epoch: int, orders: Sequence[NDArray[np.int64]], rates: NDArray[np.float64]
    ) -> None:
        """Start an epoch (counted from 0); see ``Engine.begin_epoch``."""
        self._epoch = epoch
        self._orders = orders
        self._rules = self._rules._replace(rates=np.ascontiguousarray(rates))
        self._totals[:] = 0
        begin_probes(self._probed)

    def run_steps(self, first: int, last: int, active: NDArray[np.bool_]) -> None:
        """Do the steps ``first`` to ``last`` (exclusive) of the epoch for the active members."""
        spec = self._spec
        shared = (self._net, self._members, self._rules)
        for feed, rows, order in zip(spec.feeds, self._rows, self._orders, strict=True):
            with assisted([partial(assist, *shared, self._space)] * self._assistants) as team:
                train_steps(
                    *shared,
                    rows,
                    feed.members[active[feed.members]],
                    order,
                    spec.batch_size,
                    spec.accumulate,
                    self._epoch,
                    first,
                    last,
                    self._epoch * spec.steps,
                    self._space,
                    self._totals,
                    self._diverged,
                    self._probed,
                    team,
                )

    def progress(self) -> Totals:
        """Return what was gathered so far; see ``Engine.progress``."""
        return self.totals()

    def refresh(self, stretches: Sequence[tuple[int, int]]) -> None:
        """Nothing to do: the feeds' arrays are read where they are."""

    def totals(self) -> Totals:
        """Read what was gathered in this epoch."""
        gathered = self._totals
        with np.errstate(invalid="ignore"):
            norm = gathered[:, NORM] / gathered[:, NORMS]
        return Totals(
            gathered[:, LOSS].copy(),
            gathered[:, RIGHT].copy(),
            gathered[:, ROWS].copy(),
            norm,
            self._diverged.copy(),
        )

    def gradient_probes(self) -> GradientProbes:
        """Read what the gradients of this epoch were; see ``Engine.gradient_probes``."""
        count, probed = self._totals[:, NORMS, None], self._probed
        with np.errstate(invalid="ignore"):
            noise = step_variances(probed.spreads, probed.pairs) if self._spec.gradient_noise else None
            return GradientProbes(
                probed.norms / count, probed.updates / count, probed.variances / count[..., None], noise
            )

    def activations(
        self, rows: Sequence[NDArray[np.int64]], active: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Measure the activations of the active members; see ``Engine.activations``."""
        hidden = self._hidden
        found = np.full((len(self._stack), len(hidden), N_ACTIVATION), np.nan)
        if found.size == 0:
            return found
        for feed, data, own in zip(self._spec.feeds, self._rows, rows, strict=True):
            probe_activations(
                self._net,
                self._members,
                hidden,
                data,
                feed.members[active[feed.members]],
                own,
                self._space.work,
                found,
            )
        return found

    def activation_values(self, place: int, rows: NDArray[np.int64]) -> list[NDArray[np.floating]]:
        """Return the activations of one member's hidden layers; see ``Engine.activation_values``."""
        number = next(n for n, feed in enumerate(self._spec.feeds) if place in feed.members)
        hidden, work = self._hidden, self._space.work
        own, unused = np.array([place]), np.empty((len(self._stack), len(hidden), N_ACTIVATION))
        probe_activations(self._net, self._members, hidden, self._rows[number], own, rows, work, unused)
        lines = self._net.table[hidden]
        return [work[line[Y] : line[Y] + line[N_OUT] * len(rows)].copy() for line in lines]

    def evaluate(
        self, rows: Sequence[NDArray[np.int64]], active: NDArray[np.bool_], *, keep_outputs: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
        """Evaluate the active members; see ``Engine.evaluate``."""
        spec, stack = self._spec, self._stack
        members = len(stack)
        kept = max(len(own) for own in rows) if keep_outputs else 0
        outputs = np.zeros((members, kept, spec.net.n_out), stack.parameters.dtype)
        results = np.full((members, 2), np.nan)
        loss = _loss_number(spec)
        for feed, data, own in zip(spec.feeds, self._rows, rows, strict=True):
            places = feed.members[active[feed.members]]
            parts = np.zeros((members, -(-len(own) // EVALUATION_ROWS), 2))
            before = (self._net, self._members, loss, self._rules, data, places, own, EVALUATION_ROWS)
            spaces = self._evaluation_spaces(len(own) * len(places))
            others = [partial(evaluate, *before, space, outputs, parts) for space in spaces]
            with assisted(others) as team:
                evaluate(*before, self._space, outputs, parts, team)
            average(parts, places, len(own), results)
        return results, outputs if keep_outputs else None

    def _evaluation_spaces(self, passes: int) -> list[Space]:
        """Return the workspaces of assistants in an evaluation: none where so many rows are soon done."""
        if passes * self._spec.net.n_multiplications < EVALUATION_WORTH_SHARING:
            return []
        while len(self._spaces) < self._spec.threads - 1:
            self._spaces.append(Space(*(np.zeros_like(own) for own in self._space)))
        return self._spaces

    def parameters(self) -> NDArray[np.floating]:
        """Return the parameters, (M, P)."""
        return self._stack.parameters

    def buffers(self) -> NDArray[np.floating]:
        """Return the buffers, (M, Q)."""
        return self._stack.buffers

    def state(self, place: int) -> dict[str, NDArray[np.generic]]:
        """Return what a member carries to its next epoch; see ``Engine.state``."""
        return {
            "parameters": self._stack.parameters[place],
            "buffers": self._stack.buffers[place],
            "slots": self._members.slots[place, : state_slots([self._spec.experiments[place].optimizer])],
        }

    def restore(self, place: int, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Put a member where ``state`` found it; see ``Engine.restore``."""
        self._stack.parameters[place] = state["parameters"]
        self._stack.buffers[place] = state["buffers"]
        self._members.slots[place, : len(state["slots"])] = state["slots"]


def _shares_steps(spec: StackSpec) -> bool:
    """Tell whether a step has anything that threads could share."""
    layers = [layer for layer in spec.net.layers if isinstance(layer, Linear)]
    most = max(layer.n_in * layer.n_out for layer in layers) * spec.batch_size
    return most >= LEAST_SHARED or spec.net.n_parameters > LARGE


def _rules(spec: StackSpec) -> Rules:
    hyper = hyper_vectors(spec.optimizers)
    smoothing = smoothings(spec.experiments, spec.net.n_out)
    plain = _loss_number(spec)
    altered = (plain == CROSS_ENTROPY) & ((smoothing > 0) | (spec.class_weights != 1).any(axis=1))
    return Rules(
        family=FAMILIES[spec.optimizers[0].kind],
        losses=np.where(altered, WEIGHTED_CROSS_ENTROPY, plain),
        smoothing=smoothing,
        class_weights=spec.class_weights,
        beta=betas(spec.experiments),
        terms=penalty_terms(spec.net, spec.experiments, spec.widths),
        limits=clip_limits([experiment.clip for experiment in spec.experiments]),
        hyper=hyper,
        rates=hyper[:, :, :1],
    )


def _slots(spec: StackSpec, stack: StackedNetwork) -> NDArray[np.floating]:
    members, size = stack.parameters.shape
    slots = np.zeros((members, state_slots(spec.optimizers), size), stack.parameters.dtype)
    for own, optimizer in zip(slots, spec.optimizers, strict=True):
        own[:] = initial_state(optimizer)
    return slots


def _loss_number(spec: StackSpec) -> int:
    """Return the number of the loss as it is evaluated."""
    classes = np.issubdtype(spec.feeds[0].y.dtype, np.integer)
    return _ONE_HOT[spec.loss] if classes and spec.loss in _ONE_HOT else _LOSSES[spec.loss]


def _rows(feed: Feed, dtype: np.dtype[np.generic]) -> Rows:
    if np.issubdtype(feed.y.dtype, np.integer):
        return Rows(feed.x, feed.y.astype(np.int64, copy=False), np.zeros((0, 0), dtype))
    return Rows(feed.x, np.zeros(0, np.int64), feed.y.astype(dtype, copy=False).reshape(len(feed.y), -1))
