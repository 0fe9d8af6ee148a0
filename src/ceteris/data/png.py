"""A PNG writer for small pictures: 8 bits per channel, grey or RGB (PNG specification, third edition)."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB = 0, 2


def png_bytes(pixels: NDArray[np.uint8]) -> bytes:
    """Encode (height, width) grey or (height, width, 3) RGB pixels."""
    height, width = pixels.shape[:2]
    colour = GREY if pixels.ndim == 2 else RGB
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    lines = pixels.reshape(height, -1)
    unfiltered = np.zeros((height, 1), dtype=np.uint8)  # each line begins with its filter: none
    body = zlib.compress(np.hstack([unfiltered, lines]).tobytes(), 9)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
