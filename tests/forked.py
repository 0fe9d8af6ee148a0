"""Training processes for tests that come out of a template by fork, in milliseconds instead of seconds.

A training process spends three seconds of processor time on importing torch and the compiler before it
says hello, and the suite starts more than a hundred of them. The template has imported what they import
and done nothing else. A worker is then a process of its own, as a started one is: with its own pipes and
memory, with an exit code, and it can be killed. How processes start is tested with the fixture
``started_workers``, and by every test that runs the command line.

Run as a script, this is the template: it forks whenever four descriptors arrive on its standard input.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NoReturn

NUMBER = struct.Struct(">i")
NEEDED = (
    "ceteris.lab.worker",
    "ceteris.lab.devices",
    "ceteris.lab.implementations",
    "ceteris.lab.own_metrics",
    "ceteris.lab.own_modules",
    "ceteris.data.sources",
    "ceteris.train.loop",
    "sklearn.datasets",
    "threadpoolctl",
)


class Template:
    """A process that forks workers of one environment; it ends with this one."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = decisive(environment)
        self._channel, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", str(Path(__file__))]
            self._process = subprocess.Popen(command, stdin=theirs, env=dict(environment))

    def makes(self, environment: Mapping[str, str]) -> bool:
        """Whether its workers are those of an environment."""
        return decisive(environment) == self._environment

    def fork(self) -> Forked:
        """Return a new worker."""
        return Forked(self._channel)

    def close(self) -> None:
        """End the template."""
        self._channel.close()
        self._process.kill()  # its own way out takes a while
        self._process.wait()


def decisive(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out what pytest says of the running test, and what scikit-learn sets when it is imported."""
    return {name: value for name, value in environment.items() if not name.startswith(("PYTEST_", "KMP_"))}


class Forked:
    """A worker that a template made, as ``Crew`` knows processes: a part of ``subprocess.Popen``."""

    def __init__(self, channel: socket.socket) -> None:
        pipes = [os.pipe() for _ in range(4)]
        (orders, to_orders), *others = pipes
        ours, theirs = [reading for reading, _ in others], [orders, *(writing for _, writing in others)]
        socket.send_fds(channel, [b"a worker"], theirs)
        for descriptor in theirs:
            os.close(descriptor)
        self.stdin = os.fdopen(to_orders, "wb")
        self.stdout, self.stderr = os.fdopen(ours[0], "rb"), os.fdopen(ours[1], "rb")
        self._status = ours[2]
        self.pid = self._told()
        self._code: int | None = None
        self._lock = threading.Lock()

    def _told(self) -> int:
        (number,) = NUMBER.unpack(os.read(self._status, NUMBER.size))
        return int(number)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code, negative for a signal; raises ``subprocess.TimeoutExpired``."""
        with self._lock:
            if self._code is None:
                if not select.select([self._status], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired("a worker", timeout or 0.0)
                self._code = self._told()
                os.close(self._status)
            return self._code

    def kill(self) -> None:
        """End it, if it has not ended."""
        if self._code is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


def serve(channel: socket.socket) -> None:
    """Fork a worker for every four descriptors: its three streams, and where to tell of it."""
    for name in NEEDED:
        import_module(name)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, descriptors, *_ = socket.recv_fds(channel, 64, 4)
        if not message:
            return
        if os.fork() == 0:
            channel.close()
            keep(descriptors)
        close(descriptors)


def keep(descriptors: list[int]) -> NoReturn:
    """Start the worker, tell its number, wait for its end and tell how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *streams, status = descriptors
    worker = os.fork()
    if worker == 0:
        os.close(status)
        work(streams)
    close(streams)
    os.write(status, NUMBER.pack(worker))
    _, how = os.waitpid(worker, 0)
    with suppress(OSError):  # nobody is interested any more
        os.write(status, NUMBER.pack(os.waitstatus_to_exitcode(how)))
    os._exit(0)


def work(streams: list[int]) -> NoReturn:
    """Be a worker on these streams."""
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    close(streams)
    try:
        import_module("ceteris.lab.worker").main()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def close(descriptors: Iterable[int]) -> None:
    """Close descriptors."""
    for descriptor in descriptors:
        os.close(descriptor)


if __name__ == "__main__":
    with socket.socket(fileno=os.dup(0)) as standard_input:
        serve(standard_input)
