"""A writer killed at any moment leaves a record that opens and shows exactly what was committed."""

import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from ceteris.records.store import Store
from ceteris.records.views import RunRecord
from tests.forked import CAN_FORK, processes

from .plans import METRICS, ended, numbers, planned, record_epochs, weights

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="processes are forked, and killed outright")

SCRIPT = Path(__file__).with_name("writer_process.py")
IDENTITIES = [trial.identity for trial in planned()]
EPOCHS = 25


@dataclass
class Told:
    """What a writer said that it had committed."""

    run: str = ""
    epochs: Counter[str] = field(default_factory=Counter)
    ended: set[str] = field(default_factory=set)
    finished: bool = False


def write_and_kill(folder: Path, name: str, seconds: float) -> Told:
    """Start a writer and kill it so long after its run exists."""
    arguments = [str(SCRIPT), str(folder), name, str(EPOCHS)]
    process = processes.fork_python(arguments, cwd=Path.cwd(), env=os.environ)
    first = process.stdout.readline()
    time.sleep(seconds)
    process.kill()
    rest, _ = process.communicate()
    return read_lines(line for line in (first + rest).decode().splitlines(keepends=True) if line[-1] == "\n")


def read_lines(lines: object) -> Told:
    told = Told()
    for line in lines:  # type: ignore[attr-defined]
        kind, name, *_ = line.split()
        if kind == "run":
            told.run = name
        elif kind == "epoch":
            told.epochs[name] += 1
        elif kind == "ended":
            told.ended.add(name)
        told.finished = kind == "finished"
    return told


def check(store: Store, record: RunRecord, told: Told) -> None:
    assert record.status == ("finished" if told.finished else "stopped")
    assert [trial.identity for trial in record.trials] == IDENTITIES
    for trial in record.trials:
        curve = trial.curves.get("val_loss", np.empty(0))
        # What was told is there; of what was not told, at most the one step under way.
        assert told.epochs[trial.identity] <= len(curve) <= told.epochs[trial.identity] + 1
        np.testing.assert_array_equal(curve, [numbers(trial.identity, at)[1] for at in range(len(curve))])
        if trial.identity in told.ended:
            assert trial.status == "finished"
        if trial.status == "finished":
            assert len(curve) == EPOCHS
            check_weights(store, record.id, trial.identity)
        else:
            assert trial.status == "pending"


def check_weights(store: Store, run: str, identity: str) -> None:
    for which in ("initial", "final"):
        back = store.load_weights(run, identity, which)
        expected = weights(identity, which)
        assert {key: array.tobytes() for key, array in back.items()} == {
            key: array.tobytes() for key, array in expected.items()
        }


def finish_what_is_missing(store: Store, run: str) -> None:
    missing = [trial.identity for trial in store.load_run(run).trials if trial.status == "pending"]
    store.begin(run)
    store.restart_trials(run, missing)
    store.mark_running(run, missing)
    record_epochs(store, run, missing, EPOCHS)
    store.end_trials(run, [ended(name) for name in missing])
    store.finish(run, "finished", 1.0)


@pytest.mark.slow
def test_killed_at_random_moments_again_and_again(tmp_path: Path) -> None:
    moments = random.Random(7)
    for attempt in range(8):
        told = write_and_kill(tmp_path, f"attempt-{attempt}", moments.uniform(0.0, 0.25))
        with Store(tmp_path, create=False) as store:
            check(store, store.load_run(told.run), told)
            finish_what_is_missing(store, told.run)
            whole = Told(told.run, Counter(dict.fromkeys(IDENTITIES, EPOCHS)), set(IDENTITIES), finished=True)
            check(store, store.load_run(told.run), whole)
            assert not list(store.weights_folder(told.run).glob(".*"))
    assert len(METRICS) == 3


def test_killed_once(tmp_path: Path) -> None:
    told = write_and_kill(tmp_path, "once", 0.06)
    with Store(tmp_path, create=False) as store:
        check(store, store.load_run("last"), told)
