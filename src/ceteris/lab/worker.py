"""A worker: a process that trains one shard after another and reports over its own pipes.

It is started as ``python -m ceteris.lab.worker`` with the environment of ``train.numerics``, not by
multiprocessing, so a script needs no ``__main__`` guard and a notebook works. It ignores Ctrl-C
(the lab decides) and ends when the lab is gone.
"""

from __future__ import annotations

import math
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ceteris.errors import CeterisError, Problem, exception_in_line
from ceteris.lab.wire import receive, send, take_over_streams

if TYPE_CHECKING:
    from ceteris.data.download import Download
    from ceteris.data.preparation import Preparation
    from ceteris.data.progress import Reading
    from ceteris.lab.batches import Batches
    from ceteris.lab.orders import (
        Calibrate,
        Calibrated,
        Hello,
        Inspect,
        Inspected,
        Job,
        JobFailed,
        Report,
        Setup,
    )
    from ceteris.lab.own_metrics import Metric
    from ceteris.lab.own_modules import Factory
    from ceteris.nets.architecture import Architecture
    from ceteris.nets.given import Values
    from ceteris.train.loop import Keep
    from ceteris.train.messages import Checkpoint, Timed

PATIENCE_SECONDS = 1.0
"""How long training waits for the record to have the epochs of its last checkpoint."""


