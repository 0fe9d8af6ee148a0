"""Every named source, and how the name in an experiment becomes a data set."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from ceteris.data.bundled import BUNDLED_SOURCES
from ceteris.data.dataset import Dataset, Rows, Source, without_test_rows
from ceteris.data.download import Report
from ceteris.data.folders import FolderSource
from ceteris.data.house_prices import HOUSE_PRICES, HousePrices
from ceteris.data.local_source import local_source
from ceteris.data.mnist import FASHION_MNIST, MNIST, IdxSource
from ceteris.data.places import user_folders
from ceteris.data.reduction import Reduction, split_reading
from ceteris.data.synthetic import SYNTHETIC_SOURCES, with_parameters
from ceteris.data.table_source import TableSource, table_source
from ceteris.data.table_with_test import WHERE as TEST
from ceteris.data.table_with_test import TableWithTest
from ceteris.data.web_source import WebSource
from ceteris.errors import CeterisError, Problem, unknown_name
from ceteris.spec.addresses import is_url
from ceteris.spec.data import is_table_file, split_parameters

if TYPE_CHECKING:
    import pandas

KEPT = re.compile(r"[0-9a-f]{64}\.npz")
"""The file that keeps rows given in memory, named by its content: a user never saw it."""

DIGITS, *OTHER_BUNDLED = BUNDLED_SOURCES
NAMED_SOURCES: tuple[Source, ...] = (
    DIGITS,
    MNIST,
    FASHION_MNIST,
    *OTHER_BUNDLED,
    HOUSE_PRICES,
    *SYNTHETIC_SOURCES,
)
WHERE = "experiment.data.source"


@dataclass(frozen=True)
class SourceEntry:
    """One line of the list of sources."""

    name: str
    description: str
    place: str | None
    """Where its files lie; None if they would have to be downloaded."""


def load(source: str, folder: Path | None = None, *, report: Report | None = None) -> Dataset:
    """Return the data set that an experiment calls ``source``: a named one, or the path of a file.

    ``folder`` is searched first, then the folder in the environment variable CETERIS_DATA, the
    per-user cache and the system's own; what is nowhere is downloaded into the cache, ``report``
    being told how far it has come, and so it is of tables that are read in pieces.
    Test rows are not in it (law 4). Raises CeterisError.
    """
    base, reduction = split_reading(source)
    found = _at_size(find_source(base, folder), reduction)
    return reduction.of_dataset(without_test_rows(found.read(folder, report)))


def load_test(source: str, folder: Path | None = None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the test rows (x, y) of a source, unprepared; see ``load_test_rows``."""
    rows = load_test_rows(source, folder)
    return rows.x, rows.y


def load_test_rows(source: str, folder: Path | None = None) -> Rows:
    """Return the test rows of a source, unprepared. The only way to them: callers count each reading.

    Raises CeterisError where the source has none.
    """
    base, reduction = split_reading(source)
    data = _at_size(find_source(base, folder), reduction).read(folder, None)
    if data.test is None:
        if KEPT.fullmatch(data.name):
            raise CeterisError(
                "these rows have no test rows (given as test=(X_test, y_test) with data=(X, y))"
            )
        if data.table is not None:
            raise CeterisError(
                f"`{data.name}` has no test rows: all its rows train and validate (`data.test` names another "
                "file with test rows)"
            )
        raise CeterisError(
            f"`{data.name}` has no test rows (arrays `x_test` and `y_test` of a file or folder; of images, a "
            "folder `test` beside `train`)"
        )
    return replace(data.test, x=reduction.rows(data.test.x, data.name))


def load_unlabelled(source: str, folder: Path | None = None) -> pandas.DataFrame | None:
    """Return the rows without a target that a source brings along, as they stand; None where it has none."""
    found = find_source(split_reading(source)[0], folder)
    return found.read_unlabelled(folder) if isinstance(found, HousePrices) else None


