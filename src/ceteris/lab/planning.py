"""How a run is laid out: into which shards, over how many workers, of how many threads each.

A rule decides, by multiplications; or what training takes, where that is known (``calibration``). None of
it changes a bit of a result (law 7).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ceteris.lab.calibration import RULE, Calibration
from ceteris.lab.machine import available_cores
from ceteris.lab.shards import Shard, finishing_time, share_out
from ceteris.train.plan import Cohort

WORTH = 0.95
"""Fewer workers with more threads are taken where the run ends within this share of the time."""


@dataclass(frozen=True)
class Layout:
    """What each worker is given."""

    shards: tuple[Shard, ...]
    workers: int
    threads: int
    """Of each worker."""
    chosen_by: str = RULE
    seconds: float = math.inf
    """How long it will take, where it was not chosen by the rule."""


@dataclass(frozen=True)
class Room:
    """What there is to train with."""

    cores: int
    most_bytes: Callable[[int], int]
    """Number of workers -> the memory that a stack of one may take."""
    on_processor: bool
    """Whether the processor trains, and no card."""

    def workers(self, cohorts: Sequence[Cohort]) -> int:
        """Return how many workers can be busy."""
        return max(1, min(self.cores, sum(len(cohort.trials) for cohort in cohorts)))


def by_rule(cohorts: Sequence[Cohort], room: Room, begun: Mapping[str, int]) -> Layout:
    """Lay out a run without knowing what training takes: a worker of one thread for each core."""
    wanted = room.workers(cohorts)
    shards = share_out(cohorts, wanted, room.most_bytes(wanted), begun)
    workers = min(wanted, max(1, len(shards)))
    return Layout(shards, workers, threads_each(shards, workers, room.cores) if room.on_processor else 1)


def by_calibration(
    cohorts: Sequence[Cohort], room: Room, begun: Mapping[str, int], calibration: Calibration
) -> Layout | None:
    """Lay out a run on the processor so that it ends soonest; None where nothing of it is known."""
    if not room.on_processor or not any(map(calibration.timed, cohorts)):
        return None
    most = room.workers(cohorts)
    choices = (most, *(fewer for fewer in halvings(room.cores) if fewer < most))
    first, *others = (_with_workers(wanted, cohorts, room, begun, calibration) for wanted in choices)
    best = first
    for layout in others:
        best = layout if layout.seconds < WORTH * best.seconds else best
    return best


def _with_workers(
    wanted: int, cohorts: Sequence[Cohort], room: Room, begun: Mapping[str, int], calibration: Calibration
) -> Layout:
    shares = any(cohort.structure.shares_work for cohort in cohorts)
    threads = spare_threads(wanted, room.cores) if shares else 1
    price = partial(calibration.seconds, threads=threads)
    shards = share_out(cohorts, wanted, room.most_bytes(wanted), begun, price)
    workers = min(wanted, max(1, len(shards)))
    threads = threads_each(shards, workers, room.cores)
    price = partial(calibration.seconds, threads=threads)
    seconds = finishing_time([shard.cohort for shard in shards], workers, price)
    return Layout(shards, workers, threads, calibration.source, seconds)


def halvings(most: int) -> tuple[int, ...]:
    """Return ``most``, half of it, half of that and so on down to 1."""
    return (most, *halvings(most // 2)) if most > 1 else (1,)


def threads_each(shards: Sequence[Shard], workers: int, cores: int | None) -> int:
    """Return how many threads each worker has: the cores that are left over where shards are few.

    They change no bit (law 7). ``cores``: how many the user lets train; None for all.
    """
    if not any(shard.cohort.structure.shares_work for shard in shards):
        return 1
    return spare_threads(workers, cores)


def spare_threads(workers: int, cores: int | None) -> int:
    """Return how many cores there are for each worker."""
    available = available_cores()
    return max(1, min(cores or available, available) // workers)
