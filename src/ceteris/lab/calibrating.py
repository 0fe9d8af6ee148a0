"""Measures what training takes where that can pay: a worker trains a cohort's first trials for a moment."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

from ceteris.lab.calibration import Calibration
from ceteris.lab.crew import Crew
from ceteris.lab.datasets import DataPlaces
from ceteris.lab.listener import Listener, Stop
from ceteris.lab.orders import Calibrate, Calibrated, Gone, Job, Printed, Report
from ceteris.lab.planning import Layout, Room, halvings, spare_threads
from ceteris.lab.shards import EVEN_ENOUGH, finishing_time, source_of
from ceteris.spec.model import ModuleModel
from ceteris.train.messages import Timed
from ceteris.train.plan import Cohort

LEAST_SECONDS = 20.0
"""A run that is over sooner, roughly, is laid out by the rule: measuring could gain little."""
ONE_SECONDS = 0.1
"""How long each moment of training lasts, in processor time."""
ALL_SECONDS = 2.0
"""About how much processor time all measuring takes, without what the worker has to load anyway."""
MOST_SECONDS = 10.0
"""The longest that it takes by the clock, where others keep the machine busy."""
PATIENCE = 120.0
"""The longest that training waits for it, with what the worker has to load anyway."""
TOLD_AFTER = 1.0
STACKS = (1, 8, 64)
MOST_STREAMS = 8
"""Rows are ordered, and often prepared, for each stream: a moment's training has no time for many."""
MOST_BYTES = 2**23
"""No stack beyond the caches is tried: a member costs the same in any larger one."""
FEW_TRIALS = 8
"""With so many trials a core the cores stay busy whatever threads could do."""


def samples(
    cohorts: Sequence[Cohort],
    calibration: Calibration,
    rule: Layout,
    room: Room,
    places: DataPlaces,
    ahead: float = 0.0,
) -> tuple[Job, ...]:
    """Return what to train for a moment before a run, where that can pay; often nothing.

    What most depends on stands first: of every kind that is not known, the costliest before the others,
    the largest stack, then the smallest.

    Args:
        cohorts: what is to be trained.
        calibration: what is known.
        rule: how the rule would lay it out.
        room: what there is to train with.
        places: where a worker finds the data.
        ahead: what will be trained after these, as a multiple of them.
    """
    total = sum(map(calibration.seconds, cohorts)) * (1 + ahead)
    pays = room.on_processor and total / rule.workers >= LEAST_SECONDS
    if not pays or not _is_choice(cohorts, rule, room):
        return ()
    kinds: dict[str, Cohort] = {}
    for cohort in sorted(cohorts, key=calibration.seconds, reverse=True):
        own_code = any(isinstance(trial.experiment.model, ModuleModel) for trial in cohort.trials)
        if not calibration.knows(cohort) and not own_code:
            kinds.setdefault(calibration.kind(cohort), cohort)
    few = sum(len(cohort.trials) for cohort in cohorts) < FEW_TRIALS * room.cores
    shared = {spare_threads(workers, room.cores) for workers in halvings(room.cores)} if few else set()
    threads = sorted(shared - {1})
    rounds = zip_longest(*(_stacks(cohort, threads) for cohort in kinds.values()))
    chosen = [sample for one_round in rounds for sample in one_round if sample is not None]
    return tuple(
        Job(number, cohort, places.of(source_of(cohort)), places.folder, initial=places.initial, threads=own)
        for number, (cohort, own) in enumerate(chosen)
    )


def _is_choice(cohorts: Sequence[Cohort], rule: Layout, room: Room) -> bool:
    """Tell whether a run could be laid out otherwise: kinds that differ, or idle cores that could help."""
    if room.cores == 1 or sum(len(cohort.trials) for cohort in cohorts) == 1:
        return False
    pieces = [shard.cohort for shard in rule.shards]
    ideal = sum(piece.work for piece in pieces) / room.cores
    idle = finishing_time(pieces, rule.workers) > EVEN_ENOUGH * ideal
    return len(cohorts) > 1 or (idle and cohorts[0].structure.shares_work)


def _stacks(cohort: Cohort, threads: Sequence[int]) -> Iterator[tuple[Cohort, int]]:
    """Yield stacks of a cohort's first trials, and on how many threads to train them."""
    streams = list(dict.fromkeys((trial.seed, trial.fold) for trial in cohort.trials))[:MOST_STREAMS]
    own = [trial for trial in cohort.trials if (trial.seed, trial.fold) in streams]
    alike = not cohort.structure.shares_work  # one member after another
    most = 1 if alike else max(1, min(len(own), STACKS[-1], MOST_BYTES // max(1, cohort.bytes_per_member())))
    sizes = [most, *(size for size in STACKS if size < most)]
    bare = replace(cohort, structure=replace(cohort.structure, metrics=()), begin=0)
    yield from ((replace(bare, trials=tuple(own[:size])), 1) for size in sizes)
    if not alike:
        yield from ((replace(bare, trials=tuple(own[:1])), number) for number in threads)


def measure(
    crew: Crew, jobs: Sequence[Job], listener: Listener, stop: Stop
) -> tuple[tuple[Cohort, Timed], ...]:
    """Let a worker train these for a moment; return what each took, as far as it came.

    What other workers report meanwhile is put back. A worker that is gone, or too slow, has measured nothing.
    """
    if not jobs or not crew.ready:
        return ()
    worker, cohorts = crew.ready[0], {job.number: job.cohort for job in jobs}
    crew.send(worker, Calibrate(tuple(jobs), ALL_SECONDS))
    begin, told = time.monotonic(), False
    others: list[tuple[int, Report]] = []
    try:
        while time.monotonic() < begin + PATIENCE and not stop.after_epoch:
            match crew.next_report(timeout=0.1):
                case None:
                    pass
                case (_, Printed(text)):
                    listener.note(text)
                case (number, report) if number != worker:
                    others.append((number, report))
                case (_, Calibrated(found)):
                    return tuple((cohorts[number], timed) for number, timed in found)
                case (_, Gone()):
                    return ()
            if not told and time.monotonic() > begin + TOLD_AFTER:
                told = True
                listener.note("calibrating: training a moment of everything, to share it out well")
    finally:
        crew.put_back(others)
    return ()
