"""Curves as compact blobs: a header that can be checked, then float64 numbers.

While a trial runs, finished epochs that were reported together are one row with a block of shape
(metrics, epochs); when it ends, the rows become one block. Rows that are appended keep the
transaction of an epoch short, and one blob per ended trial keeps reading fast.

A blob is ``version (1 byte), 3 zero bytes, metrics (4), epochs (4), CRC-32 of all the rest (4)``
followed by ``metrics * epochs`` float64 numbers, metric by metric; all little-endian. The names
of the metrics stand once in the table ``metric_sets``.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ceteris.errors import CeterisError

BLOB_VERSION = 1
_SHAPE = struct.Struct("<B3xII")
_CHECKSUM = struct.Struct("<I")
_HEAD_SIZE = _SHAPE.size + _CHECKSUM.size
_NUMBER = np.dtype("<f8")


class DamagedBlobError(ValueError):
    """A blob is not what was written; the text says in what way."""


def pack(block: NDArray[np.float64]) -> bytes:
    """Return the blob of a block (metrics, epochs); every bit comes back, NaN payloads too."""
    metrics, epochs = block.shape
    shape = _SHAPE.pack(BLOB_VERSION, metrics, epochs)
    numbers = np.ascontiguousarray(block, dtype=_NUMBER).tobytes()
    return shape + _CHECKSUM.pack(zlib.crc32(numbers, zlib.crc32(shape))) + numbers


def unpack(blob: bytes) -> NDArray[np.float64]:
    """Return the block (metrics, epochs) of a blob, read-only; raises ``DamagedBlobError``."""
    if len(blob) < _HEAD_SIZE:
        raise DamagedBlobError(f"{len(blob)} bytes are left, and its head alone has {_HEAD_SIZE}")
    version, metrics, epochs = _SHAPE.unpack_from(blob)
    if version != BLOB_VERSION:
        raise DamagedBlobError(f"its version byte is {version} and {BLOB_VERSION} is expected")
    expected = _HEAD_SIZE + metrics * epochs * _NUMBER.itemsize
    if len(blob) != expected:
        raise DamagedBlobError(f"it has {len(blob)} bytes and {expected} are expected")
    (checksum,) = _CHECKSUM.unpack_from(blob, _SHAPE.size)
    if zlib.crc32(blob[_HEAD_SIZE:], zlib.crc32(blob[: _SHAPE.size])) != checksum:
        raise DamagedBlobError("its checksum does not match its content")
    numbers = np.frombuffer(blob, dtype=_NUMBER, offset=_HEAD_SIZE)
    return numbers.reshape(metrics, epochs).astype(np.float64, copy=False)


def join_epochs(
    epochs: Sequence[tuple[tuple[str, ...], NDArray[np.float64]]],
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return names and block of a trial from the names and blocks of its epochs, in their order.

    A metric that an epoch does not have is NaN there; names keep the order of first appearance.
    """
    if len({present for present, _ in epochs}) == 1:
        # Nearly always: every epoch measured the same metrics.
        names, joined = epochs[0][0], np.concatenate([block for _, block in epochs], axis=1)
    else:
        names = tuple(dict.fromkeys(name for present, _ in epochs for name in present))
        joined = _aligned(names, epochs)
    joined.setflags(write=False)
    return names, joined


def _aligned(
    names: Sequence[str], epochs: Sequence[tuple[tuple[str, ...], NDArray[np.float64]]]
) -> NDArray[np.float64]:
    joined = np.full((len(names), sum(block.shape[1] for _, block in epochs)), np.nan)
    place = {name: row for row, name in enumerate(names)}
    start = 0
    for present, block in epochs:
        stop = start + block.shape[1]
        joined[[place[name] for name in present], start:stop] = block
        start = stop
    return joined


def unpack_named(names: tuple[str, ...], blob: bytes) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return names and block of a blob; raises ``DamagedBlobError``, also where their numbers differ."""
    block = unpack(blob)
    if len(names) != len(block):
        raise DamagedBlobError(f"it has {len(block)} metrics and {len(names)} names are recorded")
    return names, block


def as_curves(names: Sequence[str], block: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return metric -> (epochs,) from a block (metrics, epochs)."""
    return dict(zip(names, block, strict=True))


class DamagedCurves(Mapping[str, NDArray[np.float64]]):
    """The curves of a trial whose blob is damaged: touching them says so, in one sentence.

    The other trials of the run load as ever, and nobody averages over the rest unawares.
    """

    def __init__(self, message: str) -> None:
        self.message = message

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        raise CeterisError(self.message)

    def __iter__(self) -> Iterator[str]:
        raise CeterisError(self.message)

    def __len__(self) -> int:
        raise CeterisError(self.message)

    def __repr__(self) -> str:
        return f"DamagedCurves({self.message!r})"
