"""What lies beside the rows: weights, readings of test rows, and where the folder is."""

from pathlib import Path

import pytest

from ceteris.errors import CeterisError
from ceteris.records.folders import records_folder
from ceteris.records.store import Store
from ceteris.records.weights import Owner, write_all

from .plans import (
    ended,
    finished_run,
    new_run,
    planned,
    weights,
)

IDENTITIES = [trial.identity for trial in planned()]


# -- weights ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["initial", "final"])
def test_weights_of_every_trial(store: Store, which: str) -> None:
    run = finished_run(store)
    for name in IDENTITIES:
        back = store.load_weights("last", name, which)
        assert {key: array.tobytes() for key, array in back.items()} == {
            key: array.tobytes() for key, array in weights(name, which).items()
        }
    assert len(list(store.weights_folder(run).iterdir())) == 8


def test_weights_that_were_not_kept(store: Store) -> None:
    run = new_run(store)
    with pytest.raises(
        CeterisError, match=f"trial {IDENTITIES[0]} of run {run} has no final weights on record"
    ):
        store.load_weights(run, IDENTITIES[0])
    with pytest.raises(CeterisError, match="there is no trial `nobody` in this run of 4 trials"):
        store.load_weights(run, "nobody")


def test_files_of_a_writer_that_died_before_its_rows_are_ignored(store: Store) -> None:
    run = new_run(store)
    store.begin(run)
    first, end = store.load_run(run).trials[0], ended(IDENTITIES[0])
    owner = Owner(first.identity, first.level, first.seed, first.fold)
    kinds = {"initial": end.initial, "final": end.final}
    stray = write_all(store.weights_folder(run), {0: (owner, kinds)})[0]
    assert store.load_run(run).trials[0].status == "pending"
    with pytest.raises(CeterisError, match="has no final weights on record"):
        store.load_weights(run, IDENTITIES[0])
    store.end_trials(run, [ended(IDENTITIES[0])])
    assert {path.name for path in store.weights_folder(run).iterdir()} == set(stray.values())


# -- readings of the test rows ---------------------------------------------------------------------


def test_every_reading_of_test_rows_is_counted_per_data_set(store: Store) -> None:
    assert store.test_readings("c0ffee").count == 0
    store.record_test_reading("c0ffee", "run-1", "final assessment")
    store.record_test_reading("beef", "run-1", "final assessment")
    readings = store.record_test_reading("c0ffee", "run-2", "prediction")
    assert readings == store.test_readings("c0ffee")
    assert readings.count == 2
    assert [(item.run, item.purpose) for item in readings.readings] == [
        ("run-1", "final assessment"),
        ("run-2", "prediction"),
    ]


def test_the_same_look_is_counted_once(store: Store) -> None:
    for looked_at, count in [(["a", "b"], 1), (["a", "b"], 1), (["a"], 2), (["a", "b"], 2)]:
        assert store.record_test_reading("c0ffee", "run-1", "final assessment", looked_at).count == count
    assert store.record_test_reading("c0ffee", "run-2", "final assessment", ["a", "b"]).count == 3
    assert store.record_test_reading("beef", "run-1", "final assessment", ["a", "b"]).count == 1


# -- the folder ------------------------------------------------------------------------------------


def test_folder_by_name_environment_or_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CETERIS_RUNS", raising=False)
    assert records_folder() == Path("ceteris-runs")
    monkeypatch.setenv("CETERIS_RUNS", "elsewhere")
    assert records_folder() == Path("elsewhere")
    assert records_folder("here") == Path("here")


def test_signs_in_the_folder_name(tmp_path: Path) -> None:
    folder = tmp_path / "runs? #1 100% ö"
    with Store(folder) as store:
        run = finished_run(store)
    assert sorted(path.name for path in folder.iterdir()) == sorted([run, "ceteris.db"])


def test_the_newest_final_test_of_a_run_is_kept(store: Store) -> None:
    run, other = finished_run(store), finished_run(store)
    assert store.load_run(run).final_test is None
    for rows in (10, 20):
        store.record_final_test(run, {"rows": rows})
    assert store.load_run(run).final_test == {"rows": 20}
    assert store.load_run(other).final_test is None
