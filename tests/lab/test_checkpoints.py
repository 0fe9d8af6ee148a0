"""A run that was stopped, or lost a worker, goes on from its last epoch with the same bits.

One whose lab is killed: ``test_kill``.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from ceteris.errors import CeterisError
from ceteris.lab.listener import RunPlan
from ceteris.lab.resume import resume_run
from ceteris.lab.run import run_study
from tests.lab.made import Diary, check_same, held_up, load, share_right, small_study


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["none", "newest", "all"])
def test_a_stopped_run_goes_on_where_it_stopped_or_from_what_is_whole(tmp_path: Path, damage: str) -> None:
    study, runs, asked = small_study(epochs=6, metrics=["share"]), tmp_path / "runs", tmp_path / "asked"
    share = {"share": share_right}
    run_study(study, runs_folder=tmp_path / "whole", workers=1, metrics=share)
    diary = Diary(stop_at=1, asked=asked)
    held = {"share": held_up(asked, readings=2 * 2 * 4)}  # two splits of four trials for two epochs
    run = run_study(
        study,
        runs_folder=runs,
        workers=1,
        metrics=held,
        listener=diary,
        stop=diary.stop,
        checkpoint_seconds=0,
    )
    stopped = load(runs, run).trials
    assert {t.status for t in stopped} == {"pending"}
    reached = {t.identity: len(t.curves["lr"]) for t in stopped}
    folder = runs / run / "checkpoints"
    if damage == "newest":
        tear(max(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns))
    elif damage == "all":
        for path in folder.iterdir():
            tear(path)
    (folder / "left over").touch()
    later = Diary()
    resume_run(run, runs_folder=runs, workers=1, metrics=share, listener=later)
    first = {name: min(m.epoch for m in later.epochs if name in m.rows) for name in reached}
    lost = {"none": 0, "newest": 1, "all": 10**9}[damage]
    assert first == {name: max(0, epochs - lost) for name, epochs in reached.items()}
    assert min(reached.values()) > 1
    check_same(runs, tmp_path / "whole")


def tear(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill a process outright")
def test_halves_of_what_a_killed_worker_trained_go_on_from_the_last_checkpoint(tmp_path: Path) -> None:
    calls, die = tmp_path / "calls", tmp_path / "die"

    def deadly(outputs: Any, targets: Any) -> float:
        with calls.open("ab") as file:
            file.write(b".")
        # Two readings (training, validation) of four members in an epoch: the fourth epoch is under way.
        if die.exists() and calls.stat().st_size > 3 * 2 * 4 + 1:
            die.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return float((outputs.argmax(1) == targets).double().mean())

    study, metrics = small_study(epochs=6, metrics=["deadly"]), {"deadly": deadly}
    run_study(study, runs_folder=tmp_path / "whole", workers=1, metrics=metrics)
    calls.unlink()
    die.touch()
    diary = Diary()
    run_study(
        study,
        runs_folder=tmp_path / "runs",
        workers=1,
        metrics=metrics,
        listener=diary,
        checkpoint_seconds=0,
    )
    (note,) = [note for note in diary.notes if "SIGKILL" in note]
    assert "gone on with from the last checkpoint in smaller parts: 4 trials" in note
    assert [m.epoch for m in diary.epochs] == [0, 1, 2, 3, 4, 5, 3, 4, 5]
    assert {len(m.rows) for m in diary.epochs[3:]} == {2}
    check_same(tmp_path / "runs", tmp_path / "whole")


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    class Blocking(Diary):
        def planned(self, plan: RunPlan) -> None:
            (tmp_path / plan.run / "checkpoints").touch()

    with pytest.raises(CeterisError, match="the state of the training could not be written"):
        run_study(small_study(), runs_folder=tmp_path, workers=1, listener=Blocking(), checkpoint_seconds=0)
    assert load(tmp_path, "last").status == "stopped"
