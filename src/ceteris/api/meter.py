"""How far a run is: what its cohorts report, added up. Writes nowhere."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ceteris.lab.listener import RunPlan
    from ceteris.lab.shards import Shard
    from ceteris.train.messages import Progress
    from ceteris.train.plan import Cohort, TrialPlan


@dataclass
class CohortMeter:
    """The state of one cohort; shards are its parts in different workers."""

    cohort: Cohort
    clock: Callable[[], float]
    begun: float | None = None
    ended: int = 0
    """Trials that have finished or diverged."""
    latest: dict[int, tuple[Shard, Progress]] = field(default_factory=dict)

    def add(self, shard: Shard, progress: Progress) -> None:
        """Take in how far a shard is."""
        if self.begun is None:
            self.begun = self.clock()
        if shard.number not in self.latest:
            self._forget_earlier_attempts(shard)
        self.latest[shard.number] = (shard, progress)

    def _forget_earlier_attempts(self, shard: Shard) -> None:
        """Drop a shard whose worker died, once one of its trials begins anew."""
        again = {trial.identity for trial in shard.trials}
        for number, (earlier, _) in list(self.latest.items()):
            if any(trial.identity in again for trial in earlier.trials):
                del self.latest[number]

    @property
    def name(self) -> str:
        """Number of trials and widths of the network, such as ``40 x 64-32-10``; ``16c`` is a convolution."""
        from ceteris.nets.architecture import Convolution, Linear, UserModule

        words = [str(self.cohort.structure.net.n_in)]
        for layer in self.cohort.structure.net.layers:
            match layer:
                case Linear():
                    words.append(str(layer.n_out))
                case Convolution():
                    words.append(f"{layer.n_out}c")
                case UserModule():
                    words.append(layer.name)
        return f"{len(self.cohort.trials)} x {'-'.join(words)}"

    @property
    def epochs(self) -> int:
        """How many epochs are trained."""
        return self.cohort.structure.epochs

    @property
    def epoch(self) -> int:
        """The epoch (from 1) that the cohort is in: shards that wait for a worker hold it back."""
        return min(self.epochs, int(self.share * self.epochs) + 1)

    @property
    def share(self) -> float:
        """The share of the cohort's training that is done, 0 to 1."""
        done = sum(len(shard.trials) * _share(progress) for shard, progress in self.latest.values())
        return min(1.0, max(done, self.ended) / len(self.cohort.trials))

    @property
    def loss(self) -> float | None:
        """Mean running loss over members; None where there is none."""
        return _mean([(progress.loss, progress.members) for _, progress in self.latest.values()])

    @property
    def accuracy(self) -> float | None:
        """Mean running accuracy over members; None for regression."""
        return _mean([(progress.accuracy, progress.members) for _, progress in self.latest.values()])

    @property
    def speed(self) -> float | None:
        """Optimisation steps times members per second."""
        steps = sum(progress.model_steps for _, progress in self.latest.values())
        return None if self.begun is None else _rate(steps, self.clock() - self.begun)

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the time that the share so far took."""
        return None if self.begun is None else _time_left(self.share, self.clock() - self.begun)

    def words(self) -> str:
        """Return all of it in one line."""
        return ", ".join([f"{self.name}: epoch {self.epoch} of {self.epochs}", *self._numbers()])

    def _numbers(self) -> list[str]:
        parts = [f"loss {self.loss:.3f}"] if self.loss is not None else []
        parts += [f"accuracy {self.accuracy:.3f}"] if self.accuracy is not None else []
        parts += [f"{self.speed:,.0f} model-steps/s"] if self.speed is not None else []
        left = self.seconds_left
        return parts + ([f"{clock_words(left)} left"] if left is not None else [])


TOLD_BYTES = 2**29
"""Less memory in a worker is not told of."""


class Meter:
    """All cohorts of a run."""

    def __init__(self, plan: RunPlan, clock: Callable[[], float] = time.monotonic) -> None:
        self.plan = plan
        self.cohorts = {cohort.index: CohortMeter(cohort, clock) for cohort in plan.cohorts}
        self._clock = clock
        self._begun = clock()

    def add(self, shard: Shard, progress: Progress) -> CohortMeter:
        """Take in how far a shard is; returns its cohort."""
        meter = self.cohorts[shard.cohort.index]
        meter.add(shard, progress)
        return meter

    def running(self) -> list[CohortMeter]:
        """Return the cohorts that have begun, in the order of the plan."""
        return [meter for meter in self.cohorts.values() if meter.begun is not None]

    def end(self, trial: TrialPlan) -> None:
        """Take in that a trial has finished or diverged."""
        for meter in self.cohorts.values():
            meter.ended += any(trial.identity == own.identity for own in meter.cohort.trials)

    @property
    def share(self) -> float:
        """The share of the run's work that is done, 0 to 1."""
        costs = {index: self.plan.costs.get(index, own.cohort.work) for index, own in self.cohorts.items()}
        total = sum(costs.values())
        done = sum(costs[index] * meter.share for index, meter in self.cohorts.items())
        return done / total if total else 1.0

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the time that the share so far took, with what a search has still to propose."""
        return _time_left(self.share / (1 + self.plan.ahead), self._clock() - self._begun)

    def opening(self) -> str:
        """Say in one line what is about to be trained."""
        plan = self.plan
        cohorts = "1 cohort" if len(plan.cohorts) == 1 else f"{len(plan.cohorts)} cohorts"
        from ceteris.train.plan import separating

        if apart := separating(plan.cohorts):
            cohorts += (
                f" ({', '.join(map(_words, apart))} {'separates' if len(apart) == 1 else 'separate'} them)"
            )
        trials = "1 trial" if plan.trials == 1 else f"{plan.trials} trials"
        workers = "1 worker" if plan.workers == 1 else f"{plan.workers} workers"
        if plan.threads > 1:
            workers += f" with {plan.threads} threads{' each' if plan.workers > 1 else ''}"
        if plan.memory is not None and plan.memory >= TOLD_BYTES:
            workers += f" ({plan.memory / 2**30:.1f} GiB of memory{' each' if plan.workers > 1 else ''})"
        kept = f" ({plan.kept} kept from before)" if plan.kept else ""
        time = "" if plan.seconds is None else f", {about(plan.seconds * (1 + plan.ahead))}"
        return f"run {plan.run}: {trials}{kept} in {cohorts}, {workers}, {plan.device}{time}"


def about(seconds: float) -> str:
    """Say how long something will take: ``about 40 s``, ``about 4 min``, ``about 2.5 hours``."""
    if seconds < 90:
        return f"about {max(1, round(seconds / 5) * 5)} s"
    minutes = seconds / 60
    return f"about {minutes:.0f} min" if minutes < 90 else f"about {minutes / 60:.1f} hours"


def clock_words(seconds: float) -> str:
    """Write a time left as ``0:42`` or ``1:02:03``."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def _share(progress: Progress) -> float:
    total = progress.epochs * progress.steps
    return (progress.epoch * progress.steps + progress.step) / total if total else 1.0


def _mean(parts: Sequence[tuple[float | None, int]]) -> float | None:
    known = [(value, n) for value, n in parts if value is not None and math.isfinite(value) and n > 0]
    return sum(value * n for value, n in known) / sum(n for _, n in known) if known else None


def _rate(steps: int, seconds: float) -> float | None:
    return steps / seconds if seconds > 0.2 else None


def _time_left(share: float, seconds: float) -> float | None:
    return seconds * (1 - share) / share if share > 0 and seconds > 1 else None


def _words(part: str) -> str:
    """Return the part of a structure in which cohorts differ, as a reader calls it."""
    return {"net": "the network", "probes": "what is measured"}.get(part, part)
