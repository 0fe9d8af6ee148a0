"""How kernels are compiled and kept: decorators for Numba."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numba

from ceteris.train.cpu.turns import own_turn

PACKAGE = Path(__file__).parents[2]

COMPILED = ("draws/*.py", "train/cpu/*.py", "train/warp.py")
"""Files, within the package, of what kernels call and become part of."""

ON_HOST = tuple(f"train/cpu/{name}.py" for name in ("assistants", "compiled", "engine", "turns"))
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


def keep_form(cache_file: Any, key: Any, data: Any) -> None:
    """Keep a compiled form of a function in a file of its own, which is there before the index names it.

    Stands for ``save`` of Numba's ``IndexDataCacheFile``, which numbers the files and writes the index first:
    of two processes that compile two forms at once both can take one number, and then train with the code of
    the other form.
    """
    kept = cache_file._load_index()
    if not kept:
        _remove_forms(cache_file)  # of sources as they were; a form that is missing is compiled again
    digest = hashlib.sha256(repr((cache_file._source_stamp, key)).encode()).digest()
    name = cache_file._data_name(int.from_bytes(digest[:8], "big"))
    cache_file._save_data(name, data)
    cache_file._save_index({**kept, key: name})


def _remove_forms(cache_file: Any) -> None:
    prefix = glob.escape(cache_file._data_name_pattern.removesuffix("{number:d}.nbc"))
    for file in Path(cache_file._cache_path).glob(f"{prefix}*.nbc"):
        with suppress(OSError):  # on Windows while another process reads it
            file.unlink()


def compile_in_turn(dispatcher: Any, compile_form: Callable[[Any], Any], types: Any) -> Any:
    """Compile a function for types, or load what is kept; nothing is compiled while another process does so.

    Stands for ``compile`` of Numba's ``Dispatcher``, which is given as ``compile_form``.
    """
    cache = dispatcher._cache
    if cache._index_key(types, dispatcher.targetctx.codegen()) in cache._cache_file._load_index():
        return compile_form(types)
    with own_turn():
        return compile_form(types)


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
            file = compiled._cache._cache_file
            file._source_stamp, file.save = sources_stamp(), partial(keep_form, file)
            compiled.compile = partial(compile_in_turn, compiled, compiled.compile)
        return compiled

    return kept


# Numba's Python error model would test every division for zero and so keep loops scalar.
_fast: dict[str, Any] = {"error_model": "numpy"}
# Numba counts the references of every array that a function is given or cuts out of another, with locked
# instructions: 40% of the time of a small network. What kernels work on outlives them, so they count nothing;
# nor can they allocate anything.
_uncounted: dict[str, Any] = {**_fast, "_nrt": False}

kernel = compiling(**_uncounted)
# For what is called for every member of a step: arguments, arrays in tuples, are hundreds of words to pass.
inlined = compiling(**_uncounted, forceinline=True)
# Sums may be reordered so that they vectorise: their order then depends on the length alone.
summing = compiling(**_uncounted, fastmath={"reassoc"})
# For what returns an array, as np.dot does even where it is given one.
counting = compiling(**_fast, _nrt=True)
