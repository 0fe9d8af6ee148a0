"""Python processes for tests that come out of a template by fork, in milliseconds instead of seconds.

A training process spends two seconds of processor time on importing what it needs before it says hello, and
a command as much; the suite starts hundreds of both. The template has imported what they import, loaded the
kernels, and done nothing else. What is forked is then a process of its own, as a started one is: with its
own streams, memory, folder and environment, with an exit code, and it can be killed. How processes start is
tested with the fixtures ``started_workers`` and ``started``, and by every test that starts one by itself.

Run as a script, this is the template: it forks whenever an order and four descriptors arrive on its standard
input.
"""

from __future__ import annotations

import gc
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, Self

ROOT = Path(__file__).parents[1]
NUMBER = struct.Struct(">i")
LARGEST_ORDER = 1 << 17
WORKER = ("-P", "-m", "ceteris.lab.worker")
BESIDES = (
    "cloudpickle",
    "pandas",
    "rich.progress",
    "rich.table",
    "safetensors.numpy",
    "scipy.stats",
    "sklearn.datasets",
    "threadpoolctl",
)
"""What Ceteris imports where it is needed, and often is."""
COUNTING = ("PYTHON", "LD_", "NUMBA_", "OMP_", "OPENBLAS_", "MKL_", "CUBLAS_", "CUDA_", "TORCH_", "PYTORCH_")
"""How the names of variables begin that count when a process starts and when modules are imported."""


