"""The state of a sitting: which shard waits, who trains which, what is lost. No processes in here."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ceteris.lab.shards import Shard, halves
from ceteris.train.plan import TrialPlan

MOST_ATTEMPTS = 2


@dataclass(frozen=True)
class Loss:
    """What became of a shard whose worker died: trials that are tried again, or that are given up."""

    again: tuple[TrialPlan, ...] = ()
    given_up: tuple[TrialPlan, ...] = ()


class Schedule:
    """Hands out shards, the most costly first, and keeps count of what has ended."""

    def __init__(self, shards: Sequence[Shard]) -> None:
        self._waiting = deque(shards)
        self._busy: dict[int, Shard] = {}
        self._left = {trial.identity for shard in shards for trial in shard.trials}
        self._numbers = 1 + max((shard.number for shard in shards), default=-1)
        self.given_up: list[TrialPlan] = []

    @property
    def busy(self) -> tuple[int, ...]:
        """The workers that train."""
        return tuple(self._busy)

    @property
    def waiting(self) -> int:
        """How many shards nobody has begun."""
        return len(self._waiting)

    @property
    def finished(self) -> bool:
        """Whether nobody trains and nothing waits."""
        return not self._busy and not self._waiting

    @property
    def all_ended(self) -> bool:
        """Whether every trial has finished or diverged."""
        return not self._left

    def next_for(self, worker: int) -> Shard | None:
        """Give a free worker the next shard, if there is one."""
        if worker in self._busy or not self._waiting:
            return None
        self._busy[worker] = self._waiting.popleft()
        return self._busy[worker]

    def shard_of(self, worker: int) -> Shard | None:
        """Return what a worker trains."""
        return self._busy.get(worker)

    def ended(self, identity: str) -> None:
        """Note that a trial has finished or diverged."""
        self._left.discard(identity)

    def done(self, worker: int) -> tuple[TrialPlan, ...]:
        """Note that a worker has done its shard; return the trials of it that have not ended."""
        return self._let_go(worker)[1]

    def died(
        self, worker: int, begun: Mapping[str, int] = MappingProxyType({}), *, of_memory: bool = False
    ) -> Loss:
        """Put back what a worker had not finished, in halves; of what has died before, nothing.

        For lack of memory halves are halved again, down to single trials.

        Args:
            begun: identity -> the epochs that a trial goes on from.
            of_memory: whether the worker took more memory than there was, as far as can be told.
        """
        shard, left = self._let_go(worker)
        if shard is None or not left:
            return Loss()
        smaller = of_memory and len(left) > 1
        if shard.attempt >= MOST_ATTEMPTS and not smaller:
            self.given_up += left
            return Loss(given_up=left)
        again = halves(shard, left, self._numbers, begun)
        self._numbers += len(again)
        self._waiting.extend(again)
        return Loss(again=left)

    def _let_go(self, worker: int) -> tuple[Shard | None, tuple[TrialPlan, ...]]:
        shard = self._busy.pop(worker, None)
        trials = shard.trials if shard is not None else ()
        return shard, tuple(trial for trial in trials if trial.identity in self._left)

    def hand_out_no_more(self) -> None:
        """Let workers end what they train; what waits stays undone."""
        self._waiting.clear()
