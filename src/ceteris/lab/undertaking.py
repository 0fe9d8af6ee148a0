"""What running, resuming and extending have in common: a crew that is up, and trials to be trained."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from ceteris.data.dataset import Dataset
from ceteris.data.download import Download
from ceteris.data.progress import Reading, ReadingLines
from ceteris.errors import CeterisError, Problem
from ceteris.lab import own_metrics, own_modules
from ceteris.lab.calibrating import measure, samples
from ceteris.lab.calibration import RULE, Calibration
from ceteris.lab.calibration_file import calibration_file, keep_kinds, read_kinds
from ceteris.lab.crew import Crew
from ceteris.lab.datasets import DataPlaces
from ceteris.lab.listener import Listener, RunPlan, Stop
from ceteris.lab.machine import MEMORY_SHARE, available_bytes, available_cores, may_have_card
from ceteris.lab.orders import Gone, Hello, Inspect, Inspected, Printed, Report, Setup
from ceteris.lab.planning import Room, by_calibration, by_rule
from ceteris.lab.recorder import Recorder
from ceteris.lab.repeatable import numerics_key, with_scheme
from ceteris.lab.shards import make_cohorts
from ceteris.lab.sitting import Sitting, start_failed
from ceteris.lab.sizes import Sizes
from ceteris.nets.architecture import Architecture
from ceteris.records.store import Store
from ceteris.spec.experiment import Experiment
from ceteris.train.messages import CHECKPOINT_SECONDS
from ceteris.train.plan import ModuleKey, ModuleRequest, Modules, TrialPlan

Answer = TypeVar("Answer", Hello, Inspected)

STOPPED_BEFORE = "stopped before anything was trained"
START_SECONDS = 300.0
"""How long a worker may take to say hello: on a cold disk torch alone takes a minute."""


@dataclass(frozen=True)
class Means:
    """With what a study is trained, and who looks on."""

    runs_folder: Path
    data_folder: Path | None
    workers: int | None
    listener: Listener
    stop: Stop
    checkpoint_seconds: float = CHECKPOINT_SECONDS


@dataclass(frozen=True)
class Undertaking:
    """Trials of a run that are to be trained, with the data that they read."""

    trials: tuple[TrialPlan, ...]
    datasets: Mapping[str, Dataset]
    sizes: Mapping[str, Sizes]
    """By label of the level."""
    places: DataPlaces
    modules: Modules
    """What the user's own networks consist of."""
    kept: int = 0
    """Trials of the run that had ended before."""
    begun: Mapping[str, int] = field(default_factory=dict)
    """Identity -> the epochs of a checkpoint that its trial goes on from."""
    ahead: float = 0.0
    """Of a search, the work that is still to be proposed, as a multiple of this."""


More = Callable[[Store], Undertaking | None]
"""What adds trials to a run once all of its trials have ended; None where there are no more."""


def make_setup(
    device: str,
    metrics: Mapping[str, own_metrics.Metric],
    modules: Mapping[str, own_modules.Factory],
    experiments: Sequence[Experiment],
    *,
    deterministic: bool = False,
) -> Setup:
    """Return the first order to workers. Raises CeterisError for code of the user's that cannot be sent."""
    named = [metric for experiment in experiments for metric in experiment.metrics]
    here = os.getcwd()
    return Setup(
        path=tuple(os.path.join(here, entry) for entry in sys.path),
        device=device,
        deterministic=deterministic,
        metrics=own_metrics.pack(metrics),
        references=tuple(dict.fromkeys(metric for metric in named if ":" in metric)),
        modules=own_modules.pack(modules),
        module_references=own_modules.references(experiments),
        needs_torch=any(map(_needs_torch, experiments)),
    )


def _needs_torch(experiment: Experiment) -> bool:
    """Tell whether torch takes part where an experiment is trained on the processor."""
    compiled = experiment.model.kind in ("linear", "mlp") and experiment.implementation == "builtin"
    newton = experiment.optimizer.kind == "newton"
    return not compiled or newton or experiment.precision != "float32" or bool(experiment.metrics)


def hire_ahead(crew: Crew, device: str, workers: int | None, trials: int) -> int:
    """Start the workers that so many trials will want, side by side, and return the first.

    The others come up while the study is still checked. Where a card may train there is one alone.
    """
    first = crew.hire()
    if device == "cpu" or (device == "auto" and not may_have_card()):
        for _ in range(min(workers or available_cores(), trials) - 1):
            crew.hire()
    return first


def greet(crew: Crew, worker: int, listener: Listener, stop: Stop | None = None) -> Hello:
    """Wait for the first worker's hello. Raises CeterisError where it does not come up."""
    hello = _awaited(Hello, crew, worker, listener, stop)
    for note in hello.notes:
        listener.note(note)
    return hello


def inspect_modules(
    crew: Crew,
    worker: int,
    requests: Mapping[ModuleKey, ModuleRequest],
    listener: Listener,
    stop: Stop | None = None,
) -> tuple[dict[ModuleKey, Architecture | tuple[Problem, ...]], tuple[str, ...]]:
    """Let a worker look at the user's own networks: what each consists of, or why it cannot be trained.

    What is doubtful about them is noted at once, and returned besides.
    """
    if not requests:
        return {}, ()
    crew.send(worker, Inspect(tuple(requests.values())))
    answer = _awaited(Inspected, crew, worker, listener, stop)
    for note in answer.notes:
        listener.note(note)
    return dict(zip(requests, answer.found, strict=True)), answer.notes


