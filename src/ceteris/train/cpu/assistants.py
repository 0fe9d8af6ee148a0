"""Threads that help a compiled loop: they start with a call of it and end with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.train.cpu.team import CLOSED, new_team

Assistant = Callable[[NDArray[np.int64]], Any]
"""A compiled loop that works for the team it is given until there is nothing left to do."""


@contextmanager
def assisted(assistants: Sequence[Assistant]) -> Iterator[NDArray[np.int64]]:
    """Let each assistant run in a thread of its own until the block is left.

    Threads begin with the floating-point mode of the one that starts them, flushed denormals included.

    Yields:
        The team, whose leader this thread is.
    """
    team = new_team(1 + len(assistants))
    threads = [Thread(target=assistant, args=(team,), daemon=True) for assistant in assistants]
    started: list[Thread] = []
    try:
        for thread in threads:
            thread.start()
            started.append(thread)
        yield team
    finally:
        team[CLOSED : CLOSED + 1] = 1
        for thread in started:
            thread.join()
