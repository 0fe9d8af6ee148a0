"""The structure of any module: its parts with their output shapes and parameters, each counted once."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ceteris.nets.trace import Trace, trace


@dataclass(frozen=True, slots=True)
class Part:
    """A module inside a network, at every place where it stands."""

    path: str
    kind: str
    """Name of its class."""
    settings: str
    """What it says of itself: ``kernel_size=(3, 3)``."""
    depth: int
    """In how many other parts it stands."""
    shape: tuple[int, ...] | None
    """Of its output, without the axis of rows; None where it was not called."""
    tensors: tuple[tuple[str, tuple[int, ...]], ...]
    """Names and shapes of parameters of its own, those that are counted elsewhere included."""
    parameters: int
    """In it and its parts, without those that are counted at an earlier part."""
    shared: tuple[str, ...]
    """Paths under which what it shares is counted: a layer (``first``) or a parameter (``first.weight``)."""
    leaf: bool

    @property
    def formula(self) -> str:
        """How its own parameters come about: of a linear layer ``inputs x outputs + outputs``."""
        return " + ".join(_product(self.kind, shape) for _, shape in self.tensors)


@dataclass(frozen=True)
class Summary:
    """A network's parts in their own order, with totals."""

    kind: str
    trace: Trace
    parts: tuple[Part, ...]
    own: tuple[tuple[str, tuple[int, ...]], ...]
    """Names and shapes of parameters of the whole that are in no part."""
    parameters: int
    trainable: int
    buffers: int
    """Numbers in buffers that are saved."""


def summarize(module: nn.Module, rows: Tensor) -> Summary:
    """Return what a module consists of.

    Args:
        module: it is run once, and left in evaluation mode.
        rows: (rows, ...) in the shape that it takes; two are enough.

    Raises:
        Exception: whatever the module raises.
    """
    traced = trace(module, rows)
    saved = module.state_dict(keep_vars=True)
    parameters = list(module.parameters())
    return Summary(
        kind=type(module).__name__,
        trace=traced,
        parts=_parts(module, traced),
        own=tuple((name, tuple(p.shape)) for name, p in module.named_parameters(recurse=False)),
        parameters=sum(p.numel() for p in parameters),
        trainable=sum(p.numel() for p in parameters if p.requires_grad),
        buffers=sum(b.numel() for name, b in module.named_buffers() if name in saved),
    )


def _parts(module: nn.Module, traced: Trace) -> tuple[Part, ...]:
    parts: list[Part] = []
    first: dict[nn.Module, str] = {}
    counted = {parameter: name for name, parameter in module.named_parameters()}
    for path, own in module.named_modules(remove_duplicate=False):
        if not path:
            continue
        again = own in first
        shape = traced.shapes.get(first.setdefault(own, path))
        tensors = list(own.named_parameters(recurse=False))
        ties = [counted[p] for name, p in tensors if counted[p] != f"{path}.{name}"]
        parts.append(
            Part(
                path=path,
                kind=type(own).__name__,
                settings=own.extra_repr(),
                depth=path.count("."),
                shape=shape,
                tensors=tuple((name, tuple(p.shape)) for name, p in tensors),
                parameters=sum(p.numel() for p, name in counted.items() if name.startswith(f"{path}.")),
                shared=(first[own],) if again else tuple(ties),
                leaf=not any(True for _ in own.children()),
            )
        )
    return tuple(parts)


def _product(kind: str, shape: tuple[int, ...]) -> str:
    # torch keeps a linear layer's weight as outputs x inputs.
    extents = reversed(shape) if kind == "Linear" else shape
    return " x ".join(map(str, extents)) or "1"
