"""Runs with real worker processes; each starts two of them, so what can be looked at together is."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ceteris.data.user_arrays import arrays
from ceteris.errors import CeterisError
from ceteris.lab.resume import extend_run, resume_run
from ceteris.lab.run import run_study
from ceteris.lab.trials import as_entry
from ceteris.records.store import Store
from tests.lab.made import (
    Diary,
    all_curves,
    all_weights,
    held_up,
    load,
    share_right,
    small_study,
    small_trials,
)


def shouting(factor: float) -> Callable[..., float]:
    """Return a closure that prints in every way there is."""

    def scaled_error(outputs: Any, targets: Any) -> float:
        print("one line\nand half a line", end="", flush=True)
        os.write(1, b" on the bare descriptor\n")
        return factor * float((outputs.argmax(1) != targets).double().mean())

    return scaled_error


SEEN = "tests.lab.made:rows_seen"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Diary]:
    """A whole run with a metric of the user's own: folder, identifier, and what a listener heard."""
    folder, diary = tmp_path_factory.mktemp("finished"), Diary()
    study = small_study(metrics=["error", SEEN], epochs=3)
    metrics = {"error": shouting(100.0)}
    run = run_study(
        study, study_name="small.yaml", runs_folder=folder, workers=2, metrics=metrics, listener=diary
    )
    return folder, run, diary


def test_a_record_holds_everything(finished: tuple[Path, str, Diary]) -> None:
    folder, run, _ = finished
    record = load(folder, run)
    assert record.status == "finished"
    assert (record.title, record.study_name, record.device) == ("A small study", "small.yaml", "cpu")
    assert record.study["experiment"]["data"]["content"] == record.facts["content"]
    assert (record.facts["train_rows"], record.facts["validation_rows"]) == (1150, 287)
    assert set(record.facts["metrics"]) == {"error", SEEN}
    assert record.versions["randomness scheme"] == "1"
    assert record.numerics["flush_denormal"] is True
    assert record.numerics["blas"]["threads"] == "1"
    assert [(t.level, t.seed, t.status) for t in record.trials] == [
        (level, seed, "finished") for seed in (0, 1) for level in ("0.01", "0.001")
    ]
    for trial in record.trials:
        assert {len(curve) for curve in trial.curves.values()} == {3}
        np.testing.assert_allclose(trial.curves["val_error"], 100 - 100 * trial.curves["val_accuracy"])
        assert set(trial.curves["val_rows_seen"]) == {287}
        assert trial.curves["train_loss"][-1] < trial.curves["train_loss"][0]
    weights = all_weights(folder, record)
    assert all(own["initial head.weight"] != own["final head.weight"] for own in weights.values())


def test_a_listener_hears_everything(finished: tuple[Path, str, Diary]) -> None:
    _, run, diary = finished
    (plan,) = diary.plans
    assert (plan.run, plan.trials, plan.workers, plan.device, plan.kept) == (run, 4, 2, "cpu", 0)
    assert [len(shard.trials) for shard in plan.shards] == [2, 2]
    assert plan.rows == {"0.01": (1150, 287), "0.001": (1150, 287)}
    assert sorted(m.epoch for m in diary.epochs) == [0, 0, 1, 1, 2, 2]
    assert {shard.number for shard, _ in diary.heard} == {0, 1}
    assert set(diary.results.values()) == {"finished"}
    assert len(diary.results) == 4
    assert "one line" in diary.notes
    assert "and half a line on the bare descriptor" in diary.notes


