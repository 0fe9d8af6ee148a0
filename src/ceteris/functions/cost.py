"""What a function costs on this machine: an exponential against a comparison."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median

import torch

from ceteris.functions.entry import Function

NUMBERS = 200_000
ROUNDS = 15


def costs(functions: Sequence[Function]) -> dict[str, float]:
    """Return the nanoseconds per number of each function, forwards, on one thread in float32.

    The median of several rounds, in which the functions take turns, so that a busy moment of the machine
    hits all of them.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        x = torch.linspace(-4, 4, NUMBERS)
        seconds: dict[str, list[float]] = {function.name: [] for function in functions}
        for _ in range(ROUNDS):
            for function in functions:
                begin = time.perf_counter()
                function.compute(x)
                seconds[function.name].append(time.perf_counter() - begin)
    finally:
        torch.set_num_threads(threads)
    return {name: 1e9 * median(own) / NUMBERS for name, own in seconds.items()}
