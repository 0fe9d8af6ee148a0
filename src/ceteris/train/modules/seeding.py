"""Random numbers of the libraries that code of a user's own may draw from: torch, NumPy and Python."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_libraries(seed: int) -> None:
    """Begin torch's numbers, NumPy's (``numpy.random``) and Python's (``random``) from a seed."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw by a seed inside; afterwards all three go on where they were."""
    numpys, pythons = np.random.get_state(), random.getstate()
    with torch.random.fork_rng(devices=[]):
        seed_libraries(seed)
        try:
            yield
        finally:
            np.random.set_state(numpys)
            random.setstate(pythons)