@pytest.mark.slow
def test_a_run_that_is_extended_keeps_its_trials_and_gets_those_of_a_larger_run(
    finished: tuple[Path, str, Diary], tmp_path: Path
) -> None:
    folder, run, _ = finished
    before = load(folder, run)
    with pytest.raises(CeterisError) as error:
        extend_run(run, 3, runs_folder=folder)
    assert [str(problem) for problem in error.value.problems] == [
        "the run measures `error`, a function of your own; go on from Python and give it again: "
        "`metrics={'error': function}`",
        f"the run measures `{SEEN}`, which is code of your own; allow it with --allow-code",
    ]
    diary, metrics = Diary(), {"error": shouting(100.0)}
    extend_run(run, 3, runs_folder=folder, workers=1, metrics=metrics, listener=diary, allow_code=True)
    after = load(folder, run)
    assert (after.status, after.looks, after.first_seeds) == ("finished", 1, 2)
    assert [t.seed for t in after.trials] == [0, 0, 1, 1, 2, 2]
    assert (diary.plans[0].trials, diary.plans[0].kept) == (2, 4)
    curves = all_curves(after)
    assert {t.identity: curves[t.identity] for t in before.trials} == all_curves(before)
    larger = small_study(seeds=3, metrics=["error", SEEN], epochs=3)
    whole = load(tmp_path, run_study(larger, runs_folder=tmp_path, workers=1, metrics=metrics))
    assert curves == all_curves(whole)
    assert all_weights(folder, after) == all_weights(tmp_path, whole)


@pytest.mark.slow
def test_a_run_that_was_stopped_is_resumed_to_the_same_bits_also_from_another_folder(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    dataset = arrays(rng.normal(size=(300, 5)), rng.integers(0, 3, 300), name="arrays")
    study = small_study(data="arrays", epochs=6, metrics=["share"])
    first, asked, share = tmp_path / "first", tmp_path / "asked", {"share": share_right}
    diary = Diary(stop_at=1, asked=asked)
    run = run_study(
        study,
        runs_folder=first,
        dataset=dataset,
        workers=1,
        metrics={"share": held_up(asked, readings=2 * 2 * 4)},  # two splits of four trials for two epochs
        listener=diary,
        stop=diary.stop,
    )
    record = load(first, run)
    assert record.status == "stopped"
    assert {t.status for t in record.trials} == {"pending"}
    assert all(2 <= len(t.curves["val_loss"]) < 6 for t in record.trials)
    moved = first.rename(tmp_path / "moved")
    assert resume_run("last", runs_folder=moved, workers=2, metrics=share) == run
    again = load(moved, run)
    assert again.status == "finished"
    assert [t.identity for t in again.trials] == [t.identity for t in record.trials]
    undisturbed = run_study(study, runs_folder=tmp_path, dataset=dataset, workers=1, metrics=share)
    whole = load(tmp_path, undisturbed)
    assert all_curves(again) == all_curves(whole)
    assert all_weights(moved, again) == all_weights(tmp_path, whole)
    note = Diary()
    resume_run(run, runs_folder=moved, metrics=share, listener=note)
    assert note.notes == [f"the run {run} is complete; nothing is left to train"]
    assert note.plans == []


@pytest.mark.slow
def test_asked_twice_it_stops_at_once_and_keeps_what_is_recorded(tmp_path: Path) -> None:
    diary = Diary(stop_at=2, requests=2)
    run = run_study(
        small_study(epochs=100_000), runs_folder=tmp_path, workers=2, listener=diary, stop=diary.stop
    )
    record = load(tmp_path, run)
    assert record.status == "stopped"
    heard = {identity: m.epoch + 1 for m in diary.epochs for identity in m.rows}
    assert {t.identity: len(t.curves["lr"]) for t in record.trials if t.curves} == heard


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("killed", "a training process was killed by SIGKILL, usually for lack of memory"),
        ("full", "training ran out of memory"),
    ],
)
def test_what_a_worker_lost_is_trained_again_in_halves(tmp_path: Path, how: str, told: str) -> None:
    flag = tmp_path / "happened"

    def deadly(outputs: Any, targets: Any) -> float:
        try:
            flag.touch(exist_ok=False)
        except FileExistsError:
            return 0.0
        print("last words")
        if how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        raise MemoryError("too much")

    diary, study = Diary(), small_study(metrics=["deadly"])
    run = run_study(study, runs_folder=tmp_path, workers=1, metrics={"deadly": deadly}, listener=diary)
    record = load(tmp_path, run)
    assert record.status == "finished"
    assert {len(t.curves["val_deadly"]) for t in record.trials} == {2}
    trials = "4 trials (levels `0.01`, `0.001`, seeds 0, 1)"
    assert f"{told}; begun anew in smaller parts: {trials}" in diary.notes
    assert {len(shard.trials) for shard, _ in diary.heard} == {4, 2}
    log = (tmp_path / run / "errors.log").read_text()
    assert ("last words" if how == "killed" else "MemoryError: too much") in log


