"""Trains one cohort, epoch by epoch, from fresh weights or from checkpoints to its end or a stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from ceteris.data.preparation import Preparation
from ceteris.nets.given import Values
from ceteris.spec.experiment import metric_name
from ceteris.train.checkpoints import Pace
from ceteris.train.engine import EngineFactory
from ceteris.train.measure import PROVIDED, Metric
from ceteris.train.messages import CHECKPOINT_SECONDS, Checkpoint, State
from ceteris.train.plan import Cohort
from ceteris.train.training import Emit, Training

Keep = Callable[[Iterable[Checkpoint]], None]
"""Keeps the checkpoints of all members of a cohort; it reads them before it returns."""


def train_cohort(
    cohort: Cohort,
    preparation: Preparation,
    *,
    device: str = "cpu",
    metrics: Mapping[str, Metric] | None = None,
    modules: Mapping[str, Callable[..., Any]] | None = None,
    engine: EngineFactory | None = None,
    emit: Emit,
    keep: Keep | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    begun: Mapping[str, State] | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    values: Mapping[str, Values] = MappingProxyType({}),
    threads: int = 1,
    step_seconds: float = 0.0,
) -> None:
    """Train the trials of a cohort (or a shard of one) together to their end.

    They begin with fresh weights, or go on from ``begun`` where the cohort has epochs behind it.

    Emits ``Progress`` a few times a second, ``EpochMeasured`` after every epoch, before it ``ArraysMeasured``
    where more is asked for, and ``TrialEnded`` for every trial that finished or diverged. Returns
    early, after the epoch under way, once ``should_stop()`` is true; trials that had not ended then emit
    nothing more. What training took is emitted last, as ``Timed``, where it was not over in a moment.

    What is needed to go on from an epoch is kept before anything is emitted of it: whoever has an epoch's
    measurements has its checkpoint too. That is so for every epoch that takes ``checkpoint_seconds``, unless
    keeping takes more than a fiftieth of the time, and for the last one before a stop.

    Args:
        cohort: trials of one structure.
        preparation: the data they read.
        device: ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        metrics: the user's own metrics by name, for the names in the cohort's structure.
        modules: what makes the user's own networks and starts them, by the name that experiments have for it.
        engine: makes the engine; left out, it is the built-in one that suits the network and the device.
        keep: keeps checkpoints; without it there are none.
        begun: the checkpoint of every trial, by identity, where ``cohort.begin`` is not 0.
        checkpoint_seconds: the least time between two checkpoints; 0 for one after every epoch.
        values: initial values by name, by the content hash that experiments have for them.
        threads: how many threads may share the work of large built-in networks on the processor; they change
            no bit.
        step_seconds: what a step of the stack is thought to take, so that the first calls of the engine are
            neither short nor long; 0 where nothing is known.
    """
    known = {**PROVIDED, **(metrics or {})}
    wanted = {metric_name(name): known[name] for name in cohort.structure.metrics}
    training = Training(cohort, preparation, device, wanted, (modules or {}, values), engine, emit, threads)
    training.expect(step_seconds)
    if cohort.begin:
        training.restore(begun or {})
    else:
        training.report_arrays(0)
    pace = Pace(checkpoint_seconds, training.checkpoint_bytes() if keep is not None else 0)
    for epoch in range(cohort.begin, cohort.structure.epochs):
        if training.finished:
            break
        done = training.run_epoch(epoch)
        stops = should_stop()
        if keep is not None and (stops or pace.is_due()):
            with pace.measured():
                keep(training.checkpoints())
        training.report(done)
        if stops:
            break
    training.report_times()
