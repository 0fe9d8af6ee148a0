"""What a module of the user's own keeps, draws and counts in Python: a recorded step would not repeat it."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Hashable
from typing import Any

import numpy as np
import torch
from torch import nn

from ceteris.train.modules.attributes import KEPT_BY_TORCH

PLAIN = (bool, int, float, complex, str, bytes, type(None))
GENERATORS = ("Python's `random`", "`numpy.random`", "torch's generator")
DEEPEST = 4
"""So deep lists in lists are compared."""


def host_state(module: nn.Module) -> dict[str, Hashable]:
    """Return the plain attributes of a module and its parts by path, and where generators of numbers stand.

    Tensors count by their identity: what is written into one, a recording repeats. Other objects count by
    their own attributes where they have some.
    """
    found: dict[str, Hashable] = {
        f"the attribute `{role}.{name}`" if role else f"the attribute `{name}`": _plain(value, DEEPEST)
        for role, part in module.named_modules()
        for name, value in vars(part).items()
        if name not in KEPT_BY_TORCH
    }
    states = (
        random.getstate(),
        repr(np.random.get_state(legacy=False)),
        torch.get_rng_state().numpy().tobytes(),
    )
    return found | dict(zip(GENERATORS, states, strict=True))


def changes(before: dict[str, Hashable], after: dict[str, Hashable]) -> list[str]:
    """Name what differs, in order."""
    return [name for name in after if before.get(name) != after[name]]


def _plain(value: Any, deepest: int) -> Hashable:
    if isinstance(value, PLAIN):
        return repr(value)
    if isinstance(value, np.ndarray | np.generic) and value.dtype != object:
        return value.tobytes()
    if isinstance(value, set | frozenset):
        return tuple(sorted(map(repr, value)))
    parts = _parts(value) if deepest else None
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
