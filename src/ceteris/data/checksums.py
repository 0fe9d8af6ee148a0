"""Whether a file is the one that was published: its MD5, SHA-1 or SHA-256."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ceteris.errors import CeterisError

SPELT = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256"}


def file_sum(path: Path, algorithm: str) -> str:
    """Return the hexadecimal digits of a file's sum, a piece of it in memory at a time."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def check_file(path: Path, checksum: str | None) -> None:
    """Raise ``CeterisError`` where a file's sum is not ``checksum`` (`algorithm:digits`, or None: any)."""
    if checksum is None:
        return
    algorithm, _, expected = checksum.partition(":")
    found = file_sum(path, algorithm)
    if found != expected:
        raise CeterisError(
            f"damaged or another file: its {SPELT[algorithm]} is {found}, and {expected} is expected"
        )


def is_right(path: Path, checksum: str | None) -> bool:
    """Tell whether a file is there with this sum."""
    if not path.is_file():
        return False
    try:
        check_file(path, checksum)
    except CeterisError:
        return False
    return True
