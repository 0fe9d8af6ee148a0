"""Ctrl-C from Python: it asks the lab to stop and never tears anything apart."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

import ceteris
from ceteris.api.interrupt import AFTER_EPOCH, AT_ONCE, stopping_by_interrupt
from ceteris.lab.listener import Stop
from ceteris.lab.undertaking import heed


def interrupt(told: list[str]) -> None:
    """Interrupt this process and wait for the words, which a thread tells."""
    before, deadline = len(told), time.monotonic() + 30
    signal.raise_signal(signal.SIGINT)
    while len(told) == before and time.monotonic() < deadline:
        time.sleep(0.001)


def test_the_first_asks_for_the_epoch_s_end_the_second_for_an_end_at_once() -> None:
    stop, told = Stop(), list[str]()
    stop.training = True
    before = signal.getsignal(signal.SIGINT)
    with stopping_by_interrupt(stop, told.append):
        interrupt(told)
        assert (stop.after_epoch, stop.at_once) == (True, False)
        interrupt(told)
        assert stop.at_once
        with pytest.raises(KeyboardInterrupt):
            interrupt(told)
    assert told == [AFTER_EPOCH, AT_ONCE]
    assert signal.getsignal(signal.SIGINT) is before


def test_before_training_nothing_is_promised_to_be_kept() -> None:
    stop, told = Stop(), list[str]()
    with stopping_by_interrupt(stop, told.append):
        interrupt(told)
    assert told == ["stopping before anything is trained; Ctrl-C again stops at once"]
    with pytest.raises(KeyboardInterrupt, match="stopped before anything was trained"):
        heed(stop)


def test_in_a_thread_nothing_is_caught() -> None:
    seen = list[object]()

    def work() -> None:
        with stopping_by_interrupt(Stop(), print):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]


@pytest.mark.slow
def test_an_interrupted_run_returns_what_is_there(tmp_path: Path) -> None:
    experiment = ceteris.Experiment(data="digits", model={"kind": "mlp", "hidden": [64]}, epochs=100_000)
    study = ceteris.vary(experiment, batch_size=[8, 16], seeds=1)
    threading.Thread(target=interrupt_when_an_epoch_is_on_record, args=(tmp_path,), daemon=True).start()
    result = ceteris.run(study, runs_dir=tmp_path, progress=False)
    assert result.status == "stopped"
    assert {trial.status for trial in result.trials} == {"pending"}
    assert any(len(trial.curves["val_loss"]) for trial in result.trials if trial.curves)


def interrupt_when_an_epoch_is_on_record(folder: Path) -> None:
    while not any(_has_begun(run.id, folder) for run in ceteris.list_runs(runs_dir=folder)):
        time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGINT)


def _has_begun(run: str, folder: Path) -> bool:
    return any(trial.curves for trial in ceteris.load_run(run, runs_dir=folder).trials)
