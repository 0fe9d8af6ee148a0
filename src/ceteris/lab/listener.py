"""Who looks on while a study runs, and how it is stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ceteris.lab.shards import Shard
from ceteris.train.messages import EpochMeasured, Progress, TrialEnded
from ceteris.train.plan import Cohort, TrialPlan, separating


@dataclass(frozen=True)
class RunPlan:
    """What is about to be trained."""

    run: str
    """Identifier of the run."""
    cohorts: tuple[Cohort, ...]
    shards: tuple[Shard, ...]
    workers: int
    device: str
    """``cpu``, or ``cuda: <name of the card>``."""
    rows: Mapping[str, tuple[int, int]]
    """Level -> (training rows, validation rows)."""
    threads: int = 1
    """Threads of each worker, which share the work on large networks."""
    kept: int = 0
    """Trials that had ended before: a resumed or extended run keeps them."""
    ahead: float = 0.0
    """Of a search, the work that is still to be proposed, as a multiple of this plan's."""
    chosen_by: str = "rule"
    """By what it was laid out: the ``rule``, or times that were ``measured`` for it or ``cached`` before."""
    seconds: float | None = None
    """How long it will take; None where that is not known of all cohorts."""
    costs: Mapping[int, float] = field(default_factory=dict)
    """Index of a cohort -> seconds of a core, by which the share of done work is told."""

    @property
    def trials(self) -> int:
        """How many trials are trained now."""
        return sum(len(cohort.trials) for cohort in self.cohorts)

    @property
    def memory(self) -> int | None:
        """Bytes that the largest shard is predicted to take in its worker; None on a card."""
        if self.device != "cpu":
            return None
        return max((shard.cohort.predicted_bytes(self.threads) for shard in self.shards), default=0)

    def as_facts(self) -> dict[str, Any]:
        """Return what a record keeps of it."""
        return {
            "trials": self.trials,
            "cohorts": len(self.cohorts),
            "separated_by": list(separating(self.cohorts)),
            "shards": len(self.shards),
            "workers": self.workers,
            "threads": self.threads,
            "memory_bytes": self.memory,
            "chosen_by": self.chosen_by,
            "predicted_seconds": None if self.seconds is None else round(self.seconds, 1),
        }


class Listener(Protocol):
    """What happens while a study runs; called from the thread that runs it, one call at a time."""

    def planned(self, plan: RunPlan) -> None:
        """The run is on record and training begins."""

    def progress(self, shard: Shard, progress: Progress) -> None:
        """A shard has come further; a few times a second for each worker."""

    def epoch(self, measured: EpochMeasured) -> None:
        """An epoch of a shard is on record."""

    def ended(self, trial: TrialPlan, result: TrialEnded) -> None:
        """A trial has finished or diverged."""

    def note(self, text: str) -> None:
        """Something to tell the user in one sentence, or a line that the user's own code printed."""


class Unheard:
    """A listener that does nothing."""

    def planned(self, plan: RunPlan) -> None:
        """Do nothing."""

    def progress(self, shard: Shard, progress: Progress) -> None:
        """Do nothing."""

    def epoch(self, measured: EpochMeasured) -> None:
        """Do nothing."""

    def ended(self, trial: TrialPlan, result: TrialEnded) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""


class Stop:
    """A wish to stop, which a signal handler may utter: the lab looks at it several times a second.

    The first request stops after the current epoch, the second at once. Nothing recorded is lost.
    """

    def __init__(self) -> None:
        self._requests = 0
        self.training = False
        """Whether training has begun, so that there is something to keep."""

    def request(self) -> None:
        """Ask to stop; asked again, to stop at once."""
        self._requests += 1

    @property
    def after_epoch(self) -> bool:
        """Whether it was asked for at all."""
        return self._requests > 0

    @property
    def at_once(self) -> bool:
        """Whether it was asked for twice."""
        return self._requests > 1
