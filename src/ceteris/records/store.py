"""The store: all records of one folder, for one writer per run and any number of readers.

A folder holds ``ceteris.db`` and, per run, ``<run>/weights/*.safetensors`` and the report. Every
public method is one short transaction (``load_run`` decodes after it), so a store can be shared
by threads and a folder by processes. Epochs are appended as they finish and compacted when their
trial ends (see ``curves``); weights are on the disk before the row that names them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from ceteris.errors import CeterisError
from ceteris.records import array_queries, reading, run_queries, sessions, test_rows, trial_queries
from ceteris.records.arrays import pack_array
from ceteris.records.curves import pack
from ceteris.records.database import Database
from ceteris.records.entries import ArrayName, Arrays, EndedTrial, PlannedTrial
from ceteris.records.folders import database_file, prepare_folder, records_folder
from ceteris.records.migrations import bring_up_to_date
from ceteris.records.names import new_run_id, resolve_run
from ceteris.records.plain_json import to_column
from ceteris.records.schema import AnyRow
from ceteris.records.sessions import Session
from ceteris.records.views import RunRecord, RunSummary, TestReadings
from ceteris.records.weights import Kind, Owner, read_weights, write_all
from ceteris.records.writers import STALE_SECONDS, this_process

__all__ = ["Store", "records_folder"]


class Store:
    """The records in a folder. Close it, or use it in ``with``: runs begun and not finished then stop."""

    def __init__(
        self, folder: str | Path, *, create: bool = True, stale_after: float = STALE_SECONDS
    ) -> None:
        """Open the records in ``folder``, migrating older ones; ``create`` makes them where there are none.

        ``stale_after`` (s): a run without a heartbeat for longer reads as stopped. Raises
        ``CeterisError`` where the folder or the database in it cannot be used.
        """
        self.folder = Path(folder).expanduser().absolute()
        self._stale = stale_after
        self._sessions: dict[str, Session] = {}
        self._database = Database(database_file(self.folder, create))
        try:
            bring_up_to_date(self._database)
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Mark the runs that this store still writes as stopped, and let go of the file."""
        for session in self._sessions.values():
            # What cannot be written now (a full disk) is told by the heartbeat that ends.
            with suppress(CeterisError), self._database.write() as connection:
                sessions.stop(connection, session, time.time())
        self._sessions.clear()
        self._database.close()

    # -- planning a run ------------------------------------------------------------------------

    def create_run(
        self,
        study: Mapping[str, Any],
        study_name: str,
        title: str,
        trials: Sequence[PlannedTrial],
        facts: Mapping[str, Any],
        versions: Mapping[str, str],
        numerics: Mapping[str, Any],
        device: str,
    ) -> str:
        """Record a new run with its trials, all pending, and return its identifier.

        Raises ``CeterisError`` where two trials are the same (two levels with equal experiments).
        """
        moment = datetime.now(UTC)
        columns = {
            "title": title,
            "study_name": study_name,
            "created": moment.isoformat(timespec="microseconds"),
            "device": device,
            "study": to_column(study),
            "facts": to_column(facts),
            "versions": to_column(versions),
            "numerics": to_column(numerics),
            "first_seeds": len({trial.seed for trial in trials}),
        }
        with self._database.write() as connection:
            taken = set(run_queries.run_ids(connection))
            run = new_run_id(study_name, title, moment)
            while run in taken:
                run = new_run_id(study_name, title, moment)
            key = run_queries.insert_run(connection, {"id": run, **columns})
            trial_queries.plan_trials(connection, key, trials)
        return run

    def add_trials(self, run: str, planned: Sequence[PlannedTrial]) -> None:
        """Add trials to a run that no other process writes; those it has already stay as they are."""
        with self._database.write() as connection:
            trial_queries.plan_trials(connection, self._key_to_change(connection, run), planned)

    def add_levels(self, run: str, study: Mapping[str, Any], planned: Sequence[PlannedTrial]) -> None:
        """Add trials of new levels together with the study that has these levels, as a search goes on."""
        with self._database.write() as connection:
            key = self._key_to_change(connection, run)
            run_queries.replace_study(connection, key, to_column(study))
            trial_queries.plan_trials(connection, key, planned)

    def note_extension(self, run: str, looks: int, first_seeds: int) -> None:
        """Keep how often verdicts were looked at (``looks``) and the number of seeds of the first look."""
        with self._database.write() as connection:
            run_queries.note_looks(connection, self._key_to_change(connection, run), looks, first_seeds)

    def note_plan(self, run: str, plan: Mapping[str, Any]) -> None:
        """Keep how a run is laid out, as plain JSON: ``facts["plan"]`` of its record."""
        with self._database.write() as connection:
            run_queries.note_plan(connection, self._key_to_change(connection, run), plan)

    def restart_trials(
        self, run: str, identities: Iterable[str], kept: Mapping[str, int] | None = None
    ) -> None:
        """Make those of the trials that have not ended pending, dropping the epochs they had reached.

        ``kept``: identity -> how many of its first epochs stay, of a trial that goes on from there.
        """
        with self._database.write() as connection:
            key = self._key_to_change(connection, run)
            known = trial_queries.trial_rows(connection, key, identities)
            first = {row.key: (kept or {}).get(identity, 0) for identity, row in known.items()}
            keys = trial_queries.unended(known)
            trial_queries.restart(connection, key, {own: first[own] for own in keys})

    # -- writing a run -------------------------------------------------------------------------

    def begin(self, run: str) -> None:
        """Become the one writer of a run; raises ``CeterisError`` while another process is."""
        writer = this_process()
        with self._database.write() as connection:
            session = sessions.claim(connection, run, writer, time.time(), self._stale)
        self._sessions[run] = session
        prepare_folder(self.weights_folder(run))

    def heartbeat(self, run: str) -> None:
        """Say that the writer lives, at least every few minutes; each epoch recorded says so too."""
        with self._database.write() as connection:
            self._beat(connection, run)

    def mark_running(self, run: str, identities: Iterable[str]) -> None:
        """Mark trials as running (those that have ended stay as they are)."""
        with self._database.write() as connection:
            key = self._beat(connection, run)
            known = trial_queries.trial_rows(connection, key, identities)
            trial_queries.set_running(connection, trial_queries.unended(known))

    def record_epoch(
        self, run: str, epoch: int, metric_names: Sequence[str], rows: Mapping[str, NDArray[np.float64]]
    ) -> None:
        """Append one finished epoch of many trials; ``rows`` is identity -> (len(metric_names),) float64."""
        blocks = {identity: np.reshape(row, (*np.shape(row), 1)) for identity, row in rows.items()}
        self.record_epochs(run, epoch, metric_names, blocks)

    def record_epochs(
        self, run: str, first: int, metric_names: Sequence[str], blocks: Mapping[str, NDArray[np.float64]]
    ) -> None:
        """Append finished epochs of many trials, from the epoch ``first`` on, in one transaction.

        ``blocks`` is identity -> (len(metric_names), epochs) float64. Epochs count up (only their order
        matters). What a trial has from ``first`` on already, and any of an ended trial, is left as it was.
        """
        blobs = [_epochs_blob(block, metric_names) for block in blocks.values()]
        session = self._session(run)
        with self._database.write() as connection:
            key = self._beat(connection, run)
            keys = trial_queries.trial_keys(connection, key, blocks, session.trial_keys)
            by_key = dict(zip(keys, blobs, strict=True))
            trial_queries.append_epochs(connection, key, first, metric_names, by_key)

    def record_arrays(
        self, run: str, epoch: int, rows: Mapping[str, Mapping[ArrayName, NDArray[np.generic]]]
    ) -> None:
        """Append what was measured on request of many trials: identity -> (kind, name) -> array.

        ``epoch`` is 0 before training and n after n epochs. Whole numbers and floats are kept in 64 bits. An
        array that a trial has already, and any of an ended trial, is left as it was.
        """
        blobs = [{name: pack_array(array) for name, array in own.items()} for own in rows.values()]
        session = self._session(run)
        with self._database.write() as connection:
            key = self._beat(connection, run)
            keys = trial_queries.trial_keys(connection, key, rows, session.trial_keys)
            array_queries.append_arrays(connection, key, epoch, dict(zip(keys, blobs, strict=True)))

    def end_trials(self, run: str, ended: Sequence[EndedTrial]) -> None:
        """Record how trials ended, with their weights, and compact their curves.

        The files of weights are whole and on the disk before the rows commit; a crash in between
        leaves files that nothing refers to and that the next attempt overwrites. Trials that have
        ended before are left as they were.
        """
        with self._database.write() as connection:
            key = self._beat(connection, run)
            known = trial_queries.trial_rows(connection, key, [item.identity for item in ended])
        unended = set(trial_queries.unended(known))
        fresh = {known[item.identity].key: item for item in ended if known[item.identity].key in unended}
        owned = {key: (_owner(known[item.identity]), _by_kind(item)) for key, item in fresh.items()}
        names = write_all(self.weights_folder(run), owned)
        with self._database.write() as connection:
            trial_queries.end(connection, self._beat(connection, run), fresh, names)

    def finish(self, run: str, status: Literal["finished", "stopped"], seconds: float) -> None:
        """End the writing of a run; ``seconds`` of this session are added to those of earlier ones."""
        with self._database.write() as connection:
            self._beat(connection, run)
            sessions.finish(connection, self._session(run), status, seconds)
        del self._sessions[run]

    # -- reading -------------------------------------------------------------------------------

    def load_run(self, run: str) -> RunRecord:
        """Return a run by its identifier, the beginning of it, or ``last``.

        Raises ``CeterisError`` for an unknown one, with the nearest and the most recent. Curves
        that are damaged raise it when they are touched; the other trials load.
        """
        with self._database.read() as connection:
            raw = reading.read_run(connection, self._resolve(connection, run))
        return reading.as_run_record(raw, self.folder, time.time(), self._stale)

    def list_runs(self) -> tuple[RunSummary, ...]:
        """Return one line per run, newest first."""
        with self._database.read() as connection:
            rows = run_queries.summary_rows(connection)
        now = time.time()
        return tuple(run_queries.as_summary(row, now, self._stale) for row in rows)

    def load_arrays(self, run: str, kinds: Sequence[str]) -> Sequence[AnyRow]:
        """Return the rows of arrays of some kinds, packed; ``ceteris.records.probed`` makes views of them."""
        with self._database.read() as connection:
            key = run_queries.run_row(connection, self._resolve(connection, run)).key
            return array_queries.array_rows(connection, key, kinds)

    def load_weights(self, run: str, identity: str, which: Kind = "final") -> dict[str, NDArray[np.generic]]:
        """Return the weights of a trial by parameter name; raises ``CeterisError`` where there are none."""
        with self._database.read() as connection:
            name = self._resolve(connection, run)
            file = trial_queries.weights_file(
                connection, run_queries.run_row(connection, name).key, identity, which
            )
        if file is None:
            raise CeterisError(f"trial {identity} of run {name} has no {which} weights on record")
        return read_weights(self.weights_folder(name) / Path(file).name, identity)

    def report_path(self, run: str) -> Path:
        """Return where the report of a run lies (whether it is written yet or not)."""
        return self.folder / run / "report.html"

    def weights_folder(self, run: str) -> Path:
        """Return where the weights of a run lie."""
        return self.folder / run / "weights"

    def checkpoints_folder(self, run: str) -> Path:
        """Return where training processes keep the checkpoints of trials that have not ended."""
        return self.folder / run / "checkpoints"

    # -- readings of test rows -----------------------------------------------------------------

    def record_test_reading(
        self, content_hash: str, run: str, purpose: str, looked_at: Sequence[str] = ()
    ) -> TestReadings:
        """Count one reading of the test rows of a data set (law 4) and return all, this one included.

        ``looked_at`` says what of the run is judged: a second look at the same shows what the first one did,
        and is not counted. Without it every reading counts.
        """
        with self._database.write() as connection:
            test_rows.add_reading(connection, content_hash, run, purpose, looked_at)
            return test_rows.readings_of(connection, content_hash)

    def test_readings(self, content_hash: str) -> TestReadings:
        """Return how often the test rows of a data set were read, when, by which run and what for."""
        with self._database.read() as connection:
            return test_rows.readings_of(connection, content_hash)

    def record_final_test(self, run: str, content: Mapping[str, Any]) -> None:
        """Keep what the test rows said of a run, as plain JSON; ``load_run`` returns the newest."""
        with self._database.write() as connection:
            key = run_queries.run_row(connection, self._resolve(connection, run)).key
            test_rows.add_final_test(connection, key, content)

    # -- shared --------------------------------------------------------------------------------

    def _session(self, run: str) -> Session:
        if run not in self._sessions:
            raise CeterisError(f"run {run} has to be begun (`begin`) before it is written")
        return self._sessions[run]

    def _beat(self, connection: Connection, run: str) -> int:
        return sessions.beat(connection, self._session(run), time.time())

    def _key_to_change(self, connection: Connection, run: str) -> int:
        session = self._sessions.get(run)
        return sessions.key_to_change(connection, run, session, time.time(), self._stale)

    def _resolve(self, connection: Connection, run: str) -> str:
        return resolve_run(run, run_queries.run_ids(connection), self.folder)


def _owner(row: AnyRow) -> Owner:
    return Owner(row.identity, row.level, int(row.seed), row.fold)


def _by_kind(trial: EndedTrial) -> dict[Kind, Arrays]:
    kinds: dict[Kind, Arrays] = {"initial": trial.initial, "final": trial.final}
    return {kind: arrays for kind, arrays in kinds.items() if arrays}


def _epochs_blob(block: NDArray[np.float64], names: Sequence[str]) -> bytes:
    shape = np.shape(block)
    if len(shape) != 2 or shape[0] != len(names):
        raise ValueError(f"an epoch has {len(names)} metrics, and a trial gave numbers of shape {shape[:-1]}")
    return pack(np.asarray(block, dtype=np.float64))
