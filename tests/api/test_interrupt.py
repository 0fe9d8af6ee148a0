"""Ctrl-C from Python: it asks the lab to stop and never tears anything apart."""

import signal
import threading
import time

import pytest

import ceteris
from ceteris.api.interrupt import AFTER_EPOCH, AT_ONCE, stopping_by_interrupt
from ceteris.lab.listener import Stop


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)
    time.sleep(0.05)  # the words are told by a thread


def test_the_first_asks_for_the_epoch_s_end_the_second_for_an_end_at_once() -> None:
    stop, told = Stop(), list[str]()
    before = signal.getsignal(signal.SIGINT)
    with stopping_by_interrupt(stop, told.append):
        interrupt()
        assert (stop.after_epoch, stop.at_once) == (True, False)
        interrupt()
        assert stop.at_once
        with pytest.raises(KeyboardInterrupt):
            interrupt()
    assert told == [AFTER_EPOCH, AT_ONCE]
    assert signal.getsignal(signal.SIGINT) is before


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
def test_an_interrupted_run_returns_what_is_there(tmp_path: object) -> None:
    experiment = ceteris.Experiment(data="digits", model={"kind": "mlp", "hidden": [64]}, epochs=100_000)
    study = ceteris.vary(experiment, batch_size=[8, 16], seeds=1)
    timer = threading.Timer(8.0, signal.raise_signal, [signal.SIGINT])
    timer.start()
    try:
        result = ceteris.run(study, runs_dir=str(tmp_path), progress=False)
    finally:
        timer.cancel()
    assert result.status == "stopped"
    assert {trial.status for trial in result.trials} == {"pending"}
