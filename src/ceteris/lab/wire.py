"""Whole Python objects over a pipe: eight bytes of length, then a pickle.

Both ends are processes of one lab, started by each other; nothing from outside comes this way.
"""

from __future__ import annotations

import os
import pickle
import struct
import sys
from io import TextIOWrapper
from typing import Any, BinaryIO

HEAD = struct.Struct(">Q")


def send(stream: BinaryIO, message: object) -> None:
    """Write one message. Raises OSError (or ValueError for a closed stream) when nobody reads any more."""
    content = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(HEAD.pack(len(content)))
    stream.write(content)
    stream.flush()


def receive(stream: BinaryIO) -> Any:
    """Read one message. Raises EOFError when the other end is gone, also in the middle of a message."""
    (length,) = HEAD.unpack(_exactly(stream, HEAD.size))
    return pickle.loads(_exactly(stream, length))


def _exactly(stream: BinaryIO, length: int) -> bytes:
    content = stream.read(length)
    if len(content) < length:
        raise EOFError
    return content


def take_over_streams() -> tuple[BinaryIO, BinaryIO]:
    """Return this process's standard input and output for messages alone: (orders, reports).

    Whatever is printed from now on goes to standard error, and reading standard input gives nothing,
    so code of the user's cannot break a message.
    """
    orders = os.fdopen(os.dup(0), "rb")
    reports = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    return orders, reports