@pytest.mark.slow
@pytest.mark.parametrize(("how", "memory"), [("killed", True), ("full", True), ("aborted", False)])
def test_trials_that_fail_twice_are_given_up_in_one_sentence(tmp_path: Path, how: str, memory: bool) -> None:
    def deadly(outputs: Any, targets: Any) -> float:
        if how == "full":
            raise MemoryError("too much")
        os.kill(os.getpid(), signal.SIGKILL if how == "killed" else signal.SIGTERM)
        return 0.0

    study = small_study(vary={}, seeds=1, metrics=["deadly"])
    with pytest.raises(
        CeterisError, match="level `base`, seed 0 could not be trained: it failed each time"
    ) as error:
        run_study(study, runs_folder=tmp_path, workers=1, metrics={"deadly": deadly})
    assert len(error.value.problems) == 1
    record = load(tmp_path, "last")
    assert record.status == "stopped"
    assert f"`ceteris resume {record.id}`" in str(error.value)
    assert ("less memory is needed with a smaller `batch_size`" in str(error.value)) == memory


@pytest.mark.slow
def test_a_metric_that_fails_ends_the_run_with_one_sentence_and_a_traceback_in_the_log(
    tmp_path: Path,
) -> None:
    def broken(outputs: Any, targets: Any) -> float:
        raise ZeroDivisionError("nothing to divide by")

    study = small_study(seeds=1, metrics=["broken"])
    with pytest.raises(CeterisError) as error:
        run_study(study, runs_folder=tmp_path, workers=1, metrics={"broken": broken})
    record = load(tmp_path, "last")
    log = tmp_path / record.id / "errors.log"
    assert [str(problem) for problem in error.value.problems] == [
        "the metric `broken` failed with ZeroDivisionError: nothing to divide by (in levels `0.01`, `0.001`, "
        f"seed 0); the traceback is in {log}"
    ]
    assert "in broken" in log.read_text()
    assert record.status == "stopped"


def test_everything_that_is_wrong_is_said_before_anything_is_recorded(tmp_path: Path) -> None:
    study = small_study(batch_size=5000, metrics=["nowhere:f1"])
    with pytest.raises(CeterisError) as error:
        run_study(study, runs_folder=tmp_path / "runs", device="cuda:99")
    lines = [str(problem) for problem in error.value.problems]
    assert [line.partition(" ")[0] for line in lines] == [
        "experiment.batch_size:",
        "experiment.metrics:",
        "device:",
    ]
    assert "the module of `nowhere:f1` cannot be imported (ModuleNotFoundError" in lines[1]
    assert "there is no device `cuda:99` on this machine; there is `cpu`" in lines[2]
    assert not (tmp_path / "runs").exists()


def test_a_run_that_is_being_trained_is_not_resumed_by_another(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        run = store.create_run({}, "", "", [as_entry(trial) for trial in small_trials()], {}, {}, {}, "cpu")
        store.begin(run)
        with pytest.raises(CeterisError, match=f"the run {run} is being trained by another process"):
            resume_run(run, runs_folder=tmp_path)


def test_nothing_is_begun_where_a_metric_cannot_travel(tmp_path: Path) -> None:
    lock = threading.Lock()
    with pytest.raises(CeterisError) as error:
        run_study(
            small_study(metrics=["a", "b"]),
            runs_folder=tmp_path / "runs",
            metrics={"a": 3, "b": lambda outputs, targets: float(lock.locked())},  # type: ignore[dict-item]
        )
    lines = [str(problem) for problem in error.value.problems]
    assert lines[0] == "experiment.metrics: `a` is a int, not a function of outputs and targets"
    assert lines[1].startswith(
        "experiment.metrics: the metric `b` cannot be sent to a training process (TypeError"
    )


def test_a_stop_before_anything_is_begun_leaves_nothing(tmp_path: Path) -> None:
    diary = Diary()
    diary.stop.request()
    with pytest.raises(KeyboardInterrupt):
        run_study(small_study(), runs_folder=tmp_path / "runs", listener=diary, stop=diary.stop)
    assert not (tmp_path / "runs").exists()
