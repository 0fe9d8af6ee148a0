"""What every engine does: holds a stack of members and trains and evaluates them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ceteris.nets.architecture import Architecture
from ceteris.nets.stacked import StackedNetwork
from ceteris.spec.experiment import Experiment
from ceteris.spec.optimizer import Optimizer
from ceteris.train.probes import GradientProbes

GRADIENT_EVERY = 10
"""The gradient norm is measured at the first step of an epoch and every tenth after it."""

EVALUATION_ROWS = 256
"""Rows evaluated at once; fixed, because the kernel that a product takes depends on it."""


@dataclass(frozen=True)
class Feed:
    """The prepared data of one stream and the members that read it.

    ``x`` (N, features); ``y`` (N,) class numbers or (N, k) values; ``members`` (m,) places in the stack.
    """

    x: NDArray[np.float32]
    y: NDArray[np.generic]
    members: NDArray[np.int64]


@dataclass(frozen=True)
class StackSpec:
    """Everything about a stack that stays as it is while it trains; vectors have one entry a member.

    ``class_weights`` (M, classes), ones where classes are not weighted.
    """

    net: Architecture
    loss: str
    batch_size: int
    steps: int
    experiments: tuple[Experiment, ...]
    rates: NDArray[np.float64]
    keys: NDArray[np.uint32]
    class_weights: NDArray[np.float64]
    feeds: tuple[Feed, ...]
    precision: str = "float32"
    threads: int = 1
    """How many threads may share the work on it; they change no bit."""
    columns: tuple[int, ...] = ()
    """How many columns the rows of each member have, zeros standing behind them; empty where all have all."""

    @property
    def runs_as_module(self) -> bool:
        """Whether it is trained as modules; see ``Structure.runs_as_module``."""
        newton = self.optimizers[0].kind == "newton"
        return self.net.runs_as_module or self.precision != "float32" or newton

    @property
    def widths(self) -> tuple[int, ...]:
        """How many columns the rows of each member have (M,); see ``ceteris.nets.reading``."""
        return self.columns or (self.net.n_in,) * len(self.experiments)

    @property
    def optimizers(self) -> tuple[Optimizer, ...]:
        """The members' optimisers."""
        return tuple(experiment.optimizer for experiment in self.experiments)

    @property
    def layers(self) -> bool:
        """Whether single parameters and layers are probed, the same for all members."""
        return self.experiments[0].probes.layers

    @property
    def gradient_noise(self) -> bool:
        """Whether the variance of the gradient between steps is measured, the same for all members."""
        return self.experiments[0].probes.gradient_noise

    @property
    def accumulate(self) -> int:
        """Batches of one step, the same for all members."""
        return self.experiments[0].accumulate


@dataclass(frozen=True)
class Totals:
    """What members gathered since an epoch began; every array has shape (M,).

    Sums over rows seen: ``loss``, ``right``; ``rows``; the mean ``grad_norm`` over the steps at which
    it was measured; ``diverged`` is -1 or the step, counted over the whole training.
    """

    loss: NDArray[np.float64]
    right: NDArray[np.float64]
    rows: NDArray[np.float64]
    grad_norm: NDArray[np.float64]
    diverged: NDArray[np.int64]
    loss_scale: NDArray[np.float64] | None = None
    """At the end of the epoch, where losses are scaled."""
    skipped: NDArray[np.int64] | None = None
    """Steps left out since training began, where losses are scaled."""


class Engine(Protocol):
    """A stack of members under training. ``active`` members train and are evaluated; others rest."""

    def begin_epoch(
        self, epoch: int, orders: Sequence[NDArray[np.int64]], rates: NDArray[np.float64]
    ) -> None:
        """Start an epoch (counted from 0) with one order of row numbers per feed.

        ``rates`` (M, groups, 1 or steps) are the learning rates of the epoch, or of each of its steps.
        """

    def run_steps(self, first: int, last: int, active: NDArray[np.bool_]) -> None:
        """Do the steps ``first`` to ``last`` (exclusive) of the epoch."""

    def totals(self) -> Totals:
        """Read what was gathered in this epoch; waits for the device."""

    def progress(self) -> Totals | None:
        """Return what was gathered in this epoch up to now or a little while ago, without waiting.

        For people who look on; None where nothing has arrived from the device yet. ``grad_norm`` and
        ``diverged`` mean nothing there.
        """

    def refresh(self, stretches: Sequence[tuple[int, int]]) -> None:
        """Read the rows in these stretches (begin, end) of the feeds' arrays anew: they have changed."""

    def evaluate(
        self, rows: Sequence[NDArray[np.int64]], active: NDArray[np.bool_], *, keep_outputs: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
        """Evaluate on one array of row numbers per feed, in evaluation mode.

        Returns:
            (M, 2) mean loss and share of right answers, and the outputs (M, n, k) if kept, where n is
            the longest array of rows.
        """

    def gradient_probes(self) -> GradientProbes:
        """Read what gradients and updates were in this epoch; waits for the device."""

    def activations(
        self, rows: Sequence[NDArray[np.int64]], active: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Measure the activations of hidden layers on one array of row numbers per feed, in evaluation mode.

        Returns:
            (M, L, N_ACTIVATION): see ``ceteris.train.probes``.
        """

    def activation_values(self, place: int, rows: NDArray[np.int64]) -> list[NDArray[np.floating]]:
        """Return the activations of one member's hidden layers on some rows of its feed.

        At most ``EVALUATION_ROWS`` rows, in evaluation mode, in the order of ``hidden_layers``; of any
        shape, and empty where a layer was not run.
        """

    def parameters(self) -> NDArray[np.floating]:
        """Return the parameters, (M, P)."""

    def buffers(self) -> NDArray[np.floating]:
        """Return the buffers, (M, Q)."""

    def state(self, place: int) -> dict[str, NDArray[np.generic]]:
        """Return what a member carries from one epoch to the next, by name.

        These are its parameters, its buffers and the vectors of its own optimiser. Orders of rows, masks and
        the count of steps are functions of the epoch. The arrays may be views of what the engine trains on.
        """

    def restore(self, place: int, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Put a member where ``state`` found it, perhaps at another place of another stack."""


EngineFactory = Callable[[StackSpec, StackedNetwork, str], Engine]
"""Makes an engine for a stack on a device, such as ``cpu``."""
