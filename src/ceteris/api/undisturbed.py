"""Keeps the random numbers of a user's script as they would be without Ceteris."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def undisturbed(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function leave Python's own ``random`` where it found it.

    Nothing here draws from it, but libraries do when they are first imported (Rich, by way of scikit-learn),
    and then what a seeded script draws would depend on whether it called this before or after.
    """

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        state = random.getstate()
        try:
            return function(*args, **kwargs)
        finally:
            random.setstate(state)

    return called