def main() -> None:
    """Serve orders until the lab is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    orders, reports = take_over_streams()
    from ceteris.train import numerics

    numerics.prepare_worker()
    worker = Worker(reports)
    threading.Thread(target=listen, args=(orders, worker), daemon=True).start()
    worker.serve()


def listen(orders: BinaryIO, worker: Worker) -> None:
    """Take in orders while training goes on; end the process when the lab is gone."""
    from ceteris.lab.orders import Recorded, StopAfterEpoch

    while True:
        try:
            order = receive(orders)
        except (EOFError, OSError):
            os._exit(0)
        except Exception as error:
            order = error
        if isinstance(order, StopAfterEpoch):
            worker.stop.set()
        elif isinstance(order, Recorded):
            worker.note_recorded(order.epochs)
        else:
            worker.inbox.put(order)


class Worker:
    """Does its orders one by one; keeps loaded data and metrics between them."""

    def __init__(self, reports: BinaryIO) -> None:
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.stop = threading.Event()
        self._recorded = 0
        """So many epochs of the job under way are on record."""
        self._told = threading.Condition()
        self._reports = reports
        self._device = "cpu"
        self._metrics: dict[str, Metric] = {}
        self._modules: dict[str, Factory] = {}
        self._preparations: dict[tuple[str, Path | None], Preparation] = {}
        self._has_trained = False

    def serve(self) -> None:
        """Do orders for ever."""
        from ceteris.lab.orders import Calibrate, Inspect, JobDone, Setup

        while True:
            order = self.inbox.get()
            if isinstance(order, Exception):
                raise order
            if isinstance(order, Setup):
                self._report(self._set_up(order))
                self._load_ahead(order)
            elif isinstance(order, Inspect):
                self._report(self._inspect(order))
            elif isinstance(order, Calibrate):
                self._report(self._calibrate(order))
            else:
                self._report(self._train(order) or JobDone(order.number))

    def note_recorded(self, epochs: int) -> None:
        """Take in that so many epochs of the job under way are on record."""
        with self._told:
            self._recorded = epochs
            self._told.notify_all()

    def _load_ahead(self, order: Setup) -> None:
        """Load what training takes while the lab is still checking and planning."""
        from ceteris.train import numerics

        if order.needs_torch:
            numerics.prepare_process()
        import_module("ceteris.train.loop")

    def _report(self, report: Report) -> None:
        try:
            send(self._reports, report)
        except (OSError, ValueError):
            os._exit(0)

    def _set_up(self, order: Setup) -> Hello:
        from ceteris.lab import own_modules
        from ceteris.lab.devices import ALWAYS_DETERMINISTIC, Device, resolve_device
        from ceteris.lab.orders import Hello
        from ceteris.lab.own_metrics import load
        from ceteris.train import numerics

        sys.path[:] = [*order.path, *(entry for entry in sys.path if entry not in order.path)]
        loaded = load(order.metrics, order.references)
        modules = own_modules.load(order.modules, order.module_references)
        self._modules = modules.factories
        problems = [*numerics.compiler_problems(), *loaded.problems, *modules.problems]
        try:
            device = resolve_device(order.device)
        except CeterisError as error:
            device = Device("cpu", "cpu")
            problems += error.problems
        self._device, self._metrics = device.device, loaded.metrics
        numerics.prepare_device(device.device, deterministic=order.deterministic)
        return Hello(
            pid=os.getpid(),
            device=device.device,
            device_name=device.name,
            numerics=numerics.describe(device.name, deterministic=order.deterministic),
            versions=numerics.versions(),
            free_bytes=device.free_bytes,
            metric_hashes=loaded.hashes,
            module_hashes=modules.hashes,
            notes=(ALWAYS_DETERMINISTIC,) if order.deterministic and device.device == "cpu" else (),
            problems=tuple(problems),
        )

    def _inspect(self, order: Inspect) -> Inspected:
        from ceteris.lab.orders import Inspected
        from ceteris.train.modules.user import inspect_module, notes_on_module

        found: list[Architecture | tuple[Problem, ...]] = []
        notes: list[str] = []
        for request in order.requests:
            factory = self._modules[request.model.name]
            try:
                found.append(inspect_module(request, factory))
                notes += notes_on_module(request, factory)
            except CeterisError as error:
                found.append(error.problems)
        return Inspected(tuple(found), tuple(dict.fromkeys(notes)))

    def _calibrate(self, order: Calibrate) -> Calibrated:
        """Train each job for a moment, as long as the time lasts; what fails is told when it is trained."""
        from ceteris.lab.calibrating import MOST_SECONDS, ONE_SECONDS
        from ceteris.lab.implementations import engine_factory
        from ceteris.lab.orders import Calibrated
        from ceteris.train.cpu.compiled import kernels_are_compiled
        from ceteris.train.sampling import time_training

        found: list[tuple[int, Timed]] = []
        left, end = order.seconds, math.inf
        for job in order.jobs if kernels_are_compiled() else ():
            begun = time.thread_time()
            with suppress(Exception):
                timed = time_training(
                    job.cohort,
                    self._preparation(job.source, job.folder),
                    ONE_SECONDS,
                    engine=engine_factory(job.cohort.structure.implementation),
                    values=self._values(job),
                    threads=job.threads,
                )
                found.append((job.number, timed))
            if end < math.inf:  # the first one loads what all of them, and training, take
                left -= time.thread_time() - begun
            end = min(end, time.monotonic() + MOST_SECONDS)
            if self.stop.is_set() or left <= 0 or time.monotonic() > end:
                break
        return Calibrated(tuple(found))

    def _train(self, job: Job) -> JobFailed | None:
        from ceteris.lab.batches import Batches
        from ceteris.lab.implementations import engine_factory
        from ceteris.lab.orders import JobFailed, Trained
        from ceteris.lab.own_metrics import MetricFailedError
        from ceteris.train.loop import train_cohort

        self._tell_compiling(job)
        batches = Batches(lambda message: self._report(Trained(job.number, message)))
        self._recorded = 0  # all that was said of the job before has arrived before this one
        try:
            train_cohort(
                job.cohort,
                self._preparation(job.source, job.folder),
                device=self._device,
                metrics=self._metrics,
                modules=self._modules,
                engine=engine_factory(job.cohort.structure.implementation),
                emit=batches.take,
                keep=self._keep(job, batches),
                should_stop=self.stop.is_set,
                begun=job.begun,
                checkpoint_seconds=0.0 if job.keeping is None else job.keeping.seconds,
                values=self._values(job),
                threads=job.threads,
                step_seconds=job.step_seconds,
            )
        except CeterisError as error:
            return JobFailed(job.number, error.problems)
        except MetricFailedError as error:
            return JobFailed(job.number, (Problem(str(error)),), traceback.format_exc())
        except Exception as error:
            told = Problem(f"training failed with {exception_in_line(error)}")
            return JobFailed(job.number, (told,), traceback.format_exc(), _is_out_of_memory(error))
        finally:
            batches.flush()
        return None

    def _keep(self, job: Job, batches: Batches) -> Keep | None:
        """Return what writes the checkpoints of a job."""
        from ceteris.records.checkpoints import Generations

        if job.keeping is None:
            return None
        files = Generations(job.keeping.path, job.keeping.numerics)

        def keep(states: Iterable[Checkpoint]) -> None:
            with self._told:  # a lab that lags behind would otherwise miss the state of its last epoch
                self._told.wait_for(lambda: self._recorded >= files.newest, PATIENCE_SECONDS)
            batches.kept(files.write(states, self._recorded))

        return keep

    def _tell_compiling(self, job: Job) -> None:
        """Say before the first job that it begins with compiling, where it does."""
        from ceteris.lab.orders import Printed
        from ceteris.train.cpu.compiled import NOTE, kernels_are_compiled

        structure = job.cohort.structure
        compiled = structure.implementation == "builtin" and not structure.runs_as_module
        if self._has_trained or self._device != "cpu" or not compiled:
            return
        self._has_trained = True
        if not kernels_are_compiled():
            self._report(Printed(NOTE))

    def _values(self, job: Job) -> dict[str, Values]:
        """Return the initial values of a job's trials by content hash."""
        from ceteris.lab.initial_values import file_init, kept_values

        inits = [file_init(trial.experiment) for trial in job.cohort.trials]
        contents = dict.fromkeys(init.content for init in inits if init is not None and init.content)
        return {own: kept_values(job.initial, own) for own in contents if job.initial is not None}

    def _preparation(self, source: str, folder: Path | None) -> Preparation:
        from ceteris.data.preparation import Preparation
        from ceteris.data.sources import load

        key = (source, folder)
        if key not in self._preparations:
            self._preparations[key] = Preparation(load(source, folder, report=self._telling_reading()))
        return self._preparations[key]

    def _telling_reading(self) -> Callable[[Download | Reading], None]:
        """Return a report function that tells of large files now and then."""
        from ceteris.data.progress import Reading, ReadingLines
        from ceteris.lab.orders import Printed

        lines = ReadingLines()

        def report(step: Download | Reading) -> None:
            line = lines.line(step) if isinstance(step, Reading) else None
            if line is not None:
                self._report(Printed(f"a training process is {line}"))

        return report


def _is_out_of_memory(error: Exception) -> bool:
    torch = sys.modules.get("torch")
    return isinstance(error, MemoryError) or (torch is not None and isinstance(error, torch.OutOfMemoryError))


if __name__ == "__main__":
    main()
