"""What training takes on this machine, kind by kind: what was measured, learnt, or is roughly so.

It decides how work is cut and shared out, which changes no bit of a result (law 7). So any numbers will do,
and wrong ones cost no more than time.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from ceteris.nets.architecture import random_amounts
from ceteris.spec.model import ModuleModel
from ceteris.train.messages import Timed
from ceteris.train.plan import Cohort

ROUGH, ROUGH_MODULE = 8e-11, 5e-10
"""Seconds of a core for a unit of ``Cohort.work``, where nothing is known: of built-in stacks, of modules."""

SHORTEST = 1e-9
"""Nothing is taken to take less."""

RULE, CACHED, MEASURED = "rule", "cached", "measured"
"""By what a run is laid out: multiplications, what was known before, or what was measured for it."""

Kinds = Mapping[str, tuple[Timed, ...]]
"""Kind -> what was measured of it, at most once for a number of members and of threads."""


def kind_of(cohort: Cohort, machine: str) -> str:
    """Return the kind of a cohort's training on a machine: steps of one kind take as long.

    It is its structure without epochs and steps, where anything is drawn, and whether rows are augmented.
    """
    models = [trial.experiment.model for trial in cohort.trials]
    amounts = [random_amounts(model) for model in models if not isinstance(model, ModuleModel)]
    drawn = sorted({place for own in amounts for place, amount in enumerate(own) if amount})
    augmented = any(trial.experiment.data.augment.changes for trial in cohort.trials)
    told = (machine, replace(cohort.structure, epochs=0, steps=0), drawn, augmented)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:32]


class Calibration:
    """What is known of the kinds of training on one machine, and what cohorts will take by it."""

    def __init__(
        self,
        machine: str,
        kinds: Kinds = MappingProxyType({}),
        rows: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """``rows``: identity of a trial -> the rows that are evaluated after each of its epochs."""
        self._machine = machine
        self._kinds = dict(kinds)
        self._rows = rows
        self._pace = 1.0
        self._keys: dict[int, str] = {}
        self.new: dict[str, tuple[Timed, ...]] = {}
        """The kinds of which something was added."""
        self.source = CACHED
        """Where what it knows is from."""

    def kind(self, cohort: Cohort) -> str:
        """Return the kind of a cohort or of a part of one."""
        if cohort.index not in self._keys:
            self._keys[cohort.index] = kind_of(cohort, self._machine)
        return self._keys[cohort.index]

    def knows(self, cohort: Cohort) -> bool:
        """Tell whether anything is known of this kind on one thread."""
        return any(timed.threads == 1 for timed in self._kinds.get(self.kind(cohort), ()))

    def add(self, cohort: Cohort, timed: Timed) -> None:
        """Take in what training took; it counts as much as all that was known before."""
        kind = self.kind(cohort)
        own = replace(timed, members=2 ** round(math.log2(timed.members)))  # so that there are few
        known = {(old.members, old.threads): old for old in self._kinds.get(kind, ())}
        before = known.get((own.members, own.threads))
        known[own.members, own.threads] = own if before is None else _mixed(before, own, 0.5)
        self._kinds[kind] = self.new[kind] = tuple(known.values())

    def take(self, found: Iterable[tuple[Cohort, Timed]]) -> None:
        """Take in what was measured for the run to come."""
        for cohort, timed in found:
            self.add(cohort, timed)
            self.source = MEASURED

    def scale_to(self, cohorts: Sequence[Cohort]) -> None:
        """Let those of these cohorts that are known say how long the others take for their work."""
        known = [cohort for cohort in cohorts if self.timed(cohort) is not None]
        if known:
            self._pace = sum(map(self.seconds, known)) / sum(map(_rough_seconds, known))

    def seconds(self, cohort: Cohort, threads: int = 1) -> float:
        """Return how long one worker trains a cohort, or a part of one, in one stack."""
        own = self.timed(cohort, threads)
        if own is None:
            return _rough_seconds(cohort) * self._pace
        epochs = cohort.structure.epochs - cohort.begin
        rows = sum(self._rows.get(trial.identity, 0) for trial in cohort.trials)
        each = cohort.steps * own.step + own.epoch
        return max(epochs * (len(cohort.trials) * each + rows * own.row), SHORTEST)

    def step_seconds(self, cohort: Cohort, threads: int = 1) -> float:
        """Return what a step of the whole stack takes; 0 where nothing is known."""
        own = self.timed(cohort, threads)
        return 0.0 if own is None else own.step * len(cohort.trials)

    def timed(self, cohort: Cohort, threads: int = 1) -> Timed | None:
        """Return what a member takes in a stack of that size; None where nothing is known of its kind."""
        known = self._kinds.get(self.kind(cohort), ())
        members = len(cohort.trials)
        wanted = threads if cohort.structure.shares_work else 1
        others = {timed.threads for timed in known} - {wanted, 1}
        found = (_between(known, members, own) for own in (wanted, 1, *sorted(others)))
        return next(filter(None, found), None)


def _rough_seconds(cohort: Cohort) -> float:
    return cohort.work * (ROUGH if cohort.structure.shares_work else ROUGH_MODULE)


def _between(known: Iterable[Timed], members: int, threads: int) -> Timed | None:
    """Return what lies between the next smaller and the next larger stack, by the logarithms of sizes."""
    own = sorted((t for t in known if t.threads == threads), key=lambda timed: timed.members)
    below = [timed for timed in own if timed.members <= members]
    above = [timed for timed in own if timed.members >= members]
    if not below or not above:
        return below[-1] if below else above[0] if above else None
    low, high = below[-1], above[0]
    if low is high:
        return low
    return _mixed(low, high, math.log(members / low.members) / math.log(high.members / low.members))


def _mixed(one: Timed, other: Timed, share: float) -> Timed:
    """Return times between two, geometrically: the ``other`` at a share of 1."""

    def mix(a: float, b: float) -> float:
        return a ** (1 - share) * b**share if a > 0 and b > 0 else a + (b - a) * share

    times = (mix(one.step, other.step), mix(one.row, other.row), mix(one.epoch, other.epoch))
    return Timed(one.members, one.threads, *times)
