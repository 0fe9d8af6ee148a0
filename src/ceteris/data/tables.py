"""Reading tables from files: every value as it stands, and bad files refused in one line (law 10).

Only `NA` and nothing at all mean missing; the text `None` is a value like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ceteris.data.progress import Step, unheard
from ceteris.data.table_dialect import dialect_of
from ceteris.data.table_lines import check_lines, check_names
from ceteris.errors import CeterisError

if TYPE_CHECKING:
    import pandas

MISSING = ("", "NA")
LARGEST_BYTES = 512 << 20
"""A larger file is refused: its one-hot columns would have to be held in memory."""
BATCH_ROWS = 20_000
BATCH_BYTES = 4 << 20
"""So many rows of a large table, or about so much of its file, are held at a time."""
NUMBER_BYTES = 8


def read_table(path: Path, as_text: Sequence[str] = ()) -> pandas.DataFrame:
    """Return the rows of a `.csv`, `.tsv` or `.parquet` file.

    Args:
        path: the file.
        as_text: columns that are read as text whatever they hold, such as identifiers with leading zeros.

    Raises ``CeterisError`` for a file that is missing, empty, too large, not UTF-8, ragged or damaged, and
    for columns without a name or with the name of another.
    """
    _check_file(path, LARGEST_BYTES)
    table = _parquet(path, as_text) if _is_parquet(path) else _text(path, as_text)
    if not len(table):
        raise CeterisError(f"{path} has a header and no rows")
    return table


def check_table(path: Path, tell: Step = unheard) -> list[str]:
    """Check a file of any size as ``read_table`` does, without holding it; return its columns' names."""
    _check_file(path, largest=None)
    if not _is_parquet(path):
        return check_lines(path, dialect_of(path).separator, tell)
    names = [str(name) for name in _parquet_file(path).schema_arrow.names]
    check_names(path, names)
    return names


def size_in_memory(path: Path) -> int:
    """Return about how many bytes the values of a file take, whose Parquet may be packed. 0: no such file."""
    size = path.stat().st_size if path.is_file() else 0
    if not size or not _is_parquet(path):
        return size
    found = _parquet_file(path).metadata
    return max(size, int(found.num_rows) * int(found.num_columns) * NUMBER_BYTES)


def batches(path: Path, as_text: Sequence[str] = (), tell: Step = unheard) -> Iterator[pandas.DataFrame]:
    """Yield the rows of a checked file, some at a time; the types of columns may differ between them."""
    if not _is_parquet(path):
        with path.open("rb") as file, _reader(path, as_text, file, _rows_at_a_time(path)) as reader:
            for table in reader:
                yield table
                tell(file.tell())
        return
    parquet, done = _parquet_file(path), 0
    size, rows = path.stat().st_size, int(parquet.metadata.num_rows)
    at_a_time = max(1, min(BATCH_ROWS, BATCH_BYTES * rows // max(1, size_in_memory(path))))
    for batch in parquet.iter_batches(batch_size=at_a_time):
        yield _with_texts(batch.to_pandas(), as_text)
        done += batch.num_rows
        tell(size * done // rows)


def _rows_at_a_time(path: Path) -> int:
    """Return how many rows of a text file are held at a time, by the length of its first lines."""
    with path.open("rb") as file:
        beginning = file.read(BATCH_BYTES)
    lines = 1 + beginning.count(b"\n")
    return max(1, min(BATCH_ROWS, lines * BATCH_BYTES // max(1, len(beginning))))


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


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
    names = check_lines(path, dialect_of(path).separator)
    try:
        return _reader(path, [name for name in as_text if name in names])
    except (ValueError, OverflowError) as error:  # pandas' own errors of parsing are ValueErrors
        raise CeterisError(f"{path} cannot be read as a table: {error}") from error


def _reader(
    path: Path, as_text: Sequence[str], file: BinaryIO | None = None, chunksize: int | None = None
) -> Any:
    """Return the rows of a text file, or with ``chunksize`` what yields them from the open ``file``."""
    import pandas

    dialect = dialect_of(path)
    return pandas.read_csv(
        file or path,
        sep=dialect.separator,
        decimal=dialect.decimal,
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
        return parquet.ParquetFile(path, memory_map=True, pre_buffer=False)  # else a row group stays
    except (ValueError, OSError) as error:
        raise CeterisError(f"{path} is not a Parquet file, or a damaged one: {error}") from error


def _with_texts(table: pandas.DataFrame, as_text: Sequence[str]) -> pandas.DataFrame:
    table.columns = [str(name) for name in table.columns]
    for name in as_text:
        if name in table:
            table[name] = table[name].astype(str).where(table[name].notna())
    return table


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
    check_names(path, [str(name) for name in table.columns])
    return _with_texts(table, as_text)


def is_numeric(column: Any) -> bool:
    """Tell whether a column holds numbers; true and false are categories."""
    import pandas

    types = pandas.api.types
    return bool(types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype))
