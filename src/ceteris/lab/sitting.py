"""One sitting of training: shards go out to workers, what they report goes to the record and the listener."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from contextlib import suppress

from ceteris.errors import CeterisError, Problem
from ceteris.lab.calibration import Calibration
from ceteris.lab.crew import Crew
from ceteris.lab.datasets import DataPlaces
from ceteris.lab.listener import Listener, Stop
from ceteris.lab.orders import (
    Gone,
    Hello,
    Job,
    JobDone,
    JobFailed,
    Printed,
    Recorded,
    Report,
    StopAfterEpoch,
    Trained,
)
from ceteris.lab.recorder import Recorder
from ceteris.lab.schedule import Schedule
from ceteris.lab.shards import Shard, tell_trials
from ceteris.train.cpu.compiled import NOTE
from ceteris.train.messages import (
    ArraysMeasured,
    EpochsMeasured,
    Message,
    Progress,
    Timed,
    TrialEnded,
)
from ceteris.train.plan import TrialPlan

WAIT_SECONDS = 0.2
MOST_FAILED_STARTS = 3
"""So many workers may die before they say hello."""
FOR_MEMORY = (
    "; less memory is needed with a smaller `batch_size`, fewer `--workers` and, on a card, "
    "`precision: bfloat16`"
)


class Sitting:
    """Trains shards with a crew until all is done, the user stops it, or something cannot go on."""

    def __init__(
        self,
        crew: Crew,
        recorder: Recorder,
        listener: Listener,
        stop: Stop,
        places: DataPlaces,
        checkpoint_seconds: float,
        threads: int,
        calibration: Calibration,
    ) -> None:
        self._crew = crew
        self._recorder = recorder
        self._listener = listener
        self._stop = stop
        self._places = places
        self._checkpoint_seconds = checkpoint_seconds
        self._threads = threads
        self._calibration = calibration
        self._schedule, self._workers = Schedule(()), 0
        self._trials: dict[str, TrialPlan] = {}
        self._failed_starts = 0
        self._gave_up_for_memory = False
        self._told_to_stop = False
        self._told_compiling = False

    def train(self, shards: Sequence[Shard], workers: int, ready: Sequence[int]) -> bool:
        """Train all shards with so many workers, of which ``ready`` have said hello; tell whether all ended.

        Raises CeterisError where the data, a metric or a worker makes it impossible to go on; what was
        recorded before stays.
        """
        self._schedule, self._workers = Schedule(shards), workers
        self._trials = {trial.identity: trial for shard in shards for trial in shard.trials}
        for _ in range(workers - self._crew.size):
            self._crew.hire()
        try:
            self._heed_stop()
            for worker in ready:
                self._employ(worker)
            while not self._schedule.finished and not self._stop.at_once:
                self._heed_stop()
                arrived = self._crew.next_report(WAIT_SECONDS)
                if arrived is not None:
                    self._take(*arrived)
                self._recorder.keep_up()
        except BaseException:
            with suppress(CeterisError):
                self._recorder.flush()
            raise
        self._recorder.flush()
        self._refuse_given_up()
        if self._schedule.all_ended:
            self._recorder.drop_checkpoints()
        return self._schedule.all_ended

    def _employ(self, worker: int) -> None:
        if len(self._schedule.busy) >= self._workers:  # more may have been hired ahead
            return
        shard = self._schedule.next_for(worker)
        if shard is not None:
            self._recorder.began(shard.trials)
            source = self._places.of(shard.source)
            begun = self._recorder.states(shard.trials) if shard.cohort.begin else {}
            keeping = self._recorder.keeping(shard.trials, self._checkpoint_seconds)
            order = (shard.number, shard.cohort, source, self._places.folder, begun, keeping)
            step_seconds = self._calibration.step_seconds(shard.cohort, self._threads)
            self._crew.send(worker, Job(*order, self._places.initial, self._threads, step_seconds))

    def _heed_stop(self) -> None:
        if self._stop.after_epoch and not self._told_to_stop:
            self._told_to_stop = True
            self._schedule.hand_out_no_more()
            for worker in self._schedule.busy:
                self._crew.send(worker, StopAfterEpoch())

    def _take(self, worker: int, report: Report) -> None:
        match report:
            case Trained(job, message):
                shard = self._schedule.shard_of(worker)
                if shard is not None and shard.number == job:
                    self._take_message(worker, shard, message)
            case Printed(text) if text != NOTE or not self._told_compiling:
                self._told_compiling |= text == NOTE
                self._listener.note(text)
            case Hello(problems=problems):
                if problems:
                    raise CeterisError(problems)
                self._employ(worker)
            case JobDone():
                left = self._schedule.done(worker)
                if left and not self._told_to_stop:
                    raise CeterisError(f"training ended without a result for {tell_trials(left)}")
                self._employ(worker)
            case JobFailed():
                self._take_failure(worker, report)
            case Gone():
                self._replace(worker, report)

    def _take_message(self, worker: int, shard: Shard, message: Message) -> None:
        match message:
            case Progress():
                self._listener.progress(shard, message)
            case EpochsMeasured():
                self._recorder.epochs(message)
                self._crew.send(worker, Recorded(self._recorder.reached(shard.trials)))
                for epoch in message.singly():
                    self._listener.epoch(epoch)
            case ArraysMeasured():
                self._recorder.arrays(message)
            case Timed():
                self._calibration.add(shard.cohort, message)
            case TrialEnded(identity=identity):
                self._recorder.ended(message)
                self._schedule.ended(identity)
                self._listener.ended(self._trials[identity], message)

    def _take_failure(self, worker: int, report: JobFailed) -> None:
        shard = self._schedule.shard_of(worker)
        trials = shard.trials if shard is not None else ()
        if report.out_of_memory:
            self._recorder.log_error(report.traceback)
            self._restart(worker, "training ran out of memory", of_memory=True)
            self._employ(worker)
            return
        log = (
            f"; the traceback is in {self._recorder.log_error(report.traceback)}" if report.traceback else ""
        )
        raise CeterisError(
            Problem(f"{problem.message} (in {tell_trials(trials)}){log}", problem.where)
            for problem in report.problems
        )

    def _replace(self, worker: int, report: Gone) -> None:
        """Do without a worker that has died: put its shard back and hire another."""
        how = tell_end(report.exit_code)
        if self._schedule.shard_of(worker) is None:
            self._failed_starts += 1
            if self._failed_starts > MOST_FAILED_STARTS:
                raise CeterisError(start_failed(report))
        self._recorder.log_error("\n".join([f"a training process {how}", *report.last_lines]))
        of_memory = report.exit_code == -signal.SIGKILL
        self._restart(worker, f"a training process {how}", of_memory=of_memory)
        if not self._schedule.finished:
            self._crew.hire()

    def _restart(self, worker: int, reason: str, *, of_memory: bool) -> None:
        shard = self._schedule.shard_of(worker)
        begun = self._recorder.begun(shard.trials) if shard is not None else {}
        loss = self._schedule.died(worker, begun, of_memory=of_memory)
        self._gave_up_for_memory |= of_memory and bool(loss.given_up)
        if loss.again:
            self._recorder.restart(loss.again, begun)
            goes_on = any(trial.identity in begun for trial in loss.again)
            how = "gone on with from the last checkpoint" if goes_on else "begun anew"
            parts = "" if len(loss.again) == 1 else " in smaller parts"
            self._listener.note(f"{reason}; {how}{parts}: {tell_trials(loss.again)}")
            if self._told_to_stop:
                self._schedule.hand_out_no_more()

    def _refuse_given_up(self) -> None:
        lost = self._schedule.given_up
        if not lost:
            return
        self._recorder.restart(lost, self._recorder.begun(lost))
        raise CeterisError(
            f"{tell_trials(lost)} could not be trained: it failed each time (details in "
            f"{self._recorder.folder / 'errors.log'}){FOR_MEMORY if self._gave_up_for_memory else ''}; "
            f"everything else is recorded, and `ceteris resume {self._recorder.run}` tries again"
        )


def tell_end(exit_code: int) -> str:
    """Say how a process ended: ``was killed by SIGKILL, usually for lack of memory``."""
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = f"signal {-exit_code}"
    return f"was killed by {name}" + (", usually for lack of memory" if name == "SIGKILL" else "")


def start_failed(report: Gone) -> str:
    """Say that a worker did not come up, with what it said last."""
    last = next((line for line in reversed(report.last_lines) if line.strip()), "it said nothing")
    return f"a training process could not start: it {tell_end(report.exit_code)} ({last})"
