"""Rows that are too many for memory: in a file on disk that is mapped, and read where it is needed.

The file has no name: its space is free again as soon as nobody holds the array, however the process ends. An
array in it is an ordinary one, to engines too, which fetch the rows of a batch from it.
"""

from __future__ import annotations

import math
import mmap
import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.data.places import cache_folder
from ceteris.errors import CeterisError

ENVIRONMENT_VARIABLE = "CETERIS_MEMORY_MIB"
DEFAULT_MIB = 1024
"""Arrays of rows that are larger are kept on disk."""
BLOCK_BYTES = 16 << 20
"""About so much of an array is looked at at a time."""


def memory_limit() -> int:
    """Return how many bytes an array of rows may take in memory. Raises ``CeterisError``."""
    given = os.environ.get(ENVIRONMENT_VARIABLE, "")
    try:
        mib = float(given) if given else DEFAULT_MIB
    except ValueError as error:
        raise CeterisError(f"{ENVIRONMENT_VARIABLE} is `{given}`, not a number of MiB") from error
    if not mib >= 0:
        raise CeterisError(f"{ENVIRONMENT_VARIABLE} is `{given}`; it must be 0 or more")
    return int(mib * (1 << 20))


def empty_rows(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Return an array to be filled, in memory or, where it is larger than ``memory_limit``, in a file.

    Raises ``CeterisError`` where the disk has no room for it.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size <= memory_limit():
        return np.empty(shape, dtype=dtype)
    folder = cache_folder("mapped")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if size > free:
            raise CeterisError(
                f"{size / (1 << 30):.1f} GiB of rows do not fit into memory ({ENVIRONMENT_VARIABLE}) and not "
                f"on the disk: {folder} has {free / (1 << 30):.1f} GiB left; use fewer rows or features"
            )
        with tempfile.TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):  # else a full disk would end the process later
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
            mapped = mmap.mmap(file.fileno(), size)
    except OSError as error:
        raise CeterisError(f"{folder} cannot hold rows: {error.strerror or error}") from error
    return np.frombuffer(mapped, dtype=dtype).reshape(shape)


def row_blocks(array: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield the number of the first row and the rows of each piece of an array (N, ...), in order."""
    row_bytes = max(1, array.nbytes // max(1, len(array)))
    rows = max(1, BLOCK_BYTES // row_bytes)
    for begin in range(0, len(array), rows):
        yield begin, array[begin : begin + rows]
