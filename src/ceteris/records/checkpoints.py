"""Checkpoints: what the trials of a shard need to go on, in files that the training process writes itself.

A process overwrites two files in turn, in place, so while one is being written the other is whole. The first
bytes of a file are cleared before its content changes and written when all of it is there: a process that is
killed leaves a file that is whole or says that it is not. Nothing is flushed to the disk, so that states that
are soon replaced need not reach it; what a power cut made of a file, its checksum tells.

A file is the prefix (magic, checksum, two lengths), the bytes of all arrays, and a head in JSON that says
whose they are. A checkpoint is a help and no record: one that is damaged, of another format or of other
numerics is no checkpoint, and an older one counts or its trial begins anew.
"""

from __future__ import annotations

import json
import math
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ceteris.records.folders import explained_disk

FORMAT = 2
"""Counts up when the arrays of a state change their meaning, or the file its layout."""
FAILURE = "the state of the training could not be written"

_MAGIC = b"ceteris\n"
_PREFIX = struct.Struct("<8sLQQ")
"""Magic, CRC-32 of all that follows, bytes of the arrays, bytes of the head."""
_BUFFER = 2**18
_CHUNK = 2**24

Arrays = Mapping[str, NDArray[np.generic]]
Layout = tuple[tuple[str, str, tuple[int, ...]], ...]
"""Name, type and shape of every array of a state, in the order of their bytes."""


class Generations:
    """The two files in which one process keeps the trials of one shard."""

    def __init__(self, path: Path, numerics: str) -> None:
        """``path`` is used by nobody else; ``numerics`` names what the states are computed with."""
        self._paths = generation_paths(path)
        self._numerics = numerics
        self._epochs = [0, 0]

    def write(self, states: Iterable[tuple[str, int, Arrays]], recorded: int) -> int:
        """Write the states of all trials: identity, epochs behind it, arrays.

        The newest one of which the record has the epochs (so many: ``recorded``) is never overwritten, for
        a state that knows more than the record is of no use.

        Returns:
            The most epochs that a state has behind it.

        Raises:
            CeterisError: where the disk is full, or the folder cannot be written.
        """
        place = self._next(recorded)
        path, self._epochs[place] = self._paths[place], 0
        with explained_disk(path.parent, FAILURE):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("r+b" if path.exists() else "wb", buffering=_BUFFER) as file:
                self._epochs[place] = _write(file, states, self._numerics)
        return self._epochs[place]

    @property
    def newest(self) -> int:
        """The most epochs that a state which was written has behind it."""
        return max(self._epochs)

    def _next(self, recorded: int) -> int:
        older, newer = sorted((0, 1), key=lambda place: self._epochs[place])
        return older if self._epochs[older] == 0 or self._epochs[newer] <= recorded else newer


def generation_paths(path: Path) -> tuple[Path, Path]:
    """Return the two files of a shard."""
    return path.with_name(f"{path.name}.0"), path.with_name(f"{path.name}.1")


class Found(NamedTuple):
    """The newest state that a trial can go on from."""

    epochs: int
    path: Path


def find_states(folder: Path, reached: Mapping[str, int], numerics: str) -> dict[str, Found]:
    """Return what trials can go on from, by identity; those are left out that have to begin anew.

    Args:
        reached: identity -> epochs on record; a state of more epochs is of no use.
    """
    candidates: dict[str, list[Found]] = {}
    for path, head in _heads(folder, numerics):
        for identity, member in head.items():
            if 0 < member.epochs <= reached.get(identity, 0):
                candidates.setdefault(identity, []).append(Found(member.epochs, path))
    whole: dict[Path, bool] = {}
    found = {}
    for identity, own in candidates.items():
        for state in sorted(own, reverse=True):
            if state.path not in whole:
                whole[state.path] = _is_whole(state.path)
            if whole[state.path]:
                found[identity] = state
                break
    return found


def sort_checkpoints(folder: Path, reached: Mapping[str, int], numerics: str) -> dict[str, int]:
    """Return the epochs that trials can go on from, and remove every file that none can use.

    Nobody may be writing states in the folder. ``reached`` is that of ``find_states``.
    """
    found = find_states(folder, reached, numerics)
    wanted = {state.path for state in found.values()}
    if folder.is_dir():
        for path in set(folder.iterdir()) - wanted:
            remove(path)
    return {identity: state.epochs for identity, state in found.items()}


def read_states(found: Mapping[str, Found], numerics: str) -> dict[str, dict[str, NDArray[np.generic]]]:
    """Read the states that ``find_states`` found; those are left out that changed since."""
    states: dict[str, dict[str, NDArray[np.generic]]] = {}
    for path in {state.path for state in found.values()}:
        head = _head_of(path, numerics) or {}
        own = [i for i, s in found.items() if s.path == path and i in head and head[i].epochs == s.epochs]
        if own and _is_whole(path):
            with path.open("rb") as file:
                states |= {identity: _read(file, head[identity]) for identity in own}
    return states