def _awaited(kind: type[Answer], crew: Crew, worker: int, listener: Listener, stop: Stop | None) -> Answer:
    """Wait for a worker's report of one kind. Raises CeterisError where the worker is gone or silent.

    What other workers report meanwhile (their hellos) is for the sitting, and is put back.
    """
    deadline = time.monotonic() + START_SECONDS
    others: list[tuple[int, Report]] = []
    try:
        while time.monotonic() < deadline:
            heed(stop)
            match crew.next_report(timeout=0.2):
                case None:
                    continue
                case (_, Printed(text)):
                    listener.note(text)
                case (number, report) if number != worker:
                    others.append((number, report))
                case (_, Gone() as gone):
                    raise CeterisError(start_failed(gone))
                case (_, report) if isinstance(report, kind):
                    return report
    finally:
        crew.put_back(others)
    raise CeterisError(f"a training process did not answer within {START_SECONDS:g} seconds")


def heed(stop: Stop | None) -> None:
    """Give up before a run is begun, where a stop was asked for: raises KeyboardInterrupt."""
    if stop is not None and stop.after_epoch:
        raise KeyboardInterrupt(STOPPED_BEFORE)


def refuse(problems: Sequence[Problem]) -> None:
    """Raise all problems at once, in the order of their lines, if there are any."""
    if problems:
        raise CeterisError(sorted(dict.fromkeys(problems), key=lambda problem: problem.line or 0))


def tell_loading(means: Means) -> Callable[[Download | Reading], None]:
    """Return a report function that notes each download once and large files now and then.

    It gives up where a stop was asked for.
    """
    told: set[str] = set()
    lines = ReadingLines()

    def report(step: Download | Reading) -> None:
        heed(means.stop)
        if isinstance(step, Reading):
            line = lines.line(step)
            if line is not None:
                means.listener.note(line)
        elif step.url not in told:
            told.add(step.url)
            size = f" ({step.total / 2**20:.0f} MB)" if step.total else ""
            means.listener.note(f"downloading {step.file} of {step.source}{size} from {step.url}")

    return report


def train_run(
    store: Store,
    run: str,
    undertaking: Undertaking | None,
    crew: Crew,
    hello: Hello,
    means: Means,
    more: More | None = None,
) -> None:
    """Train the trials of a run that this store has begun to write, and close the run.

    Args:
        store: where the run is recorded.
        run: its identifier.
        undertaking: what is trained first; None where all that was planned has ended.
        crew: the workers, at least one of which said ``hello``.
        hello: what that worker said.
        means: with what it is trained.
        more: asked for what is trained next whenever all has ended; None from it ends the run.

    Raises CeterisError as ``Sitting.train`` does; the run then reads as stopped as soon as the store is
    closed.
    """
    begin = time.perf_counter()
    complete = undertaking is None or _train(store, run, undertaking, crew, hello, means)
    while complete and more is not None and (undertaking := more(store)) is not None:
        complete = not means.stop.after_epoch and _train(store, run, undertaking, crew, hello, means)
    store.finish(run, "finished" if complete else "stopped", time.perf_counter() - begin)


def _train(store: Store, run: str, undertaking: Undertaking, crew: Crew, hello: Hello, means: Means) -> bool:
    """Train trials; tell whether all of them ended."""
    sizes, trials = undertaking.sizes, undertaking.trials
    rows = {own.identity: sizes[own.level].training_rows(own.seed, own.fold) for own in trials}
    on_device = hello.free_bytes is not None
    cohorts = make_cohorts(trials, undertaking.datasets, rows, undertaking.modules)
    cohorts = tuple(replace(own, on_device=on_device) for own in cohorts)
    cores = means.workers or (1 if on_device else available_cores())
    room = Room(cores, partial(_most_bytes, hello), on_processor=hello.device == "cpu")
    places, begun = undertaking.places, undertaking.begun
    layout = by_rule(cohorts, room, begun)
    measured = {own.identity: sizes[own.level].measured_rows(own.seed, own.fold) for own in trials}
    file = calibration_file()
    calibration = Calibration(f"{key_of(hello)} {available_cores()}", read_kinds(file), measured)
    means.stop.training = True
    jobs = samples(cohorts, calibration, layout, room, places, undertaking.ahead)
    calibration.take(measure(crew, jobs, means.listener, means.stop))
    calibration.scale_to(cohorts)
    layout = by_calibration(cohorts, room, begun, calibration) or layout
    known = layout.chosen_by != RULE and all(map(calibration.timed, cohorts))
    plan = RunPlan(
        run=run,
        cohorts=cohorts,
        shards=layout.shards,
        workers=layout.workers,
        device=hello.device_name,
        rows={label: (own.training, own.validation) for label, own in sizes.items()},
        threads=layout.threads,
        kept=undertaking.kept,
        ahead=undertaking.ahead,
        chosen_by=layout.chosen_by,
        seconds=layout.seconds if known else None,
        costs={own.index: calibration.seconds(own) for own in cohorts},
    )
    store.note_plan(run, plan.as_facts())
    means.listener.planned(plan)
    recorder = Recorder(store, run, key_of(hello), begun)
    listener, seconds = means.listener, means.checkpoint_seconds
    sitting = Sitting(crew, recorder, listener, means.stop, places, seconds, layout.threads, calibration)
    try:
        return sitting.train(layout.shards, layout.workers, crew.ready)
    finally:
        keep_kinds(file, calibration.new)


def key_of(hello: Hello) -> str:
    """Return the hash of all that can change the bits of what a worker computes."""
    return numerics_key(hello.numerics, with_scheme(hello.versions))


def _most_bytes(hello: Hello, workers: int) -> int:
    """Return how much memory the stack of one worker may take."""
    free = available_bytes() if hello.free_bytes is None else hello.free_bytes
    return int(free * MEMORY_SHARE / workers)
