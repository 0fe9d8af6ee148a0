"""Checkpoints of trials as safetensors files: what a trial needs to go on, checked when it is read.

A checkpoint is a help and no record: one that is damaged, of another format or of other numerics is no
checkpoint, and its trial begins anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ceteris.records.folders import explained_disk, write_whole

FORMAT = "1"
"""Counts up when the arrays of a state change their meaning."""
SUFFIX = ".safetensors"

Arrays = Mapping[str, NDArray[np.generic]]


def write_checkpoint(folder: Path, identity: str, epochs: int, numerics: str, arrays: Arrays) -> None:
    """Replace the checkpoint of a trial; ``numerics`` names what it was computed with.

    Not flushed to the disk: a power cut may damage the file, which the hash in its head then tells.
    """
    from safetensors.numpy import save

    with explained_disk(folder, "the folder of the checkpoints could not be made"):
        folder.mkdir(parents=True, exist_ok=True)
    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    head = _head(identity, numerics) | {"epochs": str(epochs), "hash": _hash(whole)}
    write_whole(_path(folder, identity), save(whole, head), flush=False)


def read_checkpoint(
    folder: Path, identity: str, numerics: str
) -> tuple[int, dict[str, NDArray[np.generic]]] | None:
    """Return how many epochs a trial has behind it and its state; None where it cannot go on from there."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(_path(folder, identity), framework="np") as file:
            head = file.metadata() or {}
            arrays = {name: np.array(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118  # no mapping
        epochs = int(head["epochs"])
    except (SafetensorError, OSError, ValueError, KeyError):
        return None
    expected = _head(identity, numerics) | {"hash": _hash(arrays)}
    return (epochs, arrays) if expected.items() <= head.items() else None


def sort_checkpoints(folder: Path, reached: Mapping[str, int], numerics: str) -> dict[str, int]:
    """Return the epochs that trials can go on from, and remove every file that none can use.

    Args:
        reached: identity -> epochs on record; a checkpoint of more epochs is of no use.
    """
    begun: dict[str, int] = {}
    for identity, epochs in reached.items():
        found = read_checkpoint(folder, identity, numerics)
        if found is not None and 0 < found[0] <= epochs:
            begun[identity] = found[0]
    wanted = {_path(folder, identity) for identity in begun}
    if folder.is_dir():
        for path in set(folder.iterdir()) - wanted:
            path.unlink(missing_ok=True)
    return begun


def drop_checkpoints(folder: Path, identities: Iterable[str]) -> None:
    """Remove the checkpoints of trials that have ended, and the folder with the last of them."""
    if not folder.is_dir():
        return
    for identity in identities:
        _path(folder, identity).unlink(missing_ok=True)
    with suppress(OSError):  # others are still in there
        folder.rmdir()


def _path(folder: Path, identity: str) -> Path:
    return folder / f"{identity}{SUFFIX}"


def _head(identity: str, numerics: str) -> dict[str, str]:
    return {"format": FORMAT, "identity": identity, "numerics": numerics}


def _hash(arrays: Arrays) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape} ".encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()
