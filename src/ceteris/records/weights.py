"""Weights of trials as safetensors files: whole or absent, checked when they are read."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ceteris.errors import CeterisError
from ceteris.records.folders import flush_folder, write_whole
from ceteris.records.names import slug

Kind = Literal["initial", "final"]
WRITERS = 8
"""Files that wait for the disk at once: 200 files of 3 KB took 0.2 s where one by one took 0.5 to 2 s."""


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


def write_all(
    folder: Path, owned: Mapping[int, tuple[Owner, Mapping[Kind, Mapping[str, NDArray[np.generic]]]]]
) -> dict[int, dict[str, str]]:
    """Write the weights of many trials; return key -> kind -> file name once all are on the disk.

    Several files wait for the disk at once: it takes a few of them in one go, where one after the
    other would wait for each.
    """
    jobs = [(key, owner, kind) for key, (owner, kinds) in owned.items() for kind in kinds]
    with ThreadPoolExecutor(WRITERS) as writers:
        names = writers.map(lambda job: write_weights(folder, job[1], job[2], owned[job[0]][1][job[2]]), jobs)
        found: dict[int, dict[str, str]] = {key: {} for key in owned}
        for (key, _, kind), name in zip(jobs, names, strict=True):
            found[key][kind] = name
    flush_folder(folder)
    return found


def write_weights(folder: Path, owner: Owner, kind: Kind, arrays: Mapping[str, NDArray[np.generic]]) -> str:
    """Write ``arrays`` and return the file's name; after a crash the file is whole or absent.

    The folder has to be flushed before rows are committed that refer to the file, as ``write_all`` does.
    """
    from safetensors.numpy import save

    metadata = {"identity": owner.identity, "level": owner.level, "seed": str(owner.seed)}
    metadata |= {"fold": str(owner.fold), "kind": kind}
    content = save({name: _in_c_order(array) for name, array in arrays.items()}, metadata)
    name = owner.file_name(kind)
    write_whole(folder / name, content)
    return name


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


def _in_c_order(array: NDArray[np.generic]) -> NDArray[np.generic]:
    # Not ascontiguousarray, which makes an array without axes into one with one axis.
    return np.asarray(array, order="C")
