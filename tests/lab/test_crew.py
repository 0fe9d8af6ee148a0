import os
import signal
import sys

import pytest

from ceteris.errors import CeterisError
from ceteris.lab import undertaking
from ceteris.lab.crew import IN_WORKER, Crew, _Member, worker_environment
from ceteris.lab.listener import Unheard
from ceteris.lab.orders import Gone, Hello, Printed, Setup
from ceteris.lab.sitting import tell_end
from ceteris.lab.undertaking import greet, hire_ahead
from tests.lab.made import Diary

pytestmark = pytest.mark.usefixtures("started_workers")

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


def test_hellos_of_other_workers_are_kept_for_the_sitting() -> None:
    hellos = [Hello(pid, "cpu", "cpu", {}, {}, None, {}) for pid in range(4)]
    diary = Diary()
    with Crew(SETUP) as crew:
        for worker in (3, 1, 2, 0):
            crew._post(worker, Printed(f"here is {worker}"))
            crew._post(worker, hellos[worker])
        crew._members.update({worker: _Member(None) for worker in range(5)})  # type: ignore[arg-type]
        assert greet(crew, 2, diary) == hellos[2]
        assert crew.ready == (1, 2, 3), "worker 0 has not said hello yet, and worker 4 is still importing"
        assert [crew.next_report(timeout=0) for _ in range(3)] == [
            (3, hellos[3]),
            (1, hellos[1]),
            (0, Printed("here is 0")),
        ]
        assert crew.next_report(timeout=0) == (0, hellos[0])
        assert crew.ready == (0, 1, 2, 3)
        crew._members.clear()
    assert diary.notes == ["here is 3", "here is 1", "here is 2"]


@pytest.mark.parametrize(
    ("device", "card", "workers", "trials", "hired"),
    [
        ("cpu", True, 3, 8, 3),
        ("cpu", True, 3, 2, 2),
        ("auto", False, 3, 8, 3),
        ("auto", True, 3, 8, 1),
        ("cuda", True, 3, 8, 1),
        ("auto", False, 1, 8, 1),
    ],
)
def test_all_workers_start_side_by_side(
    monkeypatch: pytest.MonkeyPatch, device: str, card: bool, workers: int, trials: int, hired: int
) -> None:
    monkeypatch.setattr(undertaking, "may_have_card", lambda: card)
    started = iter(range(9))
    with Crew(SETUP) as crew:
        monkeypatch.setattr(crew, "hire", lambda: next(started))
        assert hire_ahead(crew, device, workers, trials) == 0
    assert next(started) == hired


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
