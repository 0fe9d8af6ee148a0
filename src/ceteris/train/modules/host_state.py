"""What a module of the user's own keeps, draws and counts in Python: a recorded step would not repeat it."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from ceteris.train.modules.attributes import KEPT_BY_TORCH

PLAIN = (bool, int, float, complex, str, bytes, type(None))
GENERATORS = ("Python's `random`", "`numpy.random`", "torch's generator")
HELD = "the generator in "
DEEPEST = 4
"""So deep lists in lists are compared."""


def host_state(module: nn.Module) -> dict[str, Hashable]:
    """Return the plain attributes of a module and its parts by path, and where generators of numbers stand.

    Tensors count by their identity: what is written into one, a recording repeats. Generators that the module
    keeps count by where they stand, those of Python, NumPy and torch. Other objects count by their own
    attributes where they have some. What an iterator or a Python generator will give next is not seen.
    """
    found: dict[str, Hashable] = {}
    for role, part in module.named_modules():
        for name, value in vars(part).items():
            if name not in KEPT_BY_TORCH:
                path = f"the attribute `{role}.{name}`" if role else f"the attribute `{name}`"
                found[path] = _plain(value, DEEPEST)
                states = tuple(map(_state, _generators(value, DEEPEST)))
                if states:
                    found[HELD + path] = states
    states = (
        random.getstate(),
        repr(np.random.get_state(legacy=False)),
        torch.get_rng_state().numpy().tobytes(),
    )
    return found | dict(zip(GENERATORS, states, strict=True))


def changes(before: dict[str, Hashable], after: dict[str, Hashable]) -> list[str]:
    """Name what differs, in order."""
    return [name for name in after if before.get(name) != after[name]]


def drawn_from(changed: list[str]) -> list[str]:
    """Return the generators among what has changed: the libraries' and those that the module keeps."""
    return [name for name in changed if name in GENERATORS or name.startswith(HELD)]


def generators_in(module: nn.Module) -> Iterator[Any]:
    """Yield the generators of numbers that a module and its parts keep, in the order of attributes."""
    for part in module.modules():
        for name, value in vars(part).items():
            if name not in KEPT_BY_TORCH:
                yield from _generators(value, DEEPEST)


def _plain(value: Any, deepest: int) -> Hashable:
    if isinstance(value, PLAIN):
        return repr(value)
    if isinstance(value, np.ndarray | np.generic) and value.dtype != object:
        return value.tobytes()
    if isinstance(value, set | frozenset):
        return tuple(sorted(map(repr, value)))
    parts = _parts(value) if deepest and _state(value) is None else None
    return id(value) if parts is None else tuple(_plain(part, deepest - 1) for part in parts)


def _parts(value: Any) -> list[Any] | None:
    """Return what a value consists of; None where that is not looked at."""
    if isinstance(value, list | tuple | deque):
        return list(value)
    if isinstance(value, dict):
        return [part for pair in value.items() for part in pair]
    if isinstance(value, torch.Tensor | nn.Module | type) or not hasattr(value, "__dict__"):
        return None
    return [repr(id(value)), vars(value)]


def _generators(value: Any, deepest: int) -> Iterator[Any]:
    """Yield the generators of numbers in a value."""
    if _state(value) is not None:
        yield value
    elif deepest:
        for part in _parts(value) or ():
            yield from _generators(part, deepest - 1)


def _state(value: Any) -> Hashable | None:
    """Return where a generator of numbers stands; None for anything else."""
    match value:
        case np.random.Generator():
            state: Hashable = repr(value.bit_generator.state)
        case np.random.BitGenerator():
            state = repr(value.state)
        case np.random.RandomState():
            state = repr(value.get_state(legacy=False))
        case random.SystemRandom():
            state = object()  # has no state that could be compared, so it counts as drawn from
        case random.Random():
            state = value.getstate()
        case torch.Generator():
            state = value.get_state().numpy().tobytes()
        case _:
            state = None
    return state
