"""Whether the training kernels are compiled on this machine already."""

from __future__ import annotations

NOTE = "compiling the training kernels, once on this machine (about a minute)"


def kernels_are_compiled() -> bool:
    """Tell whether the cache holds the interpreter as its sources are now, or nothing is to be compiled.

    Imports the kernels, and with them Numba.
    """
    from ceteris.train.cpu import interpreter

    cache = getattr(interpreter.train_steps, "_cache", None)
    # There is none where a variable asks for plain functions; nothing is to be waited for there.
    return cache is None or bool(cache._cache_file._load_index())
