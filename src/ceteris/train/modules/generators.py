"""Generators of numbers that modules of the user's own keep: each member draws from where its own stand."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from ceteris.train.modules.host_state import generators_in


class OwnGenerators:
    """Where the generators of each member stand, of members that run by the code of the first one's module.

    Where generators of members differ in number or kind, all draw from those of the first, in turn.
    """

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        """Note where generators stand; to be made before a module has drawn anything."""
        self._shared = _generators_of(modules[0])
        members = [_generators_of(module) for module in modules]
        fitting = all(_kinds(own) == _kinds(self._shared) for own in members)
        self._first = [[_state(one) for one in own] for own in members] if fitting else []
        self.rewind()

    def rewind(self) -> None:
        """Let all members stand where they began."""
        self._states = list(self._first)
        if self._states:
            self._set(self._states[0])

    @contextmanager
    def of(self, place: int) -> Iterator[None]:
        """Let what is drawn inside be drawn for the member at a place."""
        if self._states:
            self._set(self._states[place])
        yield
        if self._states:
            self._states[place] = [_state(one) for one in self._shared]

    def _set(self, states: list[Any]) -> None:
        for one, state in zip(self._shared, states, strict=True):
            _set_state(one, state)


def _generators_of(module: nn.Module) -> list[Any]:
    """Return the generators that a module keeps, each once, but for the system's, which has no state."""
    found = {id(one): one for one in generators_in(module) if not isinstance(one, random.SystemRandom)}
    return list(found.values())


def _kinds(generators: list[Any]) -> list[type]:
    return [type(one.bit_generator if isinstance(one, np.random.Generator) else one) for one in generators]


def _state(generator: Any) -> Any:
    match generator:
        case np.random.Generator():
            return generator.bit_generator.state
        case np.random.BitGenerator():
            return generator.state
        case random.Random():
            return generator.getstate()
        case _:
            return generator.get_state()


def _set_state(generator: Any, state: Any) -> None:
    match generator:
        case np.random.Generator():
            generator.bit_generator.state = state
        case np.random.BitGenerator():
            generator.state = state
        case random.Random():
            generator.setstate(state)
        case torch.Generator() | np.random.RandomState():
            generator.set_state(state)
