"""A CUDA card that is made up: its tensors have numbers, and behave as on a card towards the host.

``with Card() as card`` lets code run on ``cuda`` where there is none. A tensor there says that it stands on
``cuda:0`` and computes as the processor does; what is different on a card is checked or done the card's way:

- An operation on tensors of both sides is an error, other than a copy from one to the other.
- A copy into pinned memory that nobody waits for arrives when the card is waited for the next time.
- What waits for the card while a graph is recorded is an error; so is what brings it something from the host.
- A graph keeps operations, not code. Recording one does nothing else; replaying it does them.

What kernels of a card do inside is not seen: that they are there, wait for nothing and round as they do.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from types import TracebackType
from typing import Any, ClassVar, Self

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from .recording import ForbiddenError, check

HERE = torch.device("cuda", 0)
MARK = torch.device("meta")
"""What torch's own code takes a tensor of the card for: it has no numbers that it could read."""
BETWEEN = {torch.ops.aten.copy_.default, torch.ops.aten._to_copy.default}
"""Operations that may see both sides."""
READING = {torch.ops.aten._local_scalar_dense.default, torch.ops.aten.item.default}


class OnCard(Tensor):
    """A tensor that stands on the card; ``numbers`` are what it holds."""

    numbers: Tensor

    @staticmethod
    def __new__(cls, numbers: Tensor) -> OnCard:
        own: OnCard = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            numbers.shape,
            strides=numbers.stride(),
            storage_offset=numbers.storage_offset(),
            dtype=numbers.dtype,
            device=MARK,
        )
        own.numbers = numbers
        return own

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return HERE

    def __repr__(self) -> str:  # type: ignore[override]
        return f"OnCard({self.numbers})"

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise AssertionError(f"{func} outside of the card's time")


