"""Whether the training kernels are compiled on this machine already."""

from __future__ import annotations

from pathlib import Path

NOTE = "compiling the training kernels, once on this machine (about a minute)"


def kernels_are_compiled() -> bool:
    """Tell whether the cache holds an index of the interpreter as it is now; Numba writes it on compiling.

    Imports the kernels, and with them Numba.
    """
    from ceteris.train.cpu import interpreter

    changed = Path(interpreter.__file__).stat().st_mtime
    place: str | None = interpreter.train_steps.stats.cache_path
    found = () if place is None else Path(place).glob("interpreter.train_steps-*.nbi")
    return any(index.stat().st_mtime >= changed for index in found)
