"""What the lab tells a worker (orders) and what a worker tells the lab (reports)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ceteris.errors import Problem
from ceteris.nets.architecture import Architecture
from ceteris.train.messages import Message, State, Timed
from ceteris.train.plan import Cohort, ModuleRequest


@dataclass(frozen=True)
class Setup:
    """The first order: where modules are found, the device, and the user's own metrics."""

    path: tuple[str, ...]
    """``sys.path`` of the lab, so that modules beside the user's script are found."""
    device: str
    """``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``."""
    metrics: bytes = b""
    """Functions by name, as ``own_metrics.pack`` wrote them."""
    references: tuple[str, ...] = ()
    """Metrics given as ``package.module:Name``."""
    modules: bytes = b""
    """What makes the user's own networks, by name, as ``own_modules.pack`` wrote it."""
    module_references: tuple[str, ...] = ()
    """Networks given as ``package.module:Name``."""
    deterministic: bool = False
    """Whether a device takes only kernels that give the same bits every time."""
    needs_torch: bool = True
    """Whether torch trains something on the processor, and is better loaded ahead."""


@dataclass(frozen=True)
class Inspect:
    """Look at networks of the user's own before anything is trained."""

    requests: tuple[ModuleRequest, ...]


@dataclass(frozen=True)
class Keeping:
    """Where and how often a worker keeps checkpoints of what it trains."""

    path: Path
    """What the names of the files begin with; nobody else has it."""
    numerics: str
    """Names what is computed with."""
    seconds: float
    """The least time between two checkpoints."""


@dataclass(frozen=True)
class Job:
    """A shard to train; ``number`` comes back with every report about it."""

    number: int
    cohort: Cohort
    source: str
    folder: Path | None
    begun: Mapping[str, State] = field(default_factory=dict)
    """The checkpoint of every trial, by identity, where the cohort has epochs behind it."""
    keeping: Keeping | None = None
    """None for no checkpoints."""
    initial: Path | None = None
    """The folder of the records, where initial values are kept."""
    threads: int = 1
    """How many threads may share the work on large networks."""
    step_seconds: float = 0.0
    """What a step of the stack is thought to take; 0 where nothing is known."""


@dataclass(frozen=True)
class Calibrate:
    """Train these for a moment each, as long as the time lasts, for what they take; nothing is reported."""

    jobs: tuple[Job, ...]
    seconds: float


@dataclass(frozen=True)
class StopAfterEpoch:
    """End the job under way after its current epoch."""


@dataclass(frozen=True)
class Recorded:
    """The record has so many epochs of every trial of the job under way that has not ended."""

    epochs: int


Order = Setup | Inspect | Calibrate | Job | Recorded | StopAfterEpoch


@dataclass(frozen=True)
class Hello:
    """The answer to ``Setup``: what this process would train with."""

    pid: int
    device: str
    """As training takes it: ``auto`` has become a device."""
    device_name: str
    """As records show it: ``cpu``, or ``cuda: <name of the card>``."""
    numerics: Mapping[str, Any]
    versions: Mapping[str, str]
    free_bytes: int | None
    """Free memory of the device, where it has its own."""
    metric_hashes: Mapping[str, str]
    """SHA-256 of the source text of each of the user's metrics."""
    module_hashes: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of the source text of what makes each of the user's networks."""
    notes: tuple[str, ...] = ()
    """What was asked for and means nothing here."""
    problems: tuple[Problem, ...] = ()
    """Why this device or these metrics cannot be used; then the other fields mean nothing."""


@dataclass(frozen=True)
class Inspected:
    """The answer to ``Inspect``, in its order: what a network consists of, or why it cannot be trained."""

    found: tuple[Architecture | tuple[Problem, ...], ...]
    notes: tuple[str, ...] = ()
    """What does not keep them from being trained, and is probably not meant."""


@dataclass(frozen=True)
class Calibrated:
    """The answer to ``Calibrate``: the number of each job that was trained, and what it took."""

    found: tuple[tuple[int, Timed], ...]


@dataclass(frozen=True)
class Trained:
    """A message from training, of the job ``job``."""

    job: int
    message: Message


@dataclass(frozen=True)
class JobDone:
    """The job has ended, by itself or because it was told to stop after an epoch."""

    job: int


@dataclass(frozen=True)
class JobFailed:
    """The job ended by an error; the worker itself goes on."""

    job: int
    problems: tuple[Problem, ...]
    traceback: str = ""
    """Empty where the problems say all that a user needs."""
    out_of_memory: bool = False


@dataclass(frozen=True)
class Printed:
    """A line that the worker (code of the user's, a library) printed."""

    text: str


@dataclass(frozen=True)
class Gone:
    """The worker's process has ended without being asked to."""

    exit_code: int
    last_lines: tuple[str, ...]
    """What it printed last."""


Report = Hello | Inspected | Calibrated | Trained | JobDone | JobFailed | Printed | Gone
