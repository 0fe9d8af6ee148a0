"""Weights of trials as safetensors files: whole or absent, checked when they are read."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ceteris.errors import CeterisError
from ceteris.records.names import slug

Kind = Literal["initial", "final"]
UNFINISHED = ".part"


@dataclass(frozen=True)
class Owner:
    """The trial that a file of weights belongs to; it is written into the file's head too."""

    identity: str
    level: str
    seed: int
    fold: int

    def file_name(self, kind: Kind) -> str:
        """Return such as ``lr-0.1_seed-3_fold-0_8c1f0a5d2b7e.final.safetensors``."""
        level = slug(self.level, keep=".=")
        return f"{level}_seed-{self.seed}_fold-{self.fold}_{self.identity[:12]}.{kind}.safetensors"


def write_weights(folder: Path, owner: Owner, kind: Kind, arrays: Mapping[str, NDArray[np.generic]]) -> str:
    """Write ``arrays`` and return the file's name; after a crash the name is whole or absent.

    The file is written under another name, flushed to the disk and renamed. The caller flushes the
    folder (``flush_folder``) once for all files before it commits rows that refer to them.
    """
    from safetensors.numpy import save

    metadata = {"identity": owner.identity, "level": owner.level, "seed": str(owner.seed)}
    metadata |= {"fold": str(owner.fold), "kind": kind}
    content = save({name: _in_c_order(array) for name, array in arrays.items()}, metadata)
    name = owner.file_name(kind)
    unfinished = folder / f".{name}.{os.getpid()}{UNFINISHED}"
    with explained_disk(folder, "the weights could not be written"):
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, folder / name)
    return name


def flush_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut (a no-op where folders cannot be flushed)."""
    if os.name != "posix" or not folder.is_dir():
        return
    with explained_disk(folder, "the weights could not be written"):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read_weights(path: Path, identity: str) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of a file, writable; raise ``CeterisError`` where it is not what was written."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise CeterisError(f"the weights of trial {identity} are gone: there is no file {path}")
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            # Copies, since views of the file are read-only and torch warns of those.
            arrays = {name: np.array(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise CeterisError(f"the weights of trial {identity} in {path} are damaged ({error})") from error
    if metadata.get("identity") != identity:
        raise CeterisError(
            f"{path} holds the weights of trial {metadata.get('identity')} and not of trial {identity}"
        )
    return arrays


def prepare_folder(folder: Path) -> None:
    """Make a run's folder of weights and remove what writers that died left half written in it."""
    with explained_disk(folder, "the folder of the weights could not be made"):
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob(f".*{UNFINISHED}"):
            path.unlink(missing_ok=True)
    for above in (folder.parent, folder.parent.parent):
        flush_folder(above)


def _in_c_order(array: NDArray[np.generic]) -> NDArray[np.generic]:
    # Not ascontiguousarray, which makes an array without axes into one with one axis.
    return np.asarray(array, order="C")


@contextmanager
def explained_disk(folder: Path, failure: str) -> Iterator[None]:
    """Turn failures of the disk inside into one ``CeterisError`` with one clear sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise CeterisError(
                f"the disk with {folder} is full, so {failure}; everything before is safe"
            ) from error
        raise CeterisError(f"{failure}: {folder}: {error.strerror}") from error


_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)