def fetch(name: str, folder: Path | None = None, report: Report | None = None) -> str:
    """Make sure that the files of a source are at hand, downloading what is missing; return where.

    ``name`` is a named source or an address. With ``folder``, files are put into ``folder / name`` (those at
    an address into a subfolder of ``folder / "downloads"``); else into the per-user cache, unless they lie
    somewhere else already. Files that are right are not downloaded again.
    """
    source = find_source(name, folder if folder is not None and folder.is_dir() else None)
    if not isinstance(source, IdxSource | HousePrices | WebSource):
        return source.place(folder) or name
    if isinstance(source, IdxSource) and folder is None:
        return source.read(None, report).origin
    return str(source.fetch(folder, report))


def list_sources(folder: Path | None = None) -> tuple[SourceEntry, ...]:
    """Return all named sources with one line each and where they lie; reads and downloads nothing."""
    return tuple(SourceEntry(s.name, s.description, s.place(folder)) for s in NAMED_SOURCES)


def find_source(source: str, folder: Path | None = None) -> Source:
    """Resolve a source's name or path. Raises CeterisError with the nearest name."""
    for named in NAMED_SOURCES:
        if named.name == source:
            return named
    drawn = with_parameters(source)
    if drawn is not None:
        return drawn
    path, settings = split_parameters(source)
    test = json.loads(settings).get("test") if settings else None
    if test is not None:
        table, drop = _table(path, settings, folder, WHERE), json.loads(settings).get("drop", ())
        return TableWithTest(table, _table(test, "", folder, TEST), tuple(drop))
    if is_url(path):
        return WebSource(path, settings)
    if is_table_file(path) or path.endswith(".npz"):
        return local_source(find_file(path, folder), settings)
    images = _find_folder(source, folder)
    if images is not None:
        return local_source(images)
    if Path(source).suffix or "/" in source:
        message = (
            f"`{source}` is neither a named source nor an .npz file with arrays `x` and `y` nor a table "
            "(.csv, .tsv, .parquet)"
        )
        raise CeterisError(Problem(message, where=WHERE))
    message = unknown_name("data source", source, [named.name for named in NAMED_SOURCES])
    raise CeterisError(Problem(f"{message}; or the path of an .npz file, a table or a folder", where=WHERE))


def _table(path: str, settings: str, folder: Path | None, where: str) -> TableSource | WebSource:
    """Return the source of a table that lies in a file or at an address."""
    if is_url(path):
        return WebSource(path, settings)
    return table_source(find_file(path, folder, where), settings)


def misspelt(source: str) -> str | None:
    """Say which named source was meant by a name that is none; None where it may be one, or a path."""
    try:
        find_source(source)
    except CeterisError as error:
        message = error.problems[0].message
        return message if "did you mean" in message else None
    return None


def _at_size(source: Source, reduction: Reduction) -> Source:
    """Let images of many sizes be brought to one as they are read."""
    return replace(source, size=reduction.resize) if isinstance(source, FolderSource | WebSource) else source


def _find_folder(source: str, folder: Path | None) -> Path | None:
    """Find a folder of images where it says, or in a folder that the user named."""
    path = Path(source).expanduser()
    if path.suffix and not path.is_dir():
        return None
    return next((p for p in (path, *(base / path for base in user_folders(folder))) if p.is_dir()), None)


def find_file(source: str, folder: Path | None, where: str = WHERE) -> Path:
    """Find the file where it says, or in a folder that the user named. Raises ``CeterisError``."""
    path = Path(source).expanduser()
    tried = [path, *(base / path for base in user_folders(folder))]
    for candidate in tried:
        if candidate.exists():
            return candidate
    near = sorted(path.parent.glob(f"*{path.suffix}")) if path.parent.is_dir() else []
    hint = f"; beside it lie {', '.join(file.name for file in near[:5])}" if near else ""
    raise CeterisError(Problem(f"there is no file {source}{hint}", where=where))
