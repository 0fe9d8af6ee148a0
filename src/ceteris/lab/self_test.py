"""A self-test: one small study on every device, held against another implementation, and how fast each is.

The processor is held against the reference implementation (``ceteris.scratch``), every other device against
the processor. Training processes are started as for a run, so what is measured is what a run would get.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ceteris.errors import CeterisError
from ceteris.lab.crew import Crew
from ceteris.lab.devices import Device
from ceteris.lab.machine import available_cores
from ceteris.lab.orders import Gone, Hello, Job, JobDone, JobFailed, Report, Setup, Trained
from ceteris.spec.experiment import Experiment
from ceteris.train.messages import Tensors, TrialEnded
from ceteris.train.plan import Cohort, TrialPlan, group_trials

SOURCE = "digits"
EXPERIMENT = {
    "data": SOURCE,
    "model": {"kind": "mlp", "hidden": [64], "activation": "tanh"},  # at a kink, rounding errors would jump
    "optimizer": {"kind": "sgd", "lr": 0.1},
    "batch_size": 64,
}
MEMBERS = 16
EPOCHS, TIMED_EPOCHS = 3, 30
"""Of the comparison, and of the measurement of speed that follows it."""
AGREE = 1e-4
"""Weights of two implementations may differ by so much, relative to the largest."""
SECONDS = 600.0
"""How long a test may take; compiling the kernels for the first time is a minute of it."""


Finals = Mapping[str, Tensors]
"""Identity of a trial -> its trained tensors by name."""


@dataclass(frozen=True)
class Tested:
    """What came of the test on one device."""

    device: str
    """As training takes it, ``cpu`` or ``cuda:1``."""
    name: str
    """As records show it."""
    workers: int
    reference: str
    """What the weights were held against: ``scratch`` or ``cpu``."""
    difference: float | None = None
    """The largest difference of a weight, relative to the largest weight."""
    speed: float | None = None
    """Epochs of one network in a second, all workers together."""
    problem: str | None = None
    """Why the device cannot be used; None where the test was passed."""


def self_test(devices: Sequence[Device]) -> tuple[Tested, ...]:
    """Train a small network on every device; the processor also with two processes where it has the cores."""
    found: list[Tested] = []
    processor: Finals = {}
    for device in devices:
        on_processor = device.device == "cpu"
        workers = (1, 2) if on_processor and available_cores() > 1 else (1,)
        try:
            measured = _measure(device.device, workers, scratch=on_processor)
            processor = measured.finals if on_processor else processor
            difference = largest_difference(measured.finals, measured.scratch if on_processor else processor)
        except CeterisError as error:
            found.append(Tested(device.device, device.name, 1, _reference(device), problem=str(error)))
            continue
        found += [_judged(device, n, difference, speed) for n, speed in measured.speeds.items()]
    return tuple(found)


def largest_difference(finals: Finals, others: Finals) -> float:
    """Return the largest difference of a weight between two trainings, relative to the largest weight."""
    pairs = [
        (own, others[identity][name]) for identity, tensors in finals.items() for name, own in tensors.items()
    ]
    if not pairs:
        raise CeterisError("nothing was trained")
    apart = max(float(np.abs(own - other).max()) for own, other in pairs)
    return apart / max(float(np.abs(other).max()) for _, other in pairs)


def _reference(device: Device) -> str:
    return "scratch" if device.device == "cpu" else "cpu"


def _judged(device: Device, workers: int, difference: float, speed: float) -> Tested:
    problem = None
    if not difference <= AGREE:
        problem = f"weights differ by {difference:.1e} from those of `{_reference(device)}`"
    return Tested(device.device, device.name, workers, _reference(device), difference, speed, problem)


@dataclass(frozen=True)
class Measured:
    """What training on one device came to."""

    finals: Finals
    scratch: Finals
    """Of the reference implementation; empty where it was not asked."""
    speeds: Mapping[int, float]
    """Number of workers -> epochs of one network in a second, all workers together."""


def _measure(device: str, workers: Sequence[int], *, scratch: bool) -> Measured:
    """Train the same trials in one or several workers at once. Raises CeterisError where one fails."""
    compared, timed = _cohort("builtin", EPOCHS), _cohort("builtin", TIMED_EPOCHS)
    with Crew(Setup(tuple(sys.path), device)) as crew:
        bench = _Bench(crew, [crew.hire() for _ in range(max(workers))])
        bench.greet()
        reference = bench.train(_cohort("scratch", EPOCHS), 1) if scratch else {}
        finals = bench.train(compared, max(workers))  # every worker has then compiled and read the data
        speeds = {}
        for count in workers:
            begin = time.perf_counter()
            bench.train(timed, count)
            speeds[count] = count * MEMBERS * TIMED_EPOCHS / (time.perf_counter() - begin)
    return Measured(finals, reference, speeds)


class _Bench:
    """Workers that train the same cohort at once."""

    def __init__(self, crew: Crew, workers: Sequence[int]) -> None:
        self._crew, self._workers = crew, workers
        self._deadline = time.monotonic() + SECONDS

    def greet(self) -> None:
        """Wait until every worker has said hello."""
        for _ in self._workers:
            while not isinstance(self._next(), Hello):
                pass

    def train(self, cohort: Cohort, workers: int) -> Finals:
        """Train a cohort in so many workers, and return the trained tensors by trial."""
        finals: dict[str, Tensors] = {}
        for worker in self._workers[:workers]:
            self._crew.send(worker, Job(worker, cohort, SOURCE, None))
        while workers:
            report = self._next()
            if isinstance(report, Trained) and isinstance(report.message, TrialEnded):
                finals[report.message.identity] = report.message.final
            workers -= isinstance(report, JobDone)
        return finals

    def _next(self) -> Report | None:
        arrived = self._crew.next_report(timeout=0.2)
        if time.monotonic() > self._deadline:
            raise CeterisError(f"the test did not end within {SECONDS:g} seconds")
        match arrived:
            case (_, Hello(problems=problems) | JobFailed(problems=problems)) if problems:
                raise CeterisError(problems)
            case (_, Gone(exit_code=code)):
                raise CeterisError(f"the training process ended with exit code {code}")
        return None if arrived is None else arrived[1]


def _cohort(implementation: str, epochs: int) -> Cohort:
    from ceteris.data import Preparation, load

    experiment = Experiment.model_validate({**EXPERIMENT, "epochs": epochs, "implementation": implementation})
    preparation = Preparation(load(SOURCE))
    plans = [TrialPlan(f"{seed}", "test", {}, seed, 0, experiment) for seed in range(MEMBERS)]
    rows = {p.identity: len(preparation.prepare(p.experiment.data, p.seed).split.train) for p in plans}
    (cohort,) = group_trials(plans, preparation.dataset, rows)
    return cohort
