"""IDX files, gzip or plain: read, checked against the MD5 of their decompressed content, parsed.

The format (LeCun, "The MNIST database"): two zero bytes, a type code, the number of axes, the
length of each axis as a big-endian 32-bit integer, then the values in row-major order.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ceteris.errors import CeterisError

GZIP_MAGIC = b"\x1f\x8b"
UNSIGNED_BYTES = 0x08


@dataclass(frozen=True)
class Payload:
    """One IDX file as it must be: its usual name, and length in bytes and MD5 of the decompressed content."""

    file: str
    length: int
    md5: str


def read_payload(path: Path, expected: Payload) -> bytes:
    """Return the decompressed content of ``path``; refuse, by name, what is not exactly ``expected``.

    Only the content counts: a file that was compressed again, or not at all, is right.
    Never reads more than one byte beyond the expected length, whatever the file claims.
    """
    content = _decompressed(path, expected.length + 1)
    if len(content) < expected.length:
        raise CeterisError(
            f"{path} is damaged: it ends after {len(content):,} of {expected.length:,} bytes; "
            "remove it and fetch it again"
        )
    found = md5_of(content)
    if found != expected.md5:
        raise CeterisError(
            f"{path} is damaged or another file: its content has the MD5 {found}, and {expected.file} "
            f"has {expected.md5}; remove it and fetch it again"
        )
    return content


def md5_of(content: bytes) -> str:
    """Return the MD5 of ``content`` in hexadecimal (a fingerprint, not a signature)."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _decompressed(path: Path, limit: int) -> bytes:
    """Read at most ``limit`` bytes of content; a gzip stream that breaks off gives what there was."""
    try:
        with path.open("rb") as file:
            start = file.read(len(GZIP_MAGIC))
            file.seek(0)
            if start != GZIP_MAGIC:
                return file.read(limit)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return unpacked.read(limit)
    except EOFError as error:
        raise CeterisError(f"{path} is damaged: it breaks off; remove it and fetch it again") from error
    except (zlib.error, gzip.BadGzipFile) as error:
        raise CeterisError(f"{path} is damaged: {error}; remove it and fetch it again") from error
    except OSError as error:
        raise CeterisError(f"{path} cannot be read: {error.strerror or error}") from error


def parse_idx(content: bytes, name: str) -> NDArray[np.uint8]:
    """Return the array in an IDX file of unsigned bytes, without copying it.

    Raises CeterisError where the header is not that of such a file or does not fit its length.
    """
    if len(content) < 4 or content[:3] != bytes([0, 0, UNSIGNED_BYTES]):
        raise CeterisError(f"{name} is not an IDX file of unsigned bytes")
    axes = content[3]
    start = 4 + 4 * axes
    shape = tuple(int(n) for n in np.frombuffer(content[4:start], dtype=">u4"))
    values = np.frombuffer(content, dtype=np.uint8, offset=min(start, len(content)))
    if len(shape) != axes or values.size != int(np.prod(shape, dtype=np.int64)):
        raise CeterisError(
            f"{name} is damaged: its header says shape {shape}, but {values.size:,} values follow"
        )
    return values.reshape(shape)
