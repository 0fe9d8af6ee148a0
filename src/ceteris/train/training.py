"""A cohort under training: epochs, what is measured after them, members that leave the stack, messages."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ceteris.data.one_input import one_input
from ceteris.data.preparation import Preparation
from ceteris.nets.architecture import Architecture, named_views
from ceteris.nets.given import Values
from ceteris.nets.reading import own_part
from ceteris.spec.penalty import penalties_of
from ceteris.train.augmented import Augmented
from ceteris.train.built_in import built_in_engine, stack_spec
from ceteris.train.checkpoints import end_state, ends_of, start_columns, start_state
from ceteris.train.engine import EngineFactory
from ceteris.train.feeds import feeds_of, measured_rows, order_of, prepared_for, widths_of
from ceteris.train.grids import Grids
from ceteris.train.initial import Code, starting_stack
from ceteris.train.measure import (
    PENALTY,
    Columns,
    Metric,
    evaluated_measurements,
    parameter_measurements,
    penalty_measurements,
    rate_measurements,
    running_measurements,
    truth_measurements,
    unit_measurements,
    user_measurements,
)
from ceteris.train.messages import (
    ArraysMeasured,
    Checkpoint,
    EpochMeasured,
    Message,
    Progress,
    State,
    Tensors,
    Timed,
    TrialEnded,
)
from ceteris.train.objective import class_weights
from ceteris.train.plan import Cohort
from ceteris.train.probes import (
    activation_measurements,
    gradient_measurements,
    noise_measurements,
    probe_rows,
    start_measurements,
)
from ceteris.train.requested import Requested, grid_points
from ceteris.train.schedules import Schedules
from ceteris.train.sharpness import SHARPNESS, sharpness_asked, sharpness_measurements
from ceteris.train.stopping import EarlyStops, Weights
from ceteris.train.timing import Spent, moment

REPORT_SECONDS = 0.25
"""About how long training runs between two reports of its progress."""
TOLD_SECONDS = 1.0
"""What training took is told from so many seconds on."""

SPLITS = ("train", "val")

Emit = Callable[[Message], None]


@dataclass(frozen=True)
class _Done:
    """An epoch that was trained and measured, and is to be told of; vectors have one entry a member."""

    epoch: int
    columns: Columns
    sound: NDArray[np.bool_]
    ended: NDArray[np.bool_]
    parameters: NDArray[np.floating]
    buffers: NDArray[np.floating]


class Training:
    """The state of a cohort under training."""

    def __init__(
        self,
        cohort: Cohort,
        preparation: Preparation,
        device: str,
        metrics: Mapping[str, Metric],
        given: tuple[Code, Mapping[str, Values]],
        engine: EngineFactory | None,
        emit: Emit,
        threads: int,
    ) -> None:
        self._cohort = cohort
        self._device = device
        self._emit = emit
        self._metrics = metrics
        self._classes = preparation.dataset.task == "classification"
        self._truth = preparation.dataset.truth
        trials = cohort.trials
        self._experiments = [trial.experiment for trial in trials]
        self._prepared = prepared_for(cohort, preparation)
        self._widths = widths_of(cohort.structure.net, self._prepared)
        self._stack = starting_stack(cohort, *given, [prepared.absent for prepared in self._prepared])
        self._initial = (self._stack.parameters.copy(), self._stack.buffers.copy())
        self._first, feeds = feeds_of(cohort, self._prepared)
        grids = Grids(
            feeds,
            [self._prepared[i] for i in self._first],
            [grid_points([self._experiments[i] for i in feed.members]) for feed in feeds],
            one_input(preparation.dataset),
        )
        self._requested = Requested(cohort, self._prepared, self._widths, self._first, grids)
        self._augmented = Augmented(
            grids.feeds,
            [trials[i] for i in self._first],
            [self._prepared[i] for i in self._first],
            preparation.dataset.shape,
            cohort.structure.batch_size * cohort.structure.accumulate,
        )
        weights = [
            class_weights(e, p.y[p.split.train], cohort.structure.net.n_out)
            for e, p in zip(self._experiments, self._prepared, strict=True)
        ]
        feeds, of_classes = self._augmented.feeds, np.stack(weights)
        spec = stack_spec(cohort, self._stack, feeds, of_classes, threads, self._widths)
        self._engine = (engine or built_in_engine)(spec, self._stack, device)
        self._schedules = Schedules(self._experiments, cohort.steps)
        self._rates = self._schedules.rates(0)
        self._stops = EarlyStops(self._experiments)
        self._active = np.ones(len(trials), dtype=np.bool_)
        self._epochs = np.full(len(trials), cohort.begin)
        self._ends: dict[int, int] = {}
        """Who has ended: place -> the step at which the member diverged, or -1."""
        self._seconds = np.zeros(len(trials))
        self._penalised = np.array([bool(penalties_of(e.penalty)) for e in self._experiments])
        self._sharpness_asked = sharpness_asked(trials)
        self._measured = {split: [measured_rows(own, split) for own in self._prepared] for split in SPLITS}
        self._has_rows = {
            split: np.array([len(own) > 0 for own in rows]) for split, rows in self._measured.items()
        }
        self._probes_layers, _, rows, self._probes_units = cohort.structure.probes
        probed = self._measured["val" if rows == "validation" else "train"]
        self._probed = [probe_rows(probed[place]) for place in self._first]
        self._chunk = 1
        self._call_seconds = REPORT_SECONDS
        self.spent = Spent(threads if cohort.structure.shares_work else 1)
        self._warm = False
        self._reported = -math.inf
        self._model_steps = 0
        self._start: Columns = {}

    @property
    def finished(self) -> bool:
        """Whether no member trains any more."""
        return not self._active.any()

    def expect(self, step_seconds: float) -> None:
        """Take in what a step of the stack is thought to take; 0 where nothing is known."""
        if step_seconds > 0:
            self._chunk = max(1, int(REPORT_SECONDS / step_seconds))

    def run_epoch(self, epoch: int) -> _Done:
        """Train one epoch, measure, and find who diverged or is done."""
        begin, begun = time.perf_counter(), moment()
        self._train(epoch)
        totals = self._engine.totals()
        columns = self._measure()
        parameters = self._engine.parameters()
        last_step = (epoch + 1) * self._cohort.steps - 1
        diverged = _diverged_steps(totals.diverged, columns["weight_norm"], last_step)
        self._seconds[self._active] += (time.perf_counter() - begin) / self._active.sum()
        self.spent.end_epoch(begun, int(self._active.sum()))
        if not self._warm:  # kernels were compiled or loaded meanwhile, which no later epoch does
            self._warm, self.spent = True, Spent(self.spent.threads)
        columns = running_measurements(totals, classes=self._classes) | columns
        self._schedules.watch(epoch, columns)
        buffers = self._engine.buffers()
        sound = self._active & (diverged < 0)
        stopped = self._stops.see(columns, parameters, buffers, sound)
        ended = self._active & ((diverged >= 0) | stopped | (epoch + 1 == self._cohort.structure.epochs))
        self._epochs[self._active] = epoch + 1
        self._ends |= {place: int(diverged[place]) for place in map(int, np.flatnonzero(ended))}
        return _Done(epoch, columns, sound, ended, parameters, buffers)

    def report(self, done: _Done) -> None:
        """Report an epoch, and let members leave for whom it was the last one.

        Rows come last, but for ends: whoever has those of an epoch has all that was measured in it.
        """
        columns = done.columns | self._sharpness(done.epoch + 1, done.ended, done.sound)
        self.report_arrays(done.epoch + 1, done.ended)
        self._report_epoch(done.epoch, columns)
        for place in map(int, np.flatnonzero(done.ended)):
            self._report_end(place, (done.parameters[place], done.buffers[place]))
        self._active &= ~done.ended

    def restore(self, begun: Mapping[str, State]) -> None:
        """Put every member where its checkpoint found it, and report the end of those that had ended."""
        states = [begun[trial.identity] for trial in self._cohort.trials]
        for place, state in enumerate(states):
            for part in (self._engine, self._schedules, self._stops):
                part.restore(place, state)
            self._seconds[place] = state["seconds"][0]
        self._start = start_columns(states)
        self._ends = ends_of(states)
        if self._ends:
            parameters, buffers = self._engine.parameters(), self._engine.buffers()
            for place in self._ends:
                self._active[place] = False
                self._report_end(place, (parameters[place], buffers[place]))

    def checkpoints(self) -> Iterator[Checkpoint]:
        """Yield what every member needs to go on, or to tell its end again."""
        for place, trial in enumerate(self._cohort.trials):
            yield Checkpoint(trial.identity, int(self._epochs[place]), self._state(place))

    def checkpoint_bytes(self) -> int:
        """Return about how large the checkpoints of all members are."""
        return len(self._active) * sum(array.nbytes for array in self._state(0).values())

    def _state(self, place: int) -> State:
        state = {"seconds": self._seconds[[place]], **start_state(self._start, place)}
        for part in (self._engine, self._schedules, self._stops):
            state |= part.state(place)
        return state | (end_state(self._ends[place]) if place in self._ends else {})

    def report_times(self) -> None:
        """Report what training took on the processor after its first epoch, where that was not a moment."""
        if self._device == "cpu" and self.spent.seconds >= TOLD_SECONDS:
            self._emit(self.timed())

    def timed(self) -> Timed:
        """Return what training took so far."""
        return self.spent.timed(len(self._cohort.trials))

    def report_arrays(self, epoch: int, last: NDArray[np.bool_] | None = None) -> None:
        """Report what is asked for of an epoch (0: before training), the ``last`` one of some (M,)."""
        if last is None:
            last = np.zeros_like(self._active)
        found = self._requested.measure(self._engine, epoch, self._active, last)
        if found:
            rows = {self._cohort.trials[place].identity: arrays for place, arrays in found.items()}
            self._emit(ArraysMeasured(epoch, rows))

    def _train(self, epoch: int, enough: float = math.inf) -> None:
        """Train an epoch, or its beginning where ``time.thread_time`` says ``enough`` before its end."""
        orders = [order_of(self._cohort.trials[place], self._prepared[place], epoch) for place in self._first]
        self._rates = self._schedules.rates(epoch)
        self._engine.begin_epoch(epoch, self._augmented.begin_epoch(epoch, orders), self._rates)
        step, most = 0, self._augmented.most_steps
        while step < self._cohort.steps:
            begin, begun = time.perf_counter(), moment()
            # The first step of all is done alone, for what its batch met is read then.
            chunk = 1 if epoch == step == 0 else self._chunk
            last = min(step + chunk, self._cohort.steps, step + (most or chunk))
            if most is not None:
                self._engine.refresh(self._augmented.prepare(step, last))
            self._engine.run_steps(step, last, self._active)
            steps = (last - step) * int(self._active.sum())
            self._model_steps += steps
            self.spent.end_steps(begun, steps)
            if epoch == step == 0 and self._probes_layers:
                self._start = start_measurements(self._cohort.structure.net, self._engine.gradient_probes())
            now = time.perf_counter()
            in_time = int((last - step) * self._call_seconds / max(now - begin, 1e-9))
            self._chunk, step = max(1, min(4 * self._chunk, in_time)), last
            if now - self._reported > REPORT_SECONDS / 2 or self._is_last(epoch, step):
                # The first step of all was waited for, so what it came to is there.
                waits = step == self._cohort.steps or self._reported == -math.inf
                self._reported = now
                self._report_progress(epoch, step, waits=waits)
            if time.thread_time() >= enough:
                return

    def _is_last(self, epoch: int, step: int) -> bool:
        return epoch + 1 == self._cohort.structure.epochs and step == self._cohort.steps

    def _measure(self) -> Columns:
        columns: Columns = {}
        for split, rows in self._measured.items():
            measured = self._active & self._has_rows[split]
            if not self._has_rows[split].any():  # `data.validation: 0`
                continue
            of_streams = [rows[place] for place in self._first]
            begun = moment()
            results, outputs = self._engine.evaluate(of_streams, measured, keep_outputs=bool(self._metrics))
            self.spent.end_rows(begun, sum(len(rows[place]) for place in np.flatnonzero(measured)))
            columns |= evaluated_measurements(split, results, classes=self._classes)
            if outputs is not None:
                columns |= user_measurements(split, self._metrics, outputs, self._prepared, rows, measured)
        net, parameters = self._cohort.structure.net, self._engine.parameters()
        columns |= rate_measurements(self._rates) | parameter_measurements(
            net, parameters, self._widths, layers=self._probes_layers
        )
        if self._probes_units:
            columns |= unit_measurements(net, parameters, self._widths)
        columns |= truth_measurements(net, self._experiments, parameters, self._truth)
        if self._penalised.any():
            columns |= penalty_measurements(net, self._experiments, parameters, self._active, self._widths)
        return columns | self._probe(net)

    def _probe(self, net: Architecture) -> Columns:
        probes = self._engine.gradient_probes()
        columns = noise_measurements(net, probes)
        if not self._probes_layers:
            return columns
        columns |= gradient_measurements(net, probes)
        columns |= activation_measurements(net, self._engine.activations(self._probed, self._active))
        return columns | self._start

    def _sharpness(self, epoch: int, last: NDArray[np.bool_], active: NDArray[np.bool_]) -> Columns:
        net, trials = self._cohort.structure.net, self._cohort.trials
        rows = [self._measured["train"][place] for place in self._first]
        return sharpness_measurements(self._engine, net, trials, self._widths, rows, epoch, last, active)

    def _report_progress(self, epoch: int, step: int, *, waits: bool) -> None:
        totals = self._engine.totals() if waits else self._engine.progress()
        if totals is None:
            return
        rows = totals.rows[self._active].sum()
        self._emit(
            Progress(
                cohort=self._cohort.index,
                epoch=epoch,
                epochs=self._cohort.structure.epochs,
                step=step,
                steps=self._cohort.steps,
                members=int(self._active.sum()),
                loss=float(totals.loss[self._active].sum() / max(rows, 1)),
                accuracy=float(totals.right[self._active].sum() / max(rows, 1)) if self._classes else None,
                model_steps=self._model_steps,
            )
        )

    def _report_epoch(self, epoch: int, columns: Columns) -> None:
        """Report each member's own measurements: which they are does not depend on its neighbours."""
        for has_penalty, has_sharpness in product((True, False), repeat=2):
            absent = {name for name, has in ((PENALTY, has_penalty), (SHARPNESS, has_sharpness)) if not has}
            chosen = (self._penalised == has_penalty) & (self._sharpness_asked == has_sharpness)
            places = np.flatnonzero(self._active & chosen)
            if len(places):
                own = {name: column for name, column in columns.items() if name not in absent}
                numbers = np.stack(list(own.values()), axis=1)[places]
                identities = tuple(self._cohort.trials[place].identity for place in places)
                self._emit(EpochMeasured(self._cohort.index, epoch, tuple(own), identities, numbers))

    def _report_end(self, place: int, now: Weights) -> None:
        """Report the end of a member whose parameters and buffers are now these."""
        net, diverged = self._cohort.structure.net, self._ends[place]
        final = self._stops.best(place, now) if diverged < 0 else now

        def tensors(vector: NDArray[np.floating], buffer: NDArray[np.floating]) -> Tensors:
            width = self._widths[place]
            views = {tensor.name: own_part(net, tensor, vector, width) for tensor in net.parameters}
            return {name: view.copy() for name, view in (*views.items(), *named_views(net.buffers, buffer))}

        self._emit(
            TrialEnded(
                identity=self._cohort.trials[place].identity,
                status="finished" if diverged < 0 else "diverged",
                diverged_step=None if diverged < 0 else diverged,
                seconds=float(self._seconds[place]),
                initial=tensors(self._initial[0][place], self._initial[1][place]),
                final=tensors(*final),
            )
        )


def _diverged_steps(
    diverged: NDArray[np.int64], weight_norm: NDArray[np.float64], last_step: int
) -> NDArray[np.int64]:
    """Add members whose parameters left the finite numbers at the very last step of the epoch."""
    return np.where((diverged < 0) & ~np.isfinite(weight_norm), last_step, diverged)
