"""The one writer of a run: turns what workers report into transactions of the store."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from uuid import uuid4

from ceteris.errors import CeterisError
from ceteris.lab.orders import Keeping
from ceteris.records.checkpoints import (
    Found,
    drop_folder,
    find_states,
    generation_paths,
    read_states,
    remove,
)
from ceteris.records.entries import EndedTrial
from ceteris.records.store import Store
from ceteris.train.messages import ArraysMeasured, EpochsMeasured, State, TrialEnded
from ceteris.train.plan import TrialPlan

FLUSH_SECONDS = 1.0
FLUSH_BYTES = 64 * 2**20
BEAT_SECONDS = 30.0
ERRORS_FILE = "errors.log"


class Recorder:
    """Writes one run: epochs that came together in a transaction, ends in groups, heartbeats in between."""

    def __init__(
        self, store: Store, run: str, numerics: str, begun: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        """Write a run of a store.

        Args:
            numerics: names what is computed with; checkpoints of other numerics are not gone on from.
            begun: identity -> the epochs of a checkpoint that its trial goes on from.
        """
        self.store = store
        self.run = run
        self._numerics = numerics
        self._checkpoints = store.checkpoints_folder(run)
        self._reached = dict(begun)
        self._found: dict[str, Found] = {}
        self._needed: dict[Path, set[str]] = {}
        """The trials that each file of checkpoints is kept for."""
        if begun:
            self._find(begun)
        self._ended: list[EndedTrial] = []
        self._over: set[str] = set()
        """Trials that have ended, on record or soon."""
        self._bytes = 0
        self._since = 0.0
        self._last_write = time.monotonic()

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        return self.store.report_path(self.run).parent

    def began(self, trials: Sequence[TrialPlan]) -> None:
        """Note that trials are being trained."""
        self.store.mark_running(self.run, [trial.identity for trial in trials])
        self._last_write = time.monotonic()

    def epochs(self, measured: EpochsMeasured) -> None:
        """Record one or more epochs of the trials of a shard."""
        blocks = dict(zip(measured.identities, measured.numbers.transpose(1, 2, 0), strict=True))
        self.store.record_epochs(self.run, measured.first, measured.names, blocks)
        self._reached |= dict.fromkeys(measured.identities, measured.first + len(measured.numbers))
        self._last_write = time.monotonic()

    def arrays(self, measured: ArraysMeasured) -> None:
        """Record what was asked for of one epoch of the trials of a shard."""
        self.store.record_arrays(self.run, measured.epoch, measured.rows)
        self._last_write = time.monotonic()

    def reached(self, trials: Sequence[TrialPlan]) -> int:
        """Return how many epochs are on record of every one of the trials that has not ended."""
        own = [self._reached.get(t.identity, 0) for t in trials if t.identity not in self._over]
        return min(own, default=0)

    def keeping(self, trials: Sequence[TrialPlan], seconds: float) -> Keeping:
        """Return where a worker keeps the checkpoints of a shard; its name is met in no other sitting."""
        path = self._checkpoints / uuid4().hex
        for own in generation_paths(path):
            self._needed[own] = {trial.identity for trial in trials}
        return Keeping(path, self._numerics, seconds)

    def begun(self, trials: Sequence[TrialPlan]) -> Mapping[str, int]:
        """Return the epochs of the last checkpoint of those trials that have one; nobody trains them now."""
        reached = {t.identity: self._reached.get(t.identity, 0) for t in trials}
        for identity in reached:
            self._found.pop(identity, None)
        self._find(reached)
        return {identity: self._found[identity].epochs for identity in reached if identity in self._found}

    def _find(self, reached: Mapping[str, int]) -> None:
        found = find_states(self._checkpoints, reached, self._numerics)
        self._found |= found
        for identity, state in found.items():
            self._needed.setdefault(state.path, set()).add(identity)

    def states(self, trials: Sequence[TrialPlan]) -> Mapping[str, State]:
        """Read the checkpoints of trials; raises ``CeterisError`` where one changed since it was found."""
        own = {t.identity: self._found[t.identity] for t in trials if t.identity in self._found}
        states = read_states(own, self._numerics)
        for trial in trials:
            if trial.identity not in states:
                raise CeterisError(
                    f"the checkpoint of trial {trial.identity} in {self._checkpoints} has been changed or "
                    f"removed; `ceteris resume {self.run}` begins that trial anew"
                )
        return states

    def ended(self, result: TrialEnded) -> None:
        """Take the end of a trial; it is written together with others soon after."""
        if not self._ended:
            self._since = time.monotonic()
        self._over.add(result.identity)
        self._ended.append(
            EndedTrial(
                identity=result.identity,
                status=result.status,
                diverged_step=result.diverged_step,
                seconds=result.seconds,
                initial=result.initial,
                final=result.final,
            )
        )
        self._bytes += sum(array.nbytes for part in (result.initial, result.final) for array in part.values())
        if self._bytes > FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write the ends that were taken."""
        if self._ended:
            self.store.end_trials(self.run, self._ended)
            self._drop_checkpoints({ended.identity for ended in self._ended})
            self._ended, self._bytes = [], 0
            self._last_write = time.monotonic()

    def _drop_checkpoints(self, ended: set[str]) -> None:
        """Remove the files that were kept for these trials alone."""
        for path, trials in list(self._needed.items()):
            trials.difference_update(ended)
            if not trials:
                remove(path)
                del self._needed[path]

    def drop_checkpoints(self) -> None:
        """Remove all checkpoints, for every trial has ended."""
        drop_folder(self._checkpoints)

    def keep_up(self) -> None:
        """Write what has waited long enough, and a heartbeat where nothing was written for a while."""
        now = time.monotonic()
        if self._ended and now - self._since > FLUSH_SECONDS:
            self.flush()
        elif now - self._last_write > BEAT_SECONDS:
            self.store.heartbeat(self.run)
            self._last_write = now

    def restart(self, trials: Sequence[TrialPlan], begun: Mapping[str, int]) -> None:
        """Forget what trials did after their last checkpoints (``begun``), or all where there is none."""
        self.flush()
        self._reached |= {trial.identity: begun.get(trial.identity, 0) for trial in trials}
        self.store.restart_trials(self.run, [trial.identity for trial in trials], begun)

    def log_error(self, text: str) -> Path:
        """Append a traceback or the last words of a worker to the run's ``errors.log``; return the file."""
        path = self.folder / ERRORS_FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')}\n{text.rstrip()}\n\n")
        return path
