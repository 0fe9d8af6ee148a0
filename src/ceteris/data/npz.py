"""The user's own data in `.npz` files: arrays, never pickles (law 10)."""

from __future__ import annotations

import math
import os
import tempfile
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Dataset, Rows, SourceData, content_hash
from ceteris.data.download import Report
from ceteris.data.kept_layout import LAYOUT, layout_array, layout_of
from ceteris.data.mapped import empty_rows, memory_limit
from ceteris.data.user_arrays import held_test_rows, source_data
from ceteris.errors import CeterisError, writing

PIECE_BYTES = 1 << 20
NOTES = "x_test.notes"
"""What is to be told of the test rows of a frame."""
ARRAYS = ("x", "y", "x_test", "y_test", "classes", LAYOUT, NOTES)


@dataclass(frozen=True)
class NpzSource:
    """A file with the arrays `x`, `y` and, if wanted, `x_test`, `y_test`, `classes`; satisfies ``Source``.

    Further arrays with one number or text per row are kept beside them, as what rows may be grouped by.
    """

    path: Path

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def description(self) -> str:
        """One line for the list of sources."""
        return "arrays of your own"

    def place(self, folder: Path | None) -> str | None:
        """Return the file's path, or None if it is not there."""
        return str(self.path) if self.path.is_file() else None

    def read(self, folder: Path | None, report: Report | None) -> SourceData:
        """Return all rows of the file, checked."""
        given, names = read_npz(self.path)
        layout = layout_of(given.pop(LAYOUT)) if LAYOUT in given else None
        notes = tuple(map(str, given.pop(NOTES, ())))
        data = source_data(given, self.name, origin=str(self.path), names=names, layout=layout)
        if data.test is not None and notes:
            data = replace(data, test=replace(data.test, notes=notes))
        return replace(data, columns=read_columns(self.path, len(data.train.x)))


def read_npz(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the arrays of the file that Ceteris knows, and the names of all; nothing is unpickled.

    Raises CeterisError for a file that is missing, empty, damaged, no `.npz`, or holds Python objects.
    """
    _check_is_zip(path)
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            known = {name: _read_array(file, name, path) for name in ARRAYS if name in file.files}
            return known, list(file.files)
    except CeterisError:
        raise
    except Exception as error:  # zipfile and NumPy have a dozen types of error for damaged files
        raise CeterisError(f"{path} is damaged: {error}") from error


def read_columns(path: Path, rows: int) -> dict[str, NDArray[Any]]:
    """Return the other arrays of the file that have one number or text per row, by name; none is unpickled.

    Those of another shape or type are not read. Raises CeterisError for a damaged file.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            others = [name for name in file.files if name not in ARRAYS]
            return {name: _native(file[name]) for name in others if _is_column(file, name, rows)}
    except Exception as error:  # as in read_npz
        raise CeterisError(f"{path} is damaged: {error}") from error


def _is_column(file: Any, name: str, rows: int) -> bool:
    """Tell by an array's header whether it has shape (rows,) and holds numbers or text."""
    try:
        with file.zip.open(f"{name}.npy") as member:
            shape, _, dtype = _read_header(member)
    except (KeyError, ValueError):
        return False
    return shape == (rows,) and dtype.kind in "biufUS"


def _read_header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, whether columns come first, and type of an array; what is read next are its numbers."""
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0
    return (np.lib.format.read_array_header_2_0 if version > (1, 0) else read)(member)


def _native(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array in little-endian order, so that equal values have equal bytes and one hash."""
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def _read_array(file: Any, name: str, path: Path) -> Any:
    try:
        with file.zip.open(f"{name}.npy") as member:
            shape, by_columns, dtype = _read_header(member)
            large = math.prod(shape) * dtype.itemsize > memory_limit()
            if large and not by_columns and not dtype.hasobject:
                return _read_to_disk(member, shape, dtype)
        return file[name]
    except MemoryError as error:
        raise CeterisError(f"{path}: array `{name}` does not fit into memory") from error
    except ValueError as error:
        if "pickle" in str(error):
            raise CeterisError(
                f"{path}: array `{name}` holds Python objects, which are not loaded because they can run "
                "code; save it as numbers or text"
            ) from error
        raise


def _read_to_disk(member: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Unpack an array piece by piece into a mapped file. Raises ``EOFError`` where it ends too soon."""
    array = empty_rows(shape, dtype)
    space = array.reshape(-1).view(np.uint8)
    begin = 0
    while begin < len(space):
        piece = member.read(min(PIECE_BYTES, len(space) - begin))
        if not piece:
            raise EOFError(f"it ends after {begin:,} of {len(space):,} bytes")
        space[begin : begin + len(piece)] = np.frombuffer(piece, dtype=np.uint8)
        begin += len(piece)
    return array


def _check_is_zip(path: Path) -> None:
    if path.is_dir():
        raise CeterisError(f"{path} is a folder, not an .npz file")
    try:
        empty = path.stat().st_size == 0
        is_zip = zipfile.is_zipfile(path)
    except OSError as error:
        raise CeterisError(f"{path} cannot be read: {error.strerror or error}") from error
    if empty:
        raise CeterisError(f"{path} is empty")
    if not is_zip:
        raise CeterisError(f"{path} is not an .npz file, or a damaged one (numpy.savez writes them)")


def save_arrays(dataset: Dataset, path: str | Path) -> Path:
    """Write the data set's rows as an `.npz` file that loads to the same content hash; return its path.

    Test rows that it was made with stand in the file too, and it appears whole or not at all. Raises
    CeterisError for a data set whose test rows are not in memory: the file that it came from is the one to
    keep.
    """
    test = held_test_rows(dataset)
    kept = {LAYOUT: layout_array(dataset.table)} if dataset.table is not None else {}
    if content_hash(Rows(dataset.x, dataset.y), test, {**dataset.columns, **kept}) != dataset.content:
        raise CeterisError(
            f"`{dataset.name}` has test rows, which a data set does not carry; keep the files of its source "
            f"({dataset.origin}) instead"
        )
    given: dict[str, Any] = {"x": dataset.x, "y": dataset.y}
    if dataset.classes:
        given["classes"] = np.array(dataset.classes, dtype=np.str_)
    if test is not None:
        given |= {"x_test": test.x, "y_test": test.y}
        given |= {NOTES: np.array(test.notes, dtype=np.str_)} if test.notes else {}
    given |= {**dataset.columns, **kept}
    target = Path(path)
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(target, given)
    return target


def _write_whole(target: Path, given: dict[str, Any]) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", suffix=".part", dir=target.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, **given)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o644)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
