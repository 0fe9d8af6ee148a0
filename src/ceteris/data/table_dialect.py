"""How the fields of a text table are separated, and by what sign its numbers have their decimals.

Where decimals have a comma, programs separate fields by semicolons. That is read off the header and the first
rows; a file whose header has a comma between two names is read as ever.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

BEGINNING = 1 << 20
"""Bytes that are looked at."""
OTHER_SEPARATORS = (";", "\t", "|")
COMMA_DECIMALS, POINT_DECIMALS = re.compile(r"[-+]?\d+,\d+"), re.compile(r"[-+]?\d+\.\d+")


class Dialect(NamedTuple):
    """What parts the fields of a line, and the decimals of a number."""

    separator: str = ","
    decimal: str = "."


def dialect_of(path: Path) -> Dialect:
    """Return the dialect of a text table: tabs in a `.tsv` file, else what parts the names of its header.

    Decimals are read with a comma where fields are not separated by one, and the first rows have such numbers
    and none with a point.
    """
    if path.suffix.lower() == ".tsv":
        return Dialect("\t", _decimal(path, "\t"))
    counts = {separator: len(next(_records(path, separator), ())) for separator in (",", *OTHER_SEPARATORS)}
    separator = max(OTHER_SEPARATORS, key=lambda sign: counts[sign])
    if counts[","] > 1 or counts[separator] < 2:
        return Dialect()
    return Dialect(separator, _decimal(path, separator))


def _decimal(path: Path, separator: str) -> str:
    fields = list(chain.from_iterable(_records(path, separator)))
    commas = any(map(COMMA_DECIMALS.fullmatch, fields))
    return "," if commas and not any(map(POINT_DECIMALS.fullmatch, fields)) else "."


def _records(path: Path, separator: str) -> Iterator[list[str]]:
    """Yield the records at the beginning of a file, blank lines left out; what cannot be read ends them."""
    with path.open("rb") as file:
        text = file.read(BEGINNING).decode("utf-8-sig", errors="replace")
    try:
        yield from filter(None, csv.reader(text.splitlines(keepends=True), delimiter=separator))
    except csv.Error:
        return
