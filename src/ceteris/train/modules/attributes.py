"""What a module of the user's own keeps where torch does not see it."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Any

from torch import Tensor, nn

KEPT_BY_TORCH = ("_parameters", "_buffers", "_modules", "_non_persistent_buffers_set")


def attribute_notes(name: str, module: nn.Module) -> tuple[str, ...]:
    """Return one sentence for each tensor, parameter or module that is a plain attribute, or in a list.

    Tensors are then neither saved with the weights nor moved to a device; parameters are not trained either.
    """
    known = {id(own) for own in (*module.parameters(), *module.buffers(), *module.modules())}
    return tuple(
        f"`{name}` keeps {told}"
        for role, part in module.named_modules()
        for attribute, value in vars(part).items()
        if attribute not in KEPT_BY_TORCH
        for told in _told(f"{role}.{attribute}" if role else attribute, attribute, value, known)
    )


def _told(path: str, attribute: str, value: Any, known: Set[int]) -> Iterator[str]:
    if isinstance(value, Tensor) and id(value) not in known:
        yield (
            f"the tensor `{path}` as a plain attribute: it is neither saved with the weights nor moved to a "
            f'device; write `self.register_buffer("{attribute}", ...)`'
        )
    elif isinstance(value, list | tuple | dict):
        inside = [item for item in _items(value) if id(item) not in known]
        if any(isinstance(item, nn.Module | nn.Parameter) for item in inside):
            kind = "Module" if any(isinstance(item, nn.Module) for item in inside) else "Parameter"
            fitting = f"nn.{kind}{'Dict' if isinstance(value, dict) else 'List'}"
            yield (
                f"parameters in `{path}`, a plain {type(value).__name__}: they are neither trained nor "
                f"saved; use `{fitting}`"
            )
        elif any(isinstance(item, Tensor) for item in inside):
            yield (
                f"tensors in `{path}`, a plain {type(value).__name__}: they are neither saved with the "
                "weights nor moved to a device; register each as a buffer"
            )


def _items(value: list[Any] | tuple[Any, ...] | dict[Any, Any]) -> list[Any]:
    return list(value.values() if isinstance(value, dict) else value)
