"""Who trains what: cohorts cut into shards, the most costly first. Pure planning, no processes."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from ceteris.data.dataset import Dataset
from ceteris.train.plan import Cohort, Modules, TrialPlan, group_trials

MOST_PIECES = 4
"""How many times finer than one piece per worker a cohort is cut at most, for an even load."""
EVEN_ENOUGH = 1.05

Price = Callable[[Cohort], float]
"""What it takes to train a cohort, or a part of one, in one worker."""


def rough_price(cohort: Cohort) -> float:
    """Return the price by the rule: multiplications."""
    return cohort.work


@dataclass(frozen=True)
class Shard:
    """A part of a cohort that one worker trains. ``attempt`` counts from 1."""

    number: int
    cohort: Cohort
    source: str
    """The data that its trials read."""
    attempt: int = 1

    @property
    def trials(self) -> tuple[TrialPlan, ...]:
        """Its trials."""
        return self.cohort.trials


def make_cohorts(
    plans: Sequence[TrialPlan],
    datasets: Mapping[str, Dataset],
    training_rows: Mapping[str, int],
    modules: Modules = MappingProxyType({}),
) -> tuple[Cohort, ...]:
    """Group trials into cohorts over all data sets of a study, numbered 0, 1, ..., the most costly first."""
    found: list[Cohort] = []
    for source, dataset in datasets.items():
        own = [plan for plan in plans if plan.experiment.data.reading == source]
        found += group_trials(own, dataset, training_rows, modules)
    found.sort(key=lambda cohort: -cohort.work)
    return tuple(replace(cohort, index=index) for index, cohort in enumerate(found))


def share_out(
    cohorts: Sequence[Cohort],
    workers: int,
    max_bytes: int,
    begun: Mapping[str, int] = MappingProxyType({}),
    price: Price = rough_price,
) -> tuple[Shard, ...]:
    """Cut cohorts so that all workers are busy to the end, into as few shards as that takes.

    Each shard's stack takes at most ``max_bytes`` (or has one member). Results do not depend on the
    cut (law 7). ``begun``: identity -> the epochs that a trial goes on from; shards do not mix them.
    ``price``: by what work is shared out; a small stack may be dearer than its share of a large one.
    """
    cohorts = [part for cohort in cohorts for part in by_begin(cohort, begun)]
    prices = [price(cohort) for cohort in cohorts]
    ideal = sum(prices) / max(workers, 1)
    best: list[Cohort] = []
    for finer in range(1, MOST_PIECES + 1):
        pieces = _cut(cohorts, prices, ideal / finer, max_bytes)
        if not best or finishing_time(pieces, workers, price) < finishing_time(best, workers, price) * 0.999:
            best = pieces
        if finishing_time(best, workers, price) <= EVEN_ENOUGH * ideal:
            break
    best.sort(key=lambda piece: -price(piece))
    return tuple(Shard(number, piece, source_of(piece)) for number, piece in enumerate(best))


def by_begin(cohort: Cohort, begun: Mapping[str, int]) -> tuple[Cohort, ...]:
    """Part a cohort by the epochs that its trials have behind them: identity -> epochs, 0 where not named."""
    groups: dict[int, list[TrialPlan]] = {}
    for trial in cohort.trials:
        groups.setdefault(begun.get(trial.identity, 0), []).append(trial)
    return tuple(replace(cohort, trials=tuple(own), begin=begin) for begin, own in groups.items())


def _cut(cohorts: Sequence[Cohort], prices: Sequence[float], most: float, max_bytes: int) -> list[Cohort]:
    return [
        piece
        for cohort, price in zip(cohorts, prices, strict=True)
        for piece in cohort.shards(max(1, math.ceil(price / most - 1e-9)), max_bytes)
    ]


def finishing_time(pieces: Sequence[Cohort], workers: int, price: Price = rough_price) -> float:
    """Return when the last of ``workers`` is done if each takes the costliest piece left when it is free."""
    free_at = [0.0] * max(workers, 1)
    for own in sorted(map(price, pieces), reverse=True):
        heapq.heapreplace(free_at, free_at[0] + own)
    return max(free_at)


def halves(
    shard: Shard,
    trials: Sequence[TrialPlan],
    first_number: int,
    begun: Mapping[str, int] = MappingProxyType({}),
) -> tuple[Shard, ...]:
    """Return the next attempt at those trials of a shard that have not ended: two halves, or one trial.

    A half is parted where its trials go on from different epochs (``begun``: identity -> epochs).
    """
    middle = (len(trials) + 1) // 2
    parts = [part for part in (trials[:middle], trials[middle:]) if part]
    cohorts = [replace(shard.cohort, trials=tuple(part), begin=0) for part in parts]
    pieces = [piece for cohort in cohorts for piece in by_begin(cohort, begun)]
    return tuple(
        replace(shard, number=first_number + place, cohort=piece, attempt=shard.attempt + 1)
        for place, piece in enumerate(pieces)
    )


def source_of(cohort: Cohort) -> str:
    """Return the data that a cohort's trials read: one and the same for all."""
    return cohort.trials[0].experiment.data.reading


def tell_trials(trials: Sequence[TrialPlan]) -> str:
    """Name trials in a sentence: ``level `0.1`, seeds 0, 1`` or ``30 trials (levels ..., seeds ...)``."""
    levels = list(dict.fromkeys(f"`{trial.level}`" for trial in trials))
    seeds = sorted({trial.seed for trial in trials})
    named = f"{_counted('level', _some(levels))}, {_counted('seed', _some([str(seed) for seed in seeds]))}"
    return named if len(trials) <= max(len(levels), len(seeds)) else f"{len(trials)} trials ({named})"


def _counted(noun: str, names: list[str]) -> str:
    return f"{noun}{'' if len(names) == 1 else 's'} {', '.join(names)}"


def _some(names: list[str], most: int = 6) -> list[str]:
    return names if len(names) <= most else [*names[:most], "..."]
