import os
import signal
import sys

import pytest

from ceteris.errors import CeterisError
from ceteris.lab.crew import IN_WORKER, Crew, worker_environment
from ceteris.lab.listener import Unheard
from ceteris.lab.orders import Gone, Setup
from ceteris.lab.sitting import tell_end
from ceteris.lab.undertaking import greet
from tests.lab.made import Diary

SETUP = Setup(tuple(sys.path), "cpu")


def test_a_worker_ignores_ctrl_c_and_is_missed_when_it_dies() -> None:
    with Crew(SETUP) as crew:
        first = crew.hire()
        hello = greet(crew, first, Unheard())
        assert hello.problems == ()
        assert (hello.device, hello.device_name, hello.free_bytes) == ("cpu", "cpu", None)
        os.kill(hello.pid, signal.SIGINT)
        assert crew.next_report(timeout=0.3) is None
        os.kill(hello.pid, signal.SIGTERM)
        arrived = crew.next_report(timeout=60)
        assert arrived is not None
        number, report = arrived
        assert number == first
        assert isinstance(report, Gone)
        assert report.exit_code == -signal.SIGTERM
        assert crew.size == 0
        crew.send(first, SETUP)


def test_dismissed_workers_are_gone() -> None:
    with Crew(SETUP) as crew:
        hello = greet(crew, crew.hire(), Unheard())
    with pytest.raises(ProcessLookupError):
        os.kill(hello.pid, 0)


def test_a_worker_leaves_when_nobody_gives_orders_any_more() -> None:
    with Crew(SETUP) as crew:
        greet(crew, crew.hire(), Unheard())
        member = next(iter(crew._members.values()))
        assert member.process.stdin is not None
        member.process.stdin.close()
        assert member.process.wait(timeout=60) == 0


def test_a_worker_that_cannot_start_says_why_in_one_sentence() -> None:
    diary = Diary()
    with Crew(SETUP, {"PYTHONHOME": "/nowhere"}) as crew, pytest.raises(CeterisError) as error:
        greet(crew, crew.hire(), diary)
    assert str(error.value).startswith("a training process could not start: it ended with exit code 1 (")


def test_a_worker_finds_ceteris_and_has_the_numerics() -> None:
    environment = worker_environment()
    assert environment["OPENBLAS_NUM_THREADS"] == "1"
    assert os.path.isdir(os.path.join(environment["PYTHONPATH"].split(os.pathsep)[-1], "ceteris"))


def test_a_worker_starts_no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(IN_WORKER, "1")
    with pytest.raises(CeterisError, match="a module of yours runs a study when it is imported"):
        Crew(SETUP)


def test_the_end_of_a_process_is_told_in_words() -> None:
    assert tell_end(3) == "ended with exit code 3"
    assert tell_end(-9) == "was killed by SIGKILL, usually for lack of memory"
    assert tell_end(-11) == "was killed by SIGSEGV"
    assert tell_end(-250) == "was killed by signal 250"
