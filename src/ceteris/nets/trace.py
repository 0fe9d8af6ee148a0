"""What a module does with a row: its layers and operations in the order in which they are called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle

RESHAPING = (
    "contiguous",
    "expand",
    "flatten",
    "movedim",
    "permute",
    "ravel",
    "reshape",
    "squeeze",
    "swapaxes",
    "t",
    "transpose",
    "unflatten",
    "unsqueeze",
    "view",
)
"""Operations that only look at the same numbers in another shape."""
SILENT = (
    "__get__",
    "__set__",
    "clone",
    "cpu",
    "detach",
    "double",
    "float",
    "half",
    "requires_grad",
    "size",
    "to",
    "type",
)
"""Operations that are no part of what a network computes."""
NAMES = {"__getitem__": "pick", "cat": "concatenate", "__matmul__": "matmul", "rsub": "sub"}


@dataclass(frozen=True, slots=True)
class Frame:
    """One call of a module that is made of others; ``call`` counts its calls in this pass from 0."""

    path: str
    call: int


@dataclass(frozen=True, slots=True)
class Node:
    """One call of a layer, or one operation that a forward pass does by itself.

    Shapes are without the axis of rows.
    """

    kind: Literal["input", "layer", "operation"]
    label: str
    """``Linear``, ``add``."""
    path: str
    """Of the layer in its module; of an operation nothing."""
    shape: tuple[int, ...]
    """Of its output."""
    sources: tuple[int, ...]
    """Places of the nodes whose outputs it reads, in ascending order."""
    frames: tuple[Frame, ...] = ()
    """The modules inside whose forward pass it is called, from the outside in."""
    call: int = 0
    """How often the same layer was called before in this pass."""


@dataclass(frozen=True)
class Trace:
    """The graph of one forward pass; node 0 is the input, and the output is that of ``output``."""

    nodes: tuple[Node, ...]
    output: int
    shapes: dict[str, tuple[int, ...]]
    """Path of every module that was called -> shape of its (last) output."""

    @property
    def activations(self) -> int:
        """How many numbers layers and operations give for one row; looking again at the same is free."""
        total = 0
        for node in self.nodes[1:]:
            if node.label != "reshape":
                size = 1
                for extent in node.shape:
                    size *= extent
                total += size
        return total


def trace(module: nn.Module, rows: Tensor) -> Trace:
    """Run a module once in evaluation mode and note what it calls.

    The innermost modules are layers; what a forward pass does with functions of torch is an operation.
    Whatever the module does with its own code is followed by the tensors that pass through it.

    Args:
        module: left in evaluation mode.
        rows: (rows, ...) in the shape that the module takes.

    Raises:
        Exception: whatever the module raises.
    """
    tracer = _Tracer(module, rows)
    module.eval()
    handles = list(tracer.hooks())
    try:
        with tracer:
            output = module(rows)
    finally:
        for handle in handles:
            handle.remove()
    return Trace(tuple(tracer.nodes), max(tracer.sources([output]), default=0), tracer.shapes)


class _Tracer(TorchFunctionMode):
    """Follows tensors by their identity: which node has made each."""

    def __init__(self, module: nn.Module, rows: Tensor) -> None:
        super().__init__()
        self.nodes = [Node("input", "input", "", tuple(rows.shape[1:]), ())]
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._module = module
        self._made: dict[int, tuple[int, ...]] = {id(rows): (0,)}
        # Tensors that are gone could give their identity to others.
        self._alive: list[Tensor] = [rows]
        self._frames: list[Frame] = []
        self._inside: nn.Module | None = None
        self._calls: dict[nn.Module, int] = {}

    def hooks(self) -> Iterator[RemovableHandle]:
        """Put the hooks into all modules but the whole, which is followed unless it is a layer of torch."""
        for path, own in self._module.named_modules():
            has_parts = any(True for _ in own.children())
            if path and has_parts:
                yield own.register_forward_pre_hook(self._enter(path))
                yield own.register_forward_hook(self._leave(path))
            elif path or (not has_parts and type(own).__module__.startswith("torch.nn.")):
                yield own.register_forward_pre_hook(self._begin)
                yield own.register_forward_hook(self._end(path))

    def sources(self, values: Iterable[Any]) -> tuple[int, ...]:
        """Return the places of the nodes that made the tensors in (nested) values."""
        found = {place for tensor in _tensors(values) for place in self._made.get(id(tensor), ())}
        return tuple(sorted(found))

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Do an operation, and note it where it is one of the forward pass's own."""
        values = (*args, *(kwargs or {}).values())
        sources = () if self._inside is not None else self.sources(values)
        result = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", str(func)).removesuffix("_")
        outputs = [t for t in _tensors([result]) if t.is_floating_point()]
        if sources and outputs:
            if name in SILENT or getattr(func, "__name__", "") in SILENT:
                self._note(outputs, sources)
            else:
                self._operation(NAMES.get(name, name.strip("_")), outputs, sources)
        return result

    def _operation(self, name: str, outputs: list[Tensor], sources: tuple[int, ...]) -> None:
        shape, frames = _shape(outputs), tuple(self._frames)
        label = "reshape" if name in RESHAPING else name
        last = self.nodes[-1]
        again = label == last.label == "reshape" and sources == (len(self.nodes) - 1,)
        if again and last.frames == frames:
            self.nodes[-1] = replace(last, shape=shape)
        elif label != "reshape" or shape != self.nodes[sources[-1]].shape:
            self.nodes.append(Node("operation", label, "", shape, sources, frames))
        else:
            self._note(outputs, sources)
            return
        self._note(outputs, (len(self.nodes) - 1,))

    def _note(self, tensors: Iterable[Tensor], places: tuple[int, ...]) -> None:
        for tensor in tensors:
            self._made[id(tensor)] = places
            self._alive.append(tensor)

    def _count(self, module: nn.Module) -> int:
        self._calls[module] = self._calls.get(module, -1) + 1
        return self._calls[module]

    def _begin(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        self._inside = module

    def _end(self, path: str) -> Any:
        def end(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            self._inside = None
            outputs = list(_tensors([output]))
            if isinstance(module, nn.Sequential):
                # An empty chain gives back what it got: it is a place where nothing stands.
                self.shapes[path] = _shape(outputs)
                return
            call = self._count(module)
            sources, shape = self.sources(inputs), _shape(outputs)
            label = type(module).__name__
            self.nodes.append(Node("layer", label, path, shape, sources, tuple(self._frames), call))
            self.shapes[path] = shape
            self._note(outputs, (len(self.nodes) - 1,))

        return end

    def _enter(self, path: str) -> Any:
        def enter(module: nn.Module, inputs: tuple[Any, ...]) -> None:
            self._frames.append(Frame(path, self._count(module)))

        return enter

    def _leave(self, path: str) -> Any:
        def leave(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            self._frames.pop()
            self.shapes[path] = _shape(list(_tensors([output])))

        return leave


def _tensors(values: Iterable[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)
        elif isinstance(value, dict):
            yield from _tensors(value.values())


def _shape(outputs: list[Tensor]) -> tuple[int, ...]:
    """Return the shape of the first output, without the axis of rows."""
    return tuple(outputs[0].shape[1:]) if outputs else ()
