"""What a CUDA graph does, on the processor: the operations of a step are recorded once and repeated.

A recording knows tensors and where they stand; it never runs the Python code of the step again. So what a
step takes from a number of Python's that changes from step to step comes out wrong when it is repeated, as
it would on a card.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

WAITING = {
    torch.ops.aten._local_scalar_dense.default,
    torch.ops.aten.item.default,
    torch.ops.aten.is_nonzero.default,
    torch.ops.aten.equal.default,
    torch.ops.aten.nonzero.default,
    torch.ops.aten.masked_select.default,
    torch.ops.aten.lift_fresh.default,
    torch.ops.aten.lift_fresh_copy.default,
}
"""Operations that wait for a device: they read a number there, or their result's shape hangs on one.

Those at the end bring numbers of Python's to it, by a copy for which the host waits too.
"""


class ForbiddenError(AssertionError):
    """A step did what a recorded one cannot."""


def check(func: Any, args: Any, kwargs: Any) -> None:
    """Raise where an operation waits for the device, brings it something, or takes something from it."""
    if func in WAITING:
        raise ForbiddenError(f"{func} waits for the device")
    tensors = [own for own in tree_flatten((args, kwargs))[0] if isinstance(own, torch.Tensor)]
    if len({own.device.type for own in tensors}) > 1:
        raise ForbiddenError(f"{func} reads on two devices")
    device = (kwargs or {}).get("device")
    if device is not None and tensors and torch.device(device).type != tensors[0].device.type:
        raise ForbiddenError(f"{func} moves a tensor to {device}")
    if "index" in func.name():
        for own in tensors:
            if own.dtype == torch.bool and func is torch.ops.aten.index.Tensor and own is not tensors[0]:
                raise ForbiddenError(f"{func} by a mask: the shape of its result hangs on numbers")


class NoWaiting(TorchDispatchMode):
    """Lets through only what the device can do by itself."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        check(func, args, kwargs)
        return func(*args, **(kwargs or {}))


class Tape(NoWaiting):
    """Keeps the operations that are done, to repeat them."""

    def __init__(self) -> None:
        super().__init__()
        self._done: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = super().__torch_dispatch__(func, types, args, kwargs)
        self._done.append((func, args, kwargs or {}, found))
        return found

    @torch.no_grad()
    def repeat(self) -> None:
        """Do the operations again: on tensors that were there before, and on what they make."""
        made: dict[int, torch.Tensor] = {}

        def now(own: Any) -> Any:
            return made.get(id(own), own) if isinstance(own, torch.Tensor) else own

        for func, args, kwargs, then in self._done:
            found = func(*tree_map(now, args), **tree_map(now, kwargs))
            for before, after in zip(tree_flatten(then)[0], tree_flatten(found)[0], strict=True):
                if isinstance(before, torch.Tensor):
                    made[id(before)] = after


class TapeRunner:
    """Records the second step of a kind and repeats it; ``repeated`` counts those that were repeated."""

    reason = ""

    def __init__(self) -> None:
        self.repeated = 0
        self._seen: set[Hashable] = set()
        self._tapes: dict[Hashable, Tape] = {}

    def run(self, kind: Hashable, step: Callable[[], None]) -> None:
        if kind in self._tapes:
            self._tapes[kind].repeat()
            self.repeated += 1
        elif kind not in self._seen:
            self._seen.add(kind)
            step()
        else:
            with Tape() as self._tapes[kind]:
                step()

    def forget(self) -> None:
        self._tapes.clear()
