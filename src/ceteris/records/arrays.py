"""Arrays of an epoch as compact blobs: histograms, fitted curves, confusion counts.

A blob is ``version (1 byte), type (1), axes (1), a zero byte``, the extent of every axis (4 each) and the
CRC-32 of all the rest (4), followed by the numbers in C order; all little-endian.
"""

from __future__ import annotations

import math
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from ceteris.records.curves import DamagedBlobError

ARRAY_VERSION = 1
_HEAD = struct.Struct("<BBBx")
_WORD = struct.Struct("<I")
_TYPES = {"f": (1, np.dtype("<f8")), "i": (2, np.dtype("<i8"))}
_BY_CODE = dict(_TYPES.values())


def pack_array(array: NDArray[np.generic]) -> bytes:
    """Return the blob of an array of whole numbers or floats, which are kept in 64 bits."""
    code, dtype = _TYPES[array.dtype.kind]
    head = _HEAD.pack(ARRAY_VERSION, code, array.ndim) + b"".join(map(_WORD.pack, array.shape))
    numbers = np.ascontiguousarray(array, dtype=dtype).tobytes()
    return head + _WORD.pack(zlib.crc32(numbers, zlib.crc32(head))) + numbers


def unpack_array(blob: bytes) -> NDArray[np.generic]:
    """Return the array of a blob, read-only; raises ``DamagedBlobError``."""
    if len(blob) < _HEAD.size:
        raise DamagedBlobError(f"{len(blob)} bytes are left, and its head alone has more")
    version, code, axes = _HEAD.unpack_from(blob)
    if version != ARRAY_VERSION or code not in _BY_CODE:
        raise DamagedBlobError(f"its head says version {version} and type {code}, which are not known")
    begin = _HEAD.size + axes * _WORD.size
    if len(blob) < begin + _WORD.size:
        raise DamagedBlobError(f"{len(blob)} bytes are left, and its head alone has more")
    shape = struct.unpack_from(f"<{axes}I", blob, _HEAD.size)
    numbers = blob[begin + _WORD.size :]
    dtype = _BY_CODE[code]
    if len(numbers) != math.prod(shape) * dtype.itemsize:
        raise DamagedBlobError(f"it has {len(numbers)} bytes of numbers, which do not make the shape {shape}")
    (checksum,) = _WORD.unpack_from(blob, begin)
    if zlib.crc32(numbers, zlib.crc32(blob[:begin])) != checksum:
        raise DamagedBlobError("its checksum does not match its content")
    return np.frombuffer(numbers, dtype=dtype).reshape(shape)
