"""The one writer of a run: turns what workers report into transactions of the store."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from ceteris.errors import CeterisError
from ceteris.records.checkpoints import read_checkpoint, write_checkpoint
from ceteris.records.entries import EndedTrial
from ceteris.records.store import Store
from ceteris.train.messages import ArraysMeasured, Checkpoint, EpochsMeasured, State, TrialEnded
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
        self._begun = dict(begun)
        self._ended: list[EndedTrial] = []
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
        self._last_write = time.monotonic()

    def arrays(self, measured: ArraysMeasured) -> None:
        """Record what was asked for of one epoch of the trials of a shard."""
        self.store.record_arrays(self.run, measured.epoch, measured.rows)
        self._last_write = time.monotonic()

    @property
    def begun(self) -> Mapping[str, int]:
        """Identity -> the epochs of the last checkpoint, of trials that have one."""
        return self._begun

    def checkpoint(self, kept: Checkpoint) -> None:
        """Keep what a trial needs to go on; its epochs up to there are on record already."""
        folder = self.store.checkpoints_folder(self.run)
        write_checkpoint(folder, kept.identity, kept.epochs, self._numerics, kept.arrays)
        self._begun[kept.identity] = kept.epochs

    def states(self, trials: Sequence[TrialPlan]) -> dict[str, State]:
        """Read the checkpoints of trials; raises ``CeterisError`` where one changed since it was found."""
        folder = self.store.checkpoints_folder(self.run)
        states: dict[str, State] = {}
        for trial in trials:
            found = read_checkpoint(folder, trial.identity, self._numerics)
            if found is None or found[0] != self._begun.get(trial.identity):
                raise CeterisError(
                    f"the checkpoint of trial {trial.identity} in {folder} has been changed or removed; "
                    f"`ceteris resume {self.run}` begins that trial anew"
                )
            states[trial.identity] = found[1]
        return states

    def ended(self, result: TrialEnded) -> None:
        """Take the end of a trial; it is written together with others soon after."""
        if not self._ended:
            self._since = time.monotonic()
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
            self._ended, self._bytes = [], 0
            self._last_write = time.monotonic()

    def keep_up(self) -> None:
        """Write what has waited long enough, and a heartbeat where nothing was written for a while."""
        now = time.monotonic()
        if self._ended and now - self._since > FLUSH_SECONDS:
            self.flush()
        elif now - self._last_write > BEAT_SECONDS:
            self.store.heartbeat(self.run)
            self._last_write = now

    def restart(self, trials: Sequence[TrialPlan]) -> None:
        """Forget the epochs of trials after their last checkpoints, or all where there is none."""
        self.flush()
        self.store.restart_trials(self.run, [trial.identity for trial in trials], self._begun)

    def log_error(self, text: str) -> Path:
        """Append a traceback or the last words of a worker to the run's ``errors.log``; return the file."""
        path = self.folder / ERRORS_FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')}\n{text.rstrip()}\n\n")
        return path
