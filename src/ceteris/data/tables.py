"""Reading tables from files: every value as it stands, and bad files refused in one line (law 10).

Only `NA` and nothing at all mean missing; the text `None` is a value like any other.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ceteris.errors import CeterisError

if TYPE_CHECKING:
    import pandas

MISSING = ("", "NA")
LARGEST_BYTES = 512 << 20
"""A larger file is refused: its one-hot columns would have to be held in memory."""
CHUNK_BYTES = 1 << 20


def read_table(path: Path, as_text: Sequence[str] = ()) -> pandas.DataFrame:
    """Return the rows of a `.csv`, `.tsv` or `.parquet` file.

    Args:
        path: the file.
        as_text: columns that are read as text whatever they hold, such as identifiers with leading zeros.

    Raises ``CeterisError`` for a file that is missing, empty, too large, not UTF-8, ragged or damaged, and
    for columns without a name or with the name of another.
    """
    _check_file(path)
    table = _parquet(path, as_text) if path.suffix.lower() == ".parquet" else _text(path, as_text)
    if not len(table):
        raise CeterisError(f"{path} has a header and no rows")
    return table


def _check_file(path: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise CeterisError(f"{path} cannot be read: {error.strerror or error}") from error
    if path.is_dir():
        raise CeterisError(f"{path} is a folder, not a table")
    if size == 0:
        raise CeterisError(f"{path} is empty")
    if size > LARGEST_BYTES:
        raise CeterisError(
            f"{path} has {size / (1 << 20):,.0f} MiB, and tables of up to {LARGEST_BYTES >> 20} MiB are "
            "read; keep fewer rows or columns, or write its numbers to an .npz file"
        )


def _text(path: Path, as_text: Sequence[str]) -> pandas.DataFrame:
    import pandas

    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    _check_utf8(path)
    names = _check_lines(path, separator)
    try:
        return pandas.read_csv(
            path,
            sep=separator,
            encoding="utf-8-sig",
            na_values=list(MISSING),
            keep_default_na=False,
            dtype=dict.fromkeys((name for name in as_text if name in names), str),
            low_memory=False,
        )
    except (ValueError, OverflowError) as error:  # pandas' own errors of parsing are ValueErrors
        raise CeterisError(f"{path} cannot be read as a table: {error}") from error


def _check_utf8(path: Path) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines = 1
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
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise CeterisError(f"{path} ends within a character of UTF-8: it was cut off") from error


def _check_lines(path: Path, separator: str) -> list[str]:
    """Return the names of the columns; refuse lines with more or fewer fields than there are columns."""
    lines = _lines(path, separator)
    _, names = next(lines, (0, []))
    _check_names(path, names)
    for number, fields in lines:
        if len(fields) != len(names):
            raise CeterisError(
                f"{path}, line {number:,}: there are {len(fields)} fields, and the header names "
                f"{len(names)} columns"
            )
    return names


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


def _check_names(path: Path, names: Sequence[str]) -> None:
    for place, name in enumerate(names, start=1):
        if not name.strip():
            raise CeterisError(
                f"{path}: column {place} has no name; name it, or leave it out (pandas writes one for the "
                "index unless told `index=False`)"
            )
        if name in names[: place - 1]:
            raise CeterisError(f"{path}: two columns are called `{name}`; give each a name of its own")


def _parquet(path: Path, as_text: Sequence[str]) -> pandas.DataFrame:
    import pandas

    try:
        table = pandas.read_parquet(path, engine="pyarrow")
    except ImportError as error:
        raise CeterisError(
            f"{path}: reading Parquet needs pyarrow; install it with `pip install 'ceteris[parquet]'`"
        ) from error
    except (ValueError, OSError) as error:  # pyarrow's own errors are ValueErrors
        raise CeterisError(f"{path} is not a Parquet file, or a damaged one: {error}") from error
    _check_names(path, [str(name) for name in table.columns])
    table.columns = [str(name) for name in table.columns]
    for name in as_text:
        if name in table:
            table[name] = table[name].astype(str)
    return table


def is_numeric(column: Any) -> bool:
    """Tell whether a column holds numbers; true and false are categories."""
    import pandas

    types = pandas.api.types
    return bool(types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype))