class Graph:
    """What ``torch.cuda.CUDAGraph`` is: the operations of a recording, to be done again."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, Any, Any, Any]] = []

    def replay(self) -> None:
        Card.current().replay(self)


class Stream:
    """A stream of the card, on which operations are done at once."""

    def __init__(self, device: Any = None) -> None: ...

    def wait_stream(self, other: Stream) -> None: ...


class Event:
    """An event: what was ordered before it has not been done when it is asked for the first time."""

    def __init__(self) -> None:
        self._asked = 0

    def record(self, stream: Stream) -> None: ...

    def query(self) -> bool:
        self._asked += 1
        if self._asked > 1:
            Card.current().arrive()
        return self._asked > 1


class Card:
    """The card while it is there: two modes of torch, and what ``torch.cuda`` offers."""

    _there: ClassVar[list[Card]] = []

    def __init__(self) -> None:
        self.replays = 0
        self.strict = False
        """Whether nothing may wait for the card or be sent to it."""
        self.may_wait = False
        """Whether steps may, because they are not recorded."""
        self.sync_mode: Any = 0
        self._recording: Graph | None = None
        self._before: dict[int, tuple[Tensor, Tensor]] = {}
        self._under_way: list[tuple[Tensor, Tensor]] = []
        self._pinned: set[int] = set()
        self._stack = contextlib.ExitStack()

    @classmethod
    def current(cls) -> Card:
        return cls._there[-1]

    def __enter__(self) -> Self:
        patch = self._stack.enter_context(pytest.MonkeyPatch.context())
        for name, own in self._offers().items():
            patch.setattr(torch.cuda, name, own)
        patch.setattr("torch.cuda.amp.common.amp_definitely_not_available", lambda: False)
        self._stack.enter_context(_Named())
        self._stack.enter_context(_Done(self))
        self._there.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._there.remove(self)
        self._stack.close()

    def _offers(self) -> dict[str, Any]:
        one = Stream()
        return {
            "CUDAGraph": Graph,
            "graph": self.graph,
            "Stream": Stream,
            "Event": Event,
            "stream": lambda stream: contextlib.nullcontext(),
            "current_stream": lambda device=None: one,
            "set_stream": lambda stream: None,
            "graph_pool_handle": object,
            "synchronize": lambda device=None: self.arrive(),
            "get_sync_debug_mode": lambda: self.sync_mode,
            "set_sync_debug_mode": lambda mode: setattr(self, "sync_mode", mode),
            "is_bf16_supported": lambda: True,
        }

    @contextlib.contextmanager
    def graph(self, graph: Graph, pool: object = None, stream: Stream | None = None) -> Iterator[None]:
        """Record operations; afterwards all tensors hold what they held before."""
        self.arrive()
        self._recording = graph
        try:
            yield
        finally:
            self._recording = None
            for storage, numbers in self._before.values():
                storage.copy_(numbers)
            self._before.clear()

    @torch.no_grad()
    def replay(self, graph: Graph) -> None:
        """Do the operations of a recording, on tensors that were there before and on what they make."""
        self.replays += 1
        made: dict[int, Tensor] = {}

        def now(own: Tensor) -> Tensor:
            return made.get(id(own), own)

        for func, args, kwargs, then in graph.done:
            found = self.do(func, _each(args, now), {name: _each(own, now) for name, own in kwargs.items()})
            for before, after in zip(_tensors([then]), _tensors([found]), strict=True):
                made[id(before)] = after

    def arrive(self) -> None:
        """Wait for the card: all that is under way to the host arrives."""
        for there, numbers in self._under_way:
            there.copy_(numbers)
        self._under_way.clear()

    def pin(self, tensor: Tensor) -> Tensor:
        """Return a tensor of the host's, known as pinned from now on."""
        self._pinned.add(tensor.untyped_storage().data_ptr())
        return tensor

    def do(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Do an operation of whichever side it belongs to."""
        tensors = list(_tensors((*args, *kwargs.values())))
        cards = [own for own in tensors if isinstance(own, OnCard)]
        wanted = kwargs.get("device")
        to_card = wanted is not None and torch.device(wanted).type == MARK.type
        if not cards and not to_card:
            return func(*args, **kwargs)
        if self.strict or self._recording is not None:
            check(func, args, {**kwargs, "device": HERE} if to_card else kwargs)
        if len(cards) < len(tensors) and func not in BETWEEN:
            strangers = [tuple(own.shape) for own in tensors if not isinstance(own, OnCard)]
            raise ForbiddenError(f"{func} reads tensors of the card and of the host, the latter {strangers}")
        crosses = len({isinstance(own, OnCard) for own in tensors} | ({to_card} if wanted else set())) > 1
        if func is torch.ops.aten.copy_.default and crosses and cards[0] is not args[0]:
            return self._copied_out(args[0], cards[0], *args[2:], **kwargs)
        if crosses or func in READING:
            self._waited(func)
        if self._recording is not None:
            self._keep(cards)
        inner = {**kwargs, "device": torch.device("cpu")} if wanted is not None else kwargs
        found = func(*_each(args, _numbers), **{name: _each(own, _numbers) for name, own in inner.items()})
        stays = wanted is not None and not to_card
        result = found if stays else _returned(func, args, found)
        if self._recording is not None:
            self._recording.done.append((func, args, kwargs, result))
        return result

    def _copied_out(self, there: Tensor, own: OnCard, non_blocking: bool = False) -> Tensor:
        if non_blocking and there.untyped_storage().data_ptr() in self._pinned:
            self._under_way.append((there, own.numbers.clone()))
            return there
        self._waited(torch.ops.aten.copy_.default)
        return there.copy_(own.numbers)

    def _waited(self, func: Any) -> None:
        if self.sync_mode in ("error", 2):
            raise RuntimeError(f"called a synchronizing CUDA operation: {func}")
        if self.sync_mode in ("warn", 1):
            warnings.warn(f"called a synchronizing CUDA operation: {func}", stacklevel=2)
        self.arrive()

    def _keep(self, cards: list[OnCard]) -> None:
        """Remember what tensors hold: which of them an operation changes, not every schema tells."""
        for own in cards:
            place = own.numbers.untyped_storage().data_ptr()
            if place not in self._before:
                whole = _whole(own.numbers)
                self._before[place] = (whole, whole.clone())


class _Named(TorchFunctionMode):
    """Takes ``cuda`` for the card's mark wherever Python code of torch is told a device."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.device:
            return func(*args, **kwargs)
        pinned = kwargs.pop("pin_memory", False)
        if func is torch.tensor and _marked(kwargs.get("device")) is MARK:
            del kwargs["device"]
            return torch.tensor(*args, **kwargs).to(MARK)
        args = tuple(_marked(own) for own in args)
        found = func(*args, **{name: _marked(own) for name, own in kwargs.items()})
        return Card.current().pin(found) if pinned else found


class _Done(TorchDispatchMode):
    def __init__(self, card: Card) -> None:
        super().__init__()
        self._card = card

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self._card.do(func, args, kwargs or {})


def _marked(own: Any) -> Any:
    named = own.startswith("cuda") if isinstance(own, str) else isinstance(own, torch.device)
    return MARK if named and torch.device(own).type == "cuda" else own


def _tensors(values: Iterable[Any]) -> Iterator[Tensor]:
    for own in values:
        if isinstance(own, Tensor):
            yield own
        elif isinstance(own, list | tuple):
            yield from _tensors(own)


def _each(values: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(values, Tensor):
        return change(values)
    return type(values)(_each(own, change) for own in values) if isinstance(values, list | tuple) else values


def _numbers(own: Tensor) -> Tensor:
    return own.numbers if isinstance(own, OnCard) else own


def _whole(numbers: Tensor) -> Tensor:
    return torch.empty(0, dtype=torch.uint8).set_(numbers.untyped_storage())  # type: ignore[call-overload]


@cache
def _changed(func: Any) -> tuple[int, ...]:
    """Return the places of the arguments that an operation changes and returns."""
    returns = func._schema.returns
    if not returns or returns[0].alias_info is None or not returns[0].alias_info.is_write:
        return ()
    return tuple(
        place
        for place, argument in enumerate(func._schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    )


def _returned(func: Any, args: Any, found: Any) -> Any:
    """Return the very tensors that an operation has changed in place, where it returns such."""
    changed = _changed(func)
    if changed and max(changed) < len(args):
        return args[changed[0]] if len(changed) == 1 else tuple(args[place] for place in changed)
    return _each(found, OnCard)
