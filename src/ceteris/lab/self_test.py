"""A self-test: one small study on every device, held against another implementation, and how fast each is.

The processor is held against the reference implementation (``ceteris.scratch``), every other device against
the processor. Training processes are started as for a run, so what is measured is what a run would get.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ceteris.errors import CeterisError
from ceteris.lab.crew import Crew
from ceteris.lab.devices import Device
from ceteris.lab.machine import available_cores
from ceteris.lab.orders import Gone, Hello, Job, JobDone, JobFailed, Setup, Trained
from ceteris.spec.experiment import Experiment
from ceteris.train.messages import EpochMeasured, Tensors, TrialEnded
from ceteris.train.plan import Cohort, TrialPlan, group_trials

SOURCE = "digits"
EXPERIMENT = {
    "data": SOURCE,
    "model": {"kind": "mlp", "hidden": [64]},
    "optimizer": {"kind": "sgd", "lr": 0.1},
    "batch_size": 64,
}
MEMBERS = 16
EPOCHS = 5
"""Few, since rounding errors grow with every step."""
AGREE = 1e-3
"""Weights of two implementations may differ by so much, relative to the largest."""
SECONDS = 240.0
"""How long a test may take; compiling the kernels for the first time is a minute of it."""


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
    processor: Mapping[str, Tensors] = {}
    for device in devices:
        on_processor = device.device == "cpu"
        try:
            reference = _train(device.device, 1, "scratch").finals if on_processor else processor
            for workers in (1, 2) if on_processor and available_cores() > 1 else (1,):
                training = _train(device.device, workers, "builtin")
                processor = training.finals if on_processor else processor
                difference = largest_difference(training.finals, reference)
                found.append(_judged(device, workers, difference, training.speed))
        except CeterisError as error:
            found.append(Tested(device.device, device.name, 1, _reference(device), problem=str(error)))
    return tuple(found)


def largest_difference(finals: Mapping[str, Tensors], others: Mapping[str, Tensors]) -> float:
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


@dataclass
class _Training:
    """What the workers of one test have reported."""

    finals: dict[str, Tensors] = field(default_factory=dict)
    epochs: dict[int, list[float]] = field(default_factory=dict)
    """Job -> when its epochs ended."""

    @property
    def speed(self) -> float:
        """Epochs of one network in a second, summed over jobs; the first epoch, which compiles, left out."""
        spans = [(len(times) - 1, times[-1] - times[0]) for times in self.epochs.values() if len(times) > 1]
        return sum(MEMBERS * count / max(seconds, 1e-9) for count, seconds in spans)


def _train(device: str, workers: int, implementation: str) -> _Training:
    """Train the same cohort in every worker at once. Raises CeterisError where one fails."""
    cohort, training = _cohort(implementation), _Training()
    with Crew(Setup(tuple(sys.path), device)) as crew:
        waiting = {crew.hire() for _ in range(workers)}
        greeted: set[int] = set()
        deadline = time.monotonic() + SECONDS
        while waiting:
            arrived = crew.next_report(timeout=0.2)
            if time.monotonic() > deadline:
                raise CeterisError(f"the test did not end within {SECONDS:g} seconds")
            if arrived is None:
                continue
            worker, report = arrived
            match report:
                case Hello(problems=problems):
                    if problems:
                        raise CeterisError(problems)
                    greeted.add(worker)
                    if greeted == waiting:
                        for number in waiting:
                            crew.send(number, Job(number, cohort, SOURCE, None))
                case Trained(job, EpochMeasured()):
                    training.epochs.setdefault(job, []).append(time.monotonic())
                case Trained(_, TrialEnded() as ended):
                    training.finals[ended.identity] = ended.final
                case JobFailed(problems=problems):
                    raise CeterisError(problems)
                case Gone(exit_code=code):
                    raise CeterisError(f"the training process ended with exit code {code}")
                case JobDone():
                    waiting.discard(worker)
    return training


def _cohort(implementation: str) -> Cohort:
    from ceteris.data import Preparation, load

    experiment = Experiment.model_validate({**EXPERIMENT, "epochs": EPOCHS, "implementation": implementation})
    preparation = Preparation(load(SOURCE))
    plans = [TrialPlan(f"{seed}", "test", {}, seed, 0, experiment) for seed in range(MEMBERS)]
    rows = {p.identity: len(preparation.prepare(p.experiment.data, p.seed).split.train) for p in plans}
    (cohort,) = group_trials(plans, preparation.dataset, rows)
    return cohort
