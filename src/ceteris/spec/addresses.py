"""Sources that are addresses on the web: which they are, what file they name, and how it is checked."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

SCHEMES = ("http://", "https://")
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
"""How the names of files end that hold other files."""
ALGORITHMS = {32: "md5", 40: "sha1", 64: "sha256"}
"""Which sum a number of hexadecimal digits is."""


def is_url(source: str) -> bool:
    """Tell whether a source is an address."""
    return source.lower().startswith(SCHEMES)


def url_parts(url: str) -> tuple[str, str, str]:
    """Return the address that is fetched, the name of its file, and which file inside an archive is meant.

    The last stands behind a `#`, as in `https://example.org/houses.zip#data/train.csv`; it may be empty.
    """
    address, _, inside = url.partition("#")
    return address, unquote(urlsplit(address).path).rstrip("/").rpartition("/")[2], unquote(inside)


def read_file(source: str) -> str:
    """Return the name that says what kind of file a source is: of an address, the last part of its path."""
    if not is_url(source):
        return source
    _, file, inside = url_parts(source)
    return inside or file


def archive_ending(file: str) -> str:
    """Return how the name of an archive ends; empty for other files."""
    return max((end for end in ARCHIVES if file.lower().endswith(end)), key=len, default="")


def plain_checksum(text: str) -> str:
    """Return a checksum as `algorithm:digits`. Raises ``ValueError`` for what is none.

    ``text`` are the hexadecimal digits of an MD5 (32), SHA-1 (40) or SHA-256 (64), the algorithm's name
    and a colon before them or not.
    """
    name, _, digits = text.strip().lower().rpartition(":")
    algorithm = ALGORITHMS.get(len(digits))
    if algorithm is None or re.fullmatch("[0-9a-f]+", digits) is None or name not in ("", algorithm):
        raise ValueError(text)
    return f"{algorithm}:{digits}"
