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
BATCH_ROWS = 20_000
"""Rows of a large table that are held at a time."""


def read_table(path: Path, as_text: Sequence[str] = ()) -> pandas.DataFrame:
    """Return the rows of a `.csv`, `.tsv` or `.parquet` file.

    Args:
        path: the file.
        as_text: columns that are read as text whatever they hold, such as identifiers with leading zeros.

    Raises ``CeterisError`` for a file that is missing, empty, too large, not UTF-8, ragged or damaged, and
    for columns without a name or with the name of another.
    """
    _check_file(path, LARGEST_BYTES)
    table = _parquet(path, as_text) if path.suffix.lower() == ".parquet" else _text(path, as_text)
    if not len(table):
        raise CeterisError(f"{path} has a header and no rows")
    return table


def check_table(path: Path) -> list[str]:
    """Check a file of any size as ``read_table`` does, without holding it; return its columns' names."""
    _check_file(path, largest=None)
    if path.suffix.lower() == ".parquet":
        names = [str(name) for name in _parquet_file(path).schema_arrow.names]
        _check_names(path, names)
        return names
    _check_utf8(path)
    return _check_lines(path, _separator(path))


def batches(path: Path, as_text: Sequence[str] = ()) -> Iterator[pandas.DataFrame]:
    """Yield the rows of a checked file, some at a time; the types of columns may differ between them."""
    if path.suffix.lower() != ".parquet":
        with _reader(path, as_text, chunksize=BATCH_ROWS) as reader:
            yield from reader
        return
    for batch in _parquet_file(path).iter_batches(batch_size=BATCH_ROWS):
        yield _with_texts(batch.to_pandas(), as_text)


def _check_file(path: Path, largest: int | None) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise CeterisError(f"{path} cannot be read: {error.strerror or error}") from error
    if path.is_dir():
        raise CeterisError(f"{path} is a folder, not a table")
    if size == 0:
        raise CeterisError(f"{path} is empty")
    if largest is not None and size > largest:
        raise CeterisError(
            f"{path} has {size / (1 << 20):,.0f} MiB, and tables of up to {largest >> 20} MiB are "
            "read; keep fewer rows or columns, or write its numbers to an .npz file"
        )


def _text(path: Path, as_text: Sequence[str]) -> pandas.DataFrame:
    _check_utf8(path)
    names = _check_lines(path, _separator(path))
    try:
        return _reader(path, [name for name in as_text if name in names])
    except (ValueError, OverflowError) as error:  # pandas' own errors of parsing are ValueErrors
        raise CeterisError(f"{path} cannot be read as a table: {error}") from error


def _separator(path: Path) -> str:
    return "\t" if path.suffix.lower() == ".tsv" else ","


def _reader(path: Path, as_text: Sequence[str], chunksize: int | None = None) -> Any:
    """Return the rows of a text file, or with ``chunksize`` what yields them."""
    import pandas

    return pandas.read_csv(
        path,
        sep=_separator(path),
        encoding="utf-8-sig",
        na_values=list(MISSING),
        keep_default_na=False,
        dtype=dict.fromkeys(as_text, str),
        low_memory=False,
        chunksize=chunksize,
    )


def _parquet_file(path: Path) -> Any:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise CeterisError(
            f"{path}: reading Parquet needs pyarrow; install it with `pip install 'ceteris[parquet]'`"
        ) from error
    try:
        return parquet.ParquetFile(path)
    except (ValueError, OSError) as error:
        raise CeterisError(f"{path} is not a Parquet file, or a damaged one: {error}") from error


def _with_texts(table: pandas.DataFrame, as_text: Sequence[str]) -> pandas.DataFrame:
    table.columns = [str(name) for name in table.columns]
    for name in as_text:
        if name in table:
            table[name] = table[name].astype(str)
    return table


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
    return _with_texts(table, as_text)


def is_numeric(column: Any) -> bool:
    """Tell whether a column holds numbers; true and false are categories."""
    import pandas

    types = pandas.api.types
    return bool(types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype))
