"""Every contestant has a process of its own, so that no library's settings touch another's."""

from __future__ import annotations

import multiprocessing
import time
import traceback
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.contestants import Contestant
from benchmarks.task import Outcome, Task, make_task
from benchmarks.workloads import Stack, Workload

WARM_UP_BATCHES = 20


@dataclass(frozen=True)
class Order:
    """Train one stack of a workload, for longer than the workload says where ``epochs`` does."""

    workload: Workload
    stack: Stack
    first_seed: int
    epochs: int = 0
    warm_up: bool = False
    """Train a few batches first, which are not timed."""


@dataclass(frozen=True)
class Unable:
    """Why there is no outcome: it cannot train this, or it failed."""

    reason: str
    failed: bool = False


class ContestantProcess:
    """A contestant behind a pipe; it works only while it is waited for. Use it in ``with``."""

    def __init__(self, contestant: Contestant, data_folder: Path | None, device: str = "cpu") -> None:
        context = multiprocessing.get_context("spawn")
        self.contestant = contestant
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, contestant, data_folder, device))
        self._process.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.is_alive():
            self._process.terminate()
        self._process.join()
        self._pipe.close()

    def train(self, order: Order) -> Outcome | Unable:
        """Have an order carried out, and wait for it."""
        try:
            self._pipe.send(order)
            answer = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join(1)
            return Unable(f"its process ended with exit code {self._process.exitcode}", failed=True)
        assert isinstance(answer, Outcome | Unable)
        return answer


def serve(pipe: Connection, contestant: Contestant, data_folder: Path | None, device: str = "cpu") -> None:
    """Carry out orders until the pipe is closed; the rows of the last workload are kept."""
    known: dict[str, Task] = {}
    while True:
        try:
            order = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        if order.workload.name not in known:
            known = {order.workload.name: make_task(order.workload, data_folder, device)}
        try:
            answer = carry_out(contestant, order, known[order.workload.name])
        except Exception:
            answer = Unable(traceback.format_exc(limit=-3).strip(), failed=True)
        pipe.send(answer)


def carry_out(contestant: Contestant, order: Order, base: Task) -> Outcome | Unable:
    """Train in this process."""
    module = contestant.load()
    stack = order.stack if contestant.stacks else Stack(1, 1)
    task = base.stacked(stack, order.first_seed)
    task = replace(task, epochs=max(task.epochs, order.epochs))
    reason = module.unsuited(task)
    if reason:
        return Unable(reason)
    if order.warm_up:
        module.train(task.shortened(WARM_UP_BATCHES))
    settle()
    return module.train(task)


def settle() -> None:
    """Wait until what ran before has gone to sleep: idle threads of OpenMP spin for a while."""
    time.sleep(0.3)
