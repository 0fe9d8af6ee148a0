"""How kernels are compiled and kept: decorators for Numba."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numba

PACKAGE = Path(__file__).parents[2]

COMPILED = ("draws/*.py", "train/cpu/*.py", "train/warp.py")
"""Files, within the package, of what kernels call and become part of."""

ON_HOST = tuple(f"train/cpu/{name}.py" for name in ("assistants", "compiled", "engine"))
"""Files among them that hold nothing that is compiled."""

FROZEN = tuple(f"ceteris.train.{name}" for name in ("engine", "hyper", "penalties", "probes"))
"""Modules whose constants are compiled into kernels."""


def sources(package: Path = PACKAGE) -> list[Path]:
    """Return the files of all that is compiled."""
    found = [file for pattern in COMPILED for file in sorted(package.glob(pattern))]
    return [file for file in found if file.relative_to(package).as_posix() not in ON_HOST]


@cache
def sources_stamp(package: Path = PACKAGE) -> bytes:
    """Return a hash of all that kernels are compiled from."""
    digest = hashlib.sha256()
    for file in sources(package):
        digest.update(f"{file.relative_to(package)}\0".encode())
        digest.update(file.read_bytes())
    for module in map(import_module, FROZEN):
        for name, value in vars(module).items():
            if name.isupper() and isinstance(value, int | float | str | tuple):
                digest.update(f"{module.__name__}.{name}={value!r}\0".encode())
    return digest.digest()


def compiling(**options: Any) -> Any:
    """Return a decorator that compiles a function, and keeps it until any source of a kernel changes.

    Numba keeps a compiled function for as long as the file that it stands in is the same. But what it calls
    is compiled into it: after an update of another file an old kernel would go on training.
    """
    njit: Any = numba.njit
    decorate = njit(cache=True, nogil=True, **options)

    def kept(function: Callable[..., Any]) -> Any:
        compiled = decorate(function)
        if hasattr(compiled, "_cache"):  # not where NUMBA_DISABLE_JIT asks for plain functions
            compiled._cache._cache_file._source_stamp = sources_stamp()
        return compiled

    return kept


# Numba's Python error model would test every division for zero and so keep loops scalar.
_fast: dict[str, Any] = {"error_model": "numpy"}
# Numba counts the references of every array that a function is given or cuts out of another, with locked
# instructions: 40% of the time of a small network. What kernels work on outlives them, so they count nothing;
# nor can they allocate anything.
_uncounted: dict[str, Any] = {**_fast, "_nrt": False}

kernel = compiling(**_uncounted)
# Sums may be reordered so that they vectorise: their order then depends on the length alone.
summing = compiling(**_uncounted, fastmath={"reassoc"})
# For what returns an array, as np.dot does even where it is given one.
counting = compiling(**_fast, _nrt=True)
