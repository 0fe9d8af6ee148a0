"""When steps are recorded in CUDA graphs, and what happens where they cannot be, with graphs made up."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

import pytest
import torch

from ceteris.train.tensor.runners import WARM_UP, GraphRunner, PlainRunner, step_runner


class Card:
    """Stands for what torch.cuda offers: a graph keeps what a step was while it was recorded."""

    def __init__(self) -> None:
        self.recording: Any = None
        self.mode = "default"
        self.stream = "the current one"
        self.done: list[str] = []
        self.pools = 0
        self.ended: list[object] = []
        self.graphs: dict[object, WeakSet[Graph]] = {}

    @contextmanager
    def graph(self, graph: Any, pool: object, stream: object) -> Iterator[None]:
        # As torch's allocator does: a pool is new, or one of its graphs is still there.
        assert self.graphs.get(pool) != WeakSet()
        self.graphs.setdefault(pool, WeakSet()).add(graph)
        self.recording, self.stream = graph, "the recording one"
        try:
            yield
        except RuntimeError as error:
            # As in torch: the recording fails to end too, and the stream stays as it is.
            raise RuntimeError("operation failed due to a previous error during capture") from error
        self.recording, self.stream = None, "the current one"

    def handle(self) -> int:
        self.pools += 1
        return self.pools

    def step(self, name: str, fails: str = "") -> Callable[[], None]:
        def step() -> None:
            if self.recording is not None:
                if fails == "recording":
                    self.recording = None
                    raise RuntimeError("operation not permitted when stream is capturing")
                self.recording.body = lambda: self.done.append(f"{name} again")
                return
            if fails == "waiting" and self.mode == "warn":
                warnings.warn("called a synchronizing CUDA operation", stacklevel=1)
            if fails == "warning":
                warnings.warn("something else", stacklevel=1)
            self.done.append(name)

        return step


class Graph:
    body: Callable[[], None]

    def replay(self) -> None:
        self.body()


class Stream:
    def __init__(self, device: object = None) -> None: ...

    def wait_stream(self, other: object) -> None: ...


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    card = Card()

    @contextmanager
    def inside(stream: object) -> Iterator[None]:
        yield

    made_up = {
        "CUDAGraph": Graph,
        "graph": card.graph,
        "Stream": Stream,
        "stream": inside,
        "current_stream": lambda device: Stream(),
        "set_stream": lambda stream: setattr(card, "stream", "the current one"),
        "graph_pool_handle": card.handle,
        "synchronize": lambda device: None,
        "get_sync_debug_mode": lambda: card.mode,
        "set_sync_debug_mode": lambda mode: setattr(card, "mode", mode),
    }
    for name, own in made_up.items():
        monkeypatch.setattr(torch.cuda, name, own)
    monkeypatch.setattr(torch._C, "_cuda_endAllocateToPool", lambda device, pool: card.ended.append(pool))
    return card


def test_each_kind_is_recorded_once_it_has_come_often_enough(card: Card) -> None:
    runner = GraphRunner(torch.device("cuda"))
    for _ in range(WARM_UP + 2):
        runner.run("plain", card.step("plain"))
    runner.run("measured", card.step("measured"))
    assert card.done == ["plain"] * WARM_UP + ["plain again"] * 2 + ["measured"]
    assert runner.reason == ""
    assert card.mode == "default"


def test_where_tensors_have_moved_it_is_recorded_anew_at_once(card: Card) -> None:
    runner = GraphRunner(torch.device("cuda"))
    for _ in range(WARM_UP + 1):
        runner.run("plain", card.step("old"))
    runner.forget()
    runner.run("plain", card.step("new"))
    assert card.done[-2:] == ["old again", "new again"]


@pytest.mark.parametrize(
    ("fails", "reason"),
    [
        ("recording", "RuntimeError: operation not permitted when stream is capturing"),
        ("waiting", "a step waits for the device"),
    ],
)
def test_what_cannot_be_recorded_is_done_step_by_step_and_told(
    card: Card, capsys: pytest.CaptureFixture[str], fails: str, reason: str
) -> None:
    runner = GraphRunner(torch.device("cuda"))
    for _ in range(WARM_UP + 1):
        runner.run("good", card.step("good"))
    for _ in range(WARM_UP + 3):
        runner.run("bad", card.step("bad", fails))
    runner.run("good", card.step("good"))
    assert card.done == ["good"] * WARM_UP + ["good again"] + ["bad"] * (WARM_UP + 3) + ["good"]
    assert runner.reason == reason
    assert card.stream == "the current one"
    assert len(card.ended) == (fails == "recording")
    told = capsys.readouterr().out
    assert told == f"steps on cuda are done one by one, not from CUDA graphs: {reason}\n"


def test_other_warnings_go_on(card: Card) -> None:
    runner = GraphRunner(torch.device("cuda"))
    for _ in range(WARM_UP):
        with pytest.warns(UserWarning, match="something else"):
            runner.run("plain", card.step("plain", "warning"))
    assert runner.reason == ""


def test_only_cuda_has_graphs() -> None:
    assert isinstance(step_runner(torch.device("cpu")), PlainRunner)