class Template:
    """A process that forks others; it ends with this one."""

    def __init__(
        self,
        channel: socket.socket,
        environment: Mapping[str, str],
        process: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self._channel = channel
        self._environment = decisive(environment)
        self._process = process

    @classmethod
    def started(cls, environment: Mapping[str, str]) -> Self:
        """Start a template."""
        ours, theirs = _channel()
        with theirs:
            command = [sys.executable, "-P", str(Path(__file__))]
            process = subprocess.Popen(command, stdin=theirs, env=dict(environment))
        return cls(ours, environment, process)

    @classmethod
    def forked(cls) -> Self:
        """Fork a template from this process, which came out of one and has no threads yet."""
        ours, theirs = _channel()
        if os.fork() == 0:
            ours.close()
            serve(theirs)
            os._exit(0)
        theirs.close()
        return cls(ours, os.environ)

    def makes(self, environment: Mapping[str, str]) -> bool:
        """Whether a process that is forked is like one that is started with an environment."""
        return decisive(environment) == self._environment

    def fork(self, arguments: Sequence[str], folder: str, environment: Mapping[str, str]) -> Forked:
        """Return a new process that does what Python does with these arguments."""
        # What is started where interrupts are ignored, as in the background of a script, ignores them too.
        deaf = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        order = json.dumps([list(arguments), folder, dict(environment), deaf])
        return Forked(self._channel, order.encode())

    def close(self) -> None:
        """End the template."""
        self._channel.close()
        if self._process is not None:
            self._process.kill()  # its own way out takes a while
            self._process.wait()


def _channel() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def decisive(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of an environment that count before a process can be told of others."""
    own = {name: value for name, value in environment.items() if name.startswith(COUNTING)}
    home = str(ROOT / "src")  # workers are told where Ceteris is, which the template knows
    paths = own.pop("PYTHONPATH", "").split(os.pathsep)
    return own | {"PYTHONPATH": os.pathsep.join(path for path in paths if path not in ("", home))}


class Forked:
    """A process that a template made, as ``subprocess.Popen`` knows processes."""

    def __init__(self, channel: socket.socket, order: bytes) -> None:
        pipes = [os.pipe() for _ in range(4)]
        (orders, to_orders), *others = pipes
        ours, theirs = [reading for reading, _ in others], [orders, *(writing for _, writing in others)]
        socket.send_fds(channel, [order], theirs)
        close(theirs)
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
                    raise subprocess.TimeoutExpired("a forked process", timeout or 0.0)
                self._code = self._told()
                os.close(self._status)
            return self._code

    def kill(self) -> None:
        """End it, if it has not ended."""
        if self._code is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        """Return all that it writes, once it has ended; raises ``subprocess.TimeoutExpired``."""
        self.stdin.close()
        streams = (self.stdout, self.stderr)
        with ThreadPoolExecutor(len(streams)) as readers:
            written = [readers.submit(stream.read) for stream in streams]
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        for stream in streams:
            stream.close()
        out, err = (reading.result() for reading in written)
        return out, err


class Processes:
    """Stands for ``subprocess``: forks the Python processes that a template can make, and starts others."""

    PIPE = subprocess.PIPE

    def __init__(self, make_template: Callable[[], Template]) -> None:
        self._make_template = make_template

    @cached_property
    def _template(self) -> Template:
        return self._make_template()

    def Popen(  # noqa: N802  # the name in subprocess
        self, command: Sequence[str], *, env: Mapping[str, str], **streams: Any
    ) -> Forked | subprocess.Popen[bytes]:
        """Make a worker, whose streams are pipes."""
        if self._template.makes(env):
            return self._template.fork(command[1:], os.getcwd(), env)
        return subprocess.Popen(command, env=env, **streams)

    def fork_python(self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> Forked:
        """Do what Python does with these arguments."""
        assert self._template.makes(env), "a process in such an environment has to be started"
        return self._template.fork(arguments, str(cwd), env)

    def close(self) -> None:
        """End the template."""
        if "_template" in vars(self):
            self._template.close()


def _started_template() -> Template:
    from ceteris.lab.crew import worker_environment

    return Template.started(worker_environment())


CAN_FORK = sys.platform.startswith("linux")
processes: Any = Processes(_started_template) if CAN_FORK else subprocess
"""What makes the processes of this test process."""


def run_python(
    arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run Python without input in a process of its own, forked where that can be."""
    if not CAN_FORK:
        return start_python(arguments, cwd=cwd, env=env)
    process = processes.fork_python(arguments, cwd=cwd, env=env)
    out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(arguments, process.wait(), out.decode(), err.decode())


def start_python(
    arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run Python without input in a process that is started, as users do."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def prepare() -> None:
    """Import and load what processes need."""
    import ceteris

    for module in pkgutil.walk_packages(ceteris.__path__, "ceteris."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    for name in BESIDES:
        import_module(name)
    sys.path.append(str(ROOT))
    import_module("tests.kernels").train_and_measure("float32")
    sys.path.remove(str(ROOT))
    gc.freeze()


def serve(channel: socket.socket) -> None:
    """Fork a process for every order; it comes with its three streams, and where to tell of its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        order, descriptors, *_ = socket.recv_fds(channel, LARGEST_ORDER, 4)
        if not order:
            return
        if os.fork() == 0:
            channel.close()
            keep(descriptors, *json.loads(order))
        close(descriptors)


def keep(descriptors: list[int], *order: Any) -> NoReturn:
    """Fork the process, tell its number, wait for its end and tell how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *streams, status = descriptors
    process = os.fork()
    if process == 0:
        os.close(status)
        become(streams, *order)
    close(streams)
    os.write(status, NUMBER.pack(process))
    _, how = os.waitpid(process, 0)
    with suppress(OSError):  # nobody is interested any more
        os.write(status, NUMBER.pack(os.waitstatus_to_exitcode(how)))
    os._exit(0)


def become(
    streams: list[int], arguments: list[str], folder: str, environment: dict[str, str], deaf: bool
) -> NoReturn:
    """Be a process on these streams that was started in a folder and an environment.

    ``deaf``: whether it ignores interrupts.
    """
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    close(streams)
    coding = sys.stdout.encoding
    sys.stdin = os.fdopen(0, "r", encoding=coding, closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding=coding, closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding=coding, errors="backslashreplace", closefd=False)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    if tuple(arguments) != WORKER:
        own = Template.forked()  # now, before there are threads
        import_module("ceteris.lab.crew").subprocess = Processes(lambda: own)
    signal.signal(signal.SIGINT, signal.SIG_IGN if deaf else signal.default_int_handler)
    end(run_as_main(arguments))


def run_as_main(arguments: list[str]) -> int:
    """Do what Python does with these arguments; return the exit code."""
    safe, named = arguments[0] == "-P", "-m" in arguments[:2]
    what, *rest = [word for word in arguments[:2] if word not in ("-P", "-m")] + arguments[2:]
    if not safe:
        sys.path.insert(0, os.getcwd() if named else str(Path(what).parent.absolute()))
    sys.argv = [what, *rest]
    try:
        if named:
            sys.modules.pop(what, None)
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(what, run_name="__main__")
    except SystemExit as asked:
        return asked.code if isinstance(asked.code, int) else int(asked.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def end(code: int) -> NoReturn:
    """End this process without what the template would do at its own end."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(code)


def close(descriptors: Iterable[int]) -> None:
    """Close descriptors."""
    for descriptor in descriptors:
        os.close(descriptor)


if __name__ == "__main__":
    prepare()
    with socket.socket(fileno=os.dup(0)) as standard_input:
        serve(standard_input)