def remove(path: Path) -> None:
    """Remove a file; where that fails (on Windows while anything reads it) it stays, and is of no harm."""
    with suppress(OSError):
        path.unlink()


def drop_folder(folder: Path) -> None:
    """Remove the folder and all files in it."""
    with suppress(OSError):  # there is none
        for path in folder.iterdir():
            remove(path)
        folder.rmdir()


@dataclass(frozen=True)
class _Member:
    """Where the state of a trial lies in a file."""

    epochs: int
    layout: Layout
    offset: int


def _write(file: IO[bytes], states: Iterable[tuple[str, int, Arrays]], numerics: str) -> int:
    """Write a file anew, in place; return the most epochs that a state has behind it."""
    file.write(bytes(_PREFIX.size))
    file.flush()
    layouts: dict[Layout, int] = {}
    members: list[tuple[str, int, int]] = []
    checksum = length = 0
    for identity, epochs, arrays in states:
        layout = tuple((name, array.dtype.str, array.shape) for name, array in arrays.items())
        members.append((identity, epochs, layouts.setdefault(layout, len(layouts))))
        for content in _contents(arrays):
            checksum = zlib.crc32(content, checksum)
            length += len(content)
            file.write(content)
    parts = {"format": FORMAT, "numerics": numerics, "layouts": list(layouts), "members": members}
    head = json.dumps(parts).encode()
    file.write(head)
    file.flush()
    file.seek(0)
    file.write(_PREFIX.pack(_MAGIC, zlib.crc32(head, checksum), length, len(head)))
    return max(epochs for _, epochs, _ in members)


def _contents(arrays: Arrays) -> Iterator[bytes | memoryview]:
    """Yield the bytes of all arrays in their order: large ones as they lie there, small ones together."""
    if sum(array.nbytes for array in arrays.values()) < _BUFFER:
        yield b"".join([array.tobytes() for array in arrays.values()])
        return
    for array in arrays.values():
        yield np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _heads(folder: Path, numerics: str) -> Iterator[tuple[Path, Mapping[str, _Member]]]:
    if folder.is_dir():
        for path in folder.iterdir():
            head = _head_of(path, numerics)
            if head is not None:
                yield path, head


def _head_of(path: Path, numerics: str) -> dict[str, _Member] | None:
    """Return whose states lie where in a file; None where that is not to be had, or of other numerics."""
    try:
        with path.open("rb") as file:
            lengths = _lengths(file)
            if lengths is None:
                return None
            file.seek(_PREFIX.size + lengths[1])
            head = json.loads(file.read(lengths[2]))
        if (head["format"], head["numerics"]) != (FORMAT, numerics):
            return None
        layouts = [tuple((n, t, tuple(map(int, s))) for n, t, s in layout) for layout in head["layouts"]]
        sizes = [sum(_nbytes(dtype, shape) for _, dtype, shape in layout) for layout in layouts]
        members, offset = {}, _PREFIX.size
        for identity, epochs, number in head["members"]:
            members[str(identity)] = _Member(int(epochs), layouts[number], offset)
            offset += sizes[number]
    except (OSError, ValueError, TypeError, KeyError, IndexError):
        return None
    return members


def _lengths(file: IO[bytes]) -> tuple[int, int, int] | None:
    """Return the checksum and the lengths in the prefix of a file; None where it is torn."""
    prefix = file.read(_PREFIX.size)
    if len(prefix) < _PREFIX.size:
        return None
    magic, checksum, length, of_head = _PREFIX.unpack(prefix)
    fits = _PREFIX.size + length + of_head <= os.fstat(file.fileno()).st_size
    return (checksum, length, of_head) if magic == _MAGIC and fits else None


def _is_whole(path: Path) -> bool:
    """Tell whether a file is what was written, to its last byte."""
    try:
        with path.open("rb") as file:
            lengths = _lengths(file)
            if lengths is None:
                return False
            checksum, left = 0, lengths[1] + lengths[2]
            while left > 0:
                content = file.read(min(left, _CHUNK))
                checksum, left = zlib.crc32(content, checksum), left - len(content)
                if not content:
                    return False
    except OSError:
        return False
    return checksum == lengths[0]


def _read(file: IO[bytes], member: _Member) -> dict[str, NDArray[np.generic]]:
    file.seek(member.offset)
    state = {}
    for name, dtype, shape in member.layout:
        content = bytearray(file.read(_nbytes(dtype, shape)))
        state[name] = np.frombuffer(content, dtype).reshape(shape)
    return state


def _nbytes(dtype: str, shape: tuple[int, ...]) -> int:
    return np.dtype(dtype).itemsize * math.prod(shape)
