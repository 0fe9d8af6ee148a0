"""The lines of a text table: UTF-8, named columns, and as many fields in every line as there are columns.

A file is gone through once, in pieces. What reads simply (the usual, also with quotes around fields) is
counted by NumPy at some hundred megabytes a second; anything else is left to the ``csv`` module, which also
finds the line that a refusal names.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ceteris.data.progress import Step, unheard
from ceteris.errors import CeterisError

CHUNK_BYTES = 1 << 20
QUOTE, NEWLINE, RETURN = (ord(sign) for sign in '"\n\r')

Signs = NDArray[np.uint8]


def check_lines(path: Path, separator: str, tell: Step = unheard) -> list[str]:
    """Return the names of the columns of a text file, checked whole in bounded memory.

    Raises ``CeterisError`` for text that is not UTF-8, columns without a name or with the name of another,
    and lines with more or fewer fields than there are columns.
    """
    check_utf8(path, tell)
    lines = _lines(path, separator)
    _, names = next(lines, (0, []))
    check_names(path, names)
    if _is_plainly_even(path, separator, len(names)):
        return names
    for number, fields in lines:
        if len(fields) != len(names):
            raise CeterisError(
                f"{path}, line {number:,}: there are {len(fields)} fields, and the header names "
                f"{len(names)} column{'' if len(names) == 1 else 's'}"
            )
    return names


def check_utf8(path: Path, tell: Step = unheard) -> None:
    """Refuse a file that is not UTF-8, naming the line. Raises ``CeterisError``."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, done = 1, 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                line = lines + error.object[: error.start].count(b"\n")
                raise CeterisError(
                    f"{path}, line {line:,}: this is not UTF-8 text; save the table as UTF-8"
                ) from error
            lines += chunk.count(b"\n")
            done += len(chunk)
            tell(done)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise CeterisError(f"{path} ends within a character of UTF-8: it was cut off") from error


def check_names(path: Path, names: Sequence[str]) -> None:
    """Refuse columns without a name, and two of one name. Raises ``CeterisError``."""
    known: set[str] = set()
    for place, name in enumerate(names, start=1):
        if not name.strip():
            raise CeterisError(
                f"{path}: column {place} has no name; name it, or leave it out (pandas writes one for the "
                "index unless told `index=False`)"
            )
        if name in known:
            raise CeterisError(f"{path}: two columns are called `{name}`; give each a name of its own")
        known.add(name)


def _lines(path: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the line on which a record ends, and its fields; blank lines are passed over."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator)
        try:
            for fields in reader:
                if fields:
                    yield reader.line_num, fields
        except csv.Error as error:
            raise CeterisError(f"{path}, line {reader.line_num:,}: {error}") from error


def _is_plainly_even(path: Path, separator: str, columns: int) -> bool:
    """Tell whether every record has so many fields for certain; False also where that takes a closer look."""
    rest = b""
    with path.open("rb") as file:
        if file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
            file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            text = rest + chunk
            end = _even_until(text, separator, columns)
            if end is None or len(text) - end > csv.field_size_limit():
                return False
            rest = text[end:]
    return not rest or _even_until(rest + b"\n", separator, columns) == len(rest) + 1


def _even_until(text: bytes, separator: str, columns: int) -> int | None:
    """Return where the last whole record of a text ends; None unless all before have so many fields.

    ``text`` begins with a record. None also where it does not read plainly.
    """
    signs: Signs = np.frombuffer(text, dtype=np.uint8)
    quotes = np.flatnonzero(signs == QUOTE)
    ends, between = np.flatnonzero(signs == NEWLINE), np.flatnonzero(signs == ord(separator))
    if len(quotes):  # what stands after an odd number of quotes stands inside a field
        ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
        between = between[np.searchsorted(quotes, between) % 2 == 0]
    if not len(ends):
        return 0
    signs = signs[: ends[-1] + 1]
    if not _has_plain_signs(signs) or not _has_plain_quotes(signs, quotes[quotes < len(signs)], separator):
        return None
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts
    blank = (lengths == 0) | ((lengths == 1) & (signs[starts] == RETURN))
    fields = np.diff(np.searchsorted(between, ends), prepend=0) + 1
    even = blank | (fields == columns)
    return len(signs) if even.all() and lengths.max() <= csv.field_size_limit() else None


def _has_plain_signs(signs: Signs) -> bool:
    """Tell whether carriage returns stand before line feeds alone, and no byte is 0."""
    returns = signs == RETURN
    return bool((signs[1:][returns[:-1]] == NEWLINE).all() and signs.all())


def _has_plain_quotes(signs: Signs, quotes: NDArray[np.intp], separator: str) -> bool:
    """Tell whether quotes surround whole fields and are doubled inside: each stands where it may."""
    if not len(quotes):
        return True
    edges = (ord(separator), NEWLINE, QUOTE)
    opening, closing = quotes[::2], quotes[1::2]
    begins = (opening == 0) | np.isin(signs[opening - 1], edges)
    return bool(begins.all() and np.isin(signs[closing + 1], (*edges, RETURN)).all())
