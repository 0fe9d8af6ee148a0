"""The CPU engine: stacked members in NumPy arrays, trained by the compiled interpreter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ceteris.nets.stacked import StackedNetwork
from ceteris.train.cpu.interpreter import LOSS, N_TOTALS, NORM, NORMS, RIGHT, ROWS, evaluate, train_steps
from ceteris.train.cpu.losses import CROSS_ENTROPY, SQUARED_ERROR, SQUARED_ERROR_ONE_HOT
from ceteris.train.cpu.table import layer_table
from ceteris.train.engine import EVALUATION_ROWS, Feed, StackSpec, Totals
from ceteris.train.hyper import hyper_vectors, state_slots


class CompiledEngine:
    """Trains a stack on this thread of the processor. The stack's arrays are updated in place."""

    def __init__(self, spec: StackSpec, stack: StackedNetwork) -> None:
        self._spec = spec
        self._stack = stack
        dtype = stack.parameters.dtype
        members, size = stack.parameters.shape
        self._table = layer_table(
            spec.net, max(spec.batch_size, EVALUATION_ROWS), dropout=bool((spec.rates > 0).any())
        )
        self._adam = int(spec.optimizers[0].kind != "sgd")
        self._slots = np.zeros((members, state_slots(spec.optimizers), size), dtype)
        self._hyper = hyper_vectors(spec.optimizers)
        self._work = np.zeros(self._table.workspace, dtype)
        self._words = np.zeros(self._table.words, np.uint32)
        self._grad = np.zeros(size, dtype)
        self._targets = [_targets(spec.loss, feed, dtype) for feed in spec.feeds]
        self._totals = np.zeros((members, N_TOTALS))
        self._diverged = np.full(members, -1)
        self._epoch = 0
        self._orders: Sequence[NDArray[np.int64]] = ()

    def begin_epoch(self, epoch: int, orders: Sequence[NDArray[np.int64]]) -> None:
        """Start an epoch (counted from 0) with one order of row numbers per feed."""
        self._epoch = epoch
        self._orders = orders
        self._totals[:] = 0

    def run_steps(self, first: int, last: int, active: NDArray[np.bool_]) -> None:
        """Do the steps ``first`` to ``last`` (exclusive) of the epoch for the active members."""
        spec = self._spec
        for feed, (loss, labels, values), order in zip(spec.feeds, self._targets, self._orders, strict=True):
            train_steps(
                self._table.rows,
                self._table.numbers,
                loss,
                self._adam,
                feed.members[active[feed.members]],
                self._stack.parameters,
                self._stack.buffers,
                self._slots,
                self._hyper,
                spec.rates,
                spec.keys,
                feed.x,
                labels,
                values,
                order,
                spec.batch_size,
                self._epoch,
                first,
                last,
                self._epoch * spec.steps,
                self._work,
                self._words,
                self._grad,
                self._totals,
                self._diverged,
            )

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

    def evaluate(
        self, rows: Sequence[NDArray[np.int64]], active: NDArray[np.bool_], *, keep_outputs: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
        """Evaluate the active members; see ``Engine.evaluate``."""
        spec, stack = self._spec, self._stack
        members = len(stack)
        kept = max(len(own) for own in rows) if keep_outputs else 0
        outputs = np.zeros((members, kept, spec.net.n_out), stack.parameters.dtype)
        results = np.full((members, 2), np.nan)
        for feed, (loss, labels, values), own in zip(spec.feeds, self._targets, rows, strict=True):
            evaluate(
                self._table.rows,
                self._table.numbers,
                loss,
                feed.members[active[feed.members]],
                stack.parameters,
                stack.buffers,
                feed.x,
                labels,
                values,
                own,
                EVALUATION_ROWS,
                self._work,
                outputs,
                results,
            )
        return results, outputs if keep_outputs else None

    def parameters(self) -> NDArray[np.floating]:
        """Return the parameters, (M, P)."""
        return self._stack.parameters

    def buffers(self) -> NDArray[np.floating]:
        """Return the buffers, (M, Q)."""
        return self._stack.buffers


def _targets(
    loss: str, feed: Feed, dtype: np.dtype[np.generic]
) -> tuple[int, NDArray[np.int64], NDArray[np.generic]]:
    """Return the loss's number, the labels (or none), and the values (or none)."""
    no_values = np.zeros((0, 0), dtype)
    if np.issubdtype(feed.y.dtype, np.integer):
        number = CROSS_ENTROPY if loss == "cross_entropy" else SQUARED_ERROR_ONE_HOT
        return number, feed.y.astype(np.int64, copy=False), no_values
    return SQUARED_ERROR, np.zeros(0, np.int64), feed.y.astype(dtype).reshape(len(feed.y), -1)
