"""Ways to run the steps of training: one by one, or recorded once in a CUDA graph and replayed.

A small network's step is a hundred short kernels whose launch costs more than they do. A graph launches them
all at once. It repeats the same kernels on the same addresses, so its bits are those of the steps themselves.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

import torch

from ceteris.errors import exception_in_line

Step = Callable[[], None]
WARM_UP = 3
"""Times that a step of a kind is done before it is recorded: libraries set themselves up in the first ones.

A recording costs about as much as two steps, so what comes seldom is never recorded before it pays.
"""


class StepRunner(Protocol):
    """Does steps; those of one kind do the same work on tensors that stay where they are."""

    def run(self, kind: Hashable, step: Step) -> None:
        """Do a step of a kind."""

    def forget(self) -> None:
        """Record anew: tensors have moved."""

    @property
    def reason(self) -> str:
        """Why nothing is recorded; empty where steps are recorded, or will be."""


class PlainRunner:
    """Does every step itself."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def run(self, kind: Hashable, step: Step) -> None:
        """Do a step."""
        step()

    def forget(self) -> None:
        """Nothing is kept."""


class GraphRunner:
    """Records the steps of each kind in a CUDA graph once they have come ``WARM_UP`` times, and replays it.

    Where a step cannot be recorded (it waits for the device, or memory is short), it and all others are done
    one by one from then on; that is told, and ``reason`` says why.
    """

    def __init__(self, device: torch.device) -> None:
        self.reason = ""
        self._device = device
        self._stream: torch.cuda.Stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._pool = torch.cuda.graph_pool_handle()
        self._seen: dict[Hashable, int] = {}
        self._graphs: dict[Hashable, torch.cuda.CUDAGraph] = {}

    def run(self, kind: Hashable, step: Step) -> None:
        """Do a step, from its graph where there is one."""
        if not self.reason and kind not in self._graphs and self._seen.get(kind, 0) >= WARM_UP:
            self._record(kind, step)
        if kind in self._graphs:
            self._graphs[kind].replay()
        elif self.reason:
            step()
        else:
            self._seen[kind] = self._seen.get(kind, 0) + 1
            self._warm_up(step, judged=self._seen[kind] == WARM_UP)

    def forget(self) -> None:
        """Record anew: tensors have moved."""
        self._graphs.clear()
        # A pool whose graphs are all gone cannot be shared again: torch's allocator refuses that.
        self._pool = torch.cuda.graph_pool_handle()

    def _warm_up(self, step: Step, *, judged: bool) -> None:
        """Do a step on the stream on which it will be recorded, and see whether it waits for the device.

        Only where it is ``judged``: in the first steps libraries set themselves up.
        """
        current = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream), _waits() as waits:
            step()
        current.wait_stream(self._stream)
        if judged and waits:
            self._give_up("a step waits for the device")

    def _record(self, kind: Hashable, step: Step) -> None:
        """Record a step without doing it. One that fails has changed nothing on the device."""
        graph, current = torch.cuda.CUDAGraph(), torch.cuda.current_stream(self._device)
        failed: Exception | None = None
        try:
            with torch.cuda.graph(graph, pool=self._pool, stream=self._stream):
                try:
                    step()
                except Exception as error:
                    failed = error  # the recording then often fails to end, for a reason that tells less
                    raise
        except Exception as error:
            torch.cuda.set_stream(current)  # an error at the end of a recording leaves the other one
            torch.cuda.synchronize(self._device)
            with suppress(
                RuntimeError
            ):  # one that failed to end would keep the allocator from freeing memory
                torch._C._cuda_endAllocateToPool(self._device.index or 0, self._pool)
            self._give_up(exception_in_line(failed or error).partition("\n")[0])
        else:
            self._graphs[kind] = graph

    def _give_up(self, reason: str) -> None:
        self.reason = reason
        self._graphs.clear()
        print(f"steps on {self._device} are done one by one, not from CUDA graphs: {reason}")


@contextmanager
def _waits() -> Iterator[list[warnings.WarningMessage]]:
    """Gather what torch tells of operations inside that wait for the device; other warnings go on."""
    before = torch.cuda.get_sync_debug_mode()
    found: list[warnings.WarningMessage] = []
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield found
        finally:
            torch.cuda.set_sync_debug_mode(before)
    for own in told:
        if "synchroniz" not in str(own.message).lower():
            warnings.warn_explicit(own.message, own.category, own.filename, own.lineno)
        elif "prototype" not in str(own.message):
            found.append(own)


def step_runner(device: torch.device) -> StepRunner:
    """Return the runner that suits a device."""
    return GraphRunner(device) if device.type == "cuda" else PlainRunner("only CUDA has graphs")
