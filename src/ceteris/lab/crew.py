"""The worker processes of one sitting, seen from the lab: hire, send orders, take reports, dismiss."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from ceteris.errors import CeterisError
from ceteris.lab.orders import Gone, Hello, Order, Printed, Report, Setup
from ceteris.lab.wire import receive, send
from ceteris.train import numerics

IN_WORKER = "CETERIS_WORKER"
"""Set in the environment of workers."""
COMMAND = ("-P", "-m", "ceteris.lab.worker")
WAITING_REPORTS = 32
"""Reports held for the lab; a worker that is further ahead waits, so memory stays bounded."""
KEPT_LINES = 40
GRACE_SECONDS = 3.0


@dataclass
class _Member:
    process: subprocess.Popen[bytes]
    threads: list[threading.Thread] = field(default_factory=list)
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))


class Crew:
    """Worker processes by number, and one queue with the reports of all. Use it in ``with``.

    Orders are sent from one thread. A worker whose process has ended is reported as ``Gone`` after
    everything that it had reported before.
    """

    def __init__(self, setup: Setup, environment: Mapping[str, str] | None = None) -> None:
        """``environment``: variables on top of those that ``train.numerics`` asks for."""
        _refuse_in_worker()
        self._setup = setup
        self._environment = worker_environment() | dict(environment or {})
        self._members: dict[int, _Member] = {}
        self._reports: queue.Queue[tuple[int, Report]] = queue.Queue(WAITING_REPORTS)
        self._greeted: set[int] = set()
        self._put_back: deque[tuple[int, Report]] = deque()
        self._hired = 0
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.dismiss()

    @property
    def size(self) -> int:
        """How many workers are there."""
        return len(self._members)

    @property
    def ready(self) -> tuple[int, ...]:
        """The workers that have said hello, and are still there."""
        return tuple(worker for worker in self._members if worker in self._greeted)

    def hire(self) -> int:
        """Start a worker and send it the setup; return its number. It answers with ``Hello``."""
        number = self._hired
        self._hired += 1
        process = subprocess.Popen(
            [sys.executable, *COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
        )
        member = _Member(process)
        self._members[number] = member
        for task in (self._take_prints, self._take_reports):
            thread = threading.Thread(target=task, args=(number, member), daemon=True)
            member.threads.append(thread)
            thread.start()
        self.send(number, self._setup)
        return number

    def send(self, worker: int, order: Order) -> None:
        """Send an order; a worker that is gone is told of by ``Gone``, not here."""
        member = self._members.get(worker)
        if member is not None and member.process.stdin is not None:
            with suppress(OSError, ValueError):
                send(member.process.stdin, order)  # type: ignore[arg-type]  # IO[bytes] is a BinaryIO

    def next_report(self, timeout: float) -> tuple[int, Report] | None:
        """Return the next report with its worker's number, or None after ``timeout`` seconds."""
        if self._put_back:
            return self._put_back.popleft()
        try:
            worker, report = self._reports.get(timeout=timeout)
        except queue.Empty:
            return None
        if isinstance(report, Hello):
            self._greeted.add(worker)
        if isinstance(report, Gone):
            _let_go(self._members.pop(worker))
        return worker, report

    def put_back(self, reports: Iterable[tuple[int, Report]]) -> None:
        """Hand reports out again, in this order and before all others: they were taken too early."""
        self._put_back.extendleft(reversed(list(reports)))

    def dismiss(self) -> None:
        """End all workers at once; what they had reported and nobody took is dropped."""
        self._closed.set()
        for member in self._members.values():
            member.process.kill()
        for member in self._members.values():
            _let_go(member)
        self._members.clear()

    def _take_reports(self, number: int, member: _Member) -> None:
        assert member.process.stdout is not None
        with suppress(EOFError, OSError, ValueError):
            while True:
                self._post(number, receive(member.process.stdout))  # type: ignore[arg-type]  # as above
        exit_code = member.process.wait()
        member.threads[0].join(GRACE_SECONDS)
        self._post(number, Gone(exit_code, tuple(member.last_lines)))

    def _take_prints(self, number: int, member: _Member) -> None:
        assert member.process.stderr is not None
        with suppress(OSError, ValueError):
            for line in member.process.stderr:
                text = line.decode(errors="replace").rstrip()
                member.last_lines.append(text)
                self._post(number, Printed(text))

    def _post(self, number: int, report: Report) -> None:
        while not self._closed.is_set():
            with suppress(queue.Full):
                self._reports.put((number, report), timeout=0.2)
                return


def _refuse_in_worker() -> None:
    """Refuse to start workers from a worker, which would go on for ever."""
    if IN_WORKER in os.environ:
        raise CeterisError(
            "a module of yours runs a study when it is imported, and training processes import it for its "
            'metric; put the call that runs the study under `if __name__ == "__main__":`'
        )


def worker_environment() -> dict[str, str]:
    """Return this process's environment with the numerics' variables, and Ceteris itself to be found."""
    home = str(Path(__file__).parents[2])
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    own = {"PYTHONPATH": os.pathsep.join([*paths, home]), IN_WORKER: "1"}
    return dict(os.environ) | numerics.environment() | own


def _let_go(member: _Member) -> None:
    """Wait for the end of a process that ends, and close its pipes."""
    member.process.wait()
    deadline = time.monotonic() + GRACE_SECONDS
    for thread in member.threads:
        if thread is not threading.current_thread():
            thread.join(max(0.0, deadline - time.monotonic()))
    for stream in (member.process.stdin, member.process.stdout, member.process.stderr):
        _close(stream)


def _close(stream: IO[bytes] | None) -> None:
    if stream is not None:
        with suppress(OSError, ValueError):
            stream.close()
