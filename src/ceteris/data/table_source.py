"""Tables as sources: a user's own file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ceteris.data.dataset import Rows, SourceData
from ceteris.data.download import Report
from ceteris.data.table_layout import check_no_slip, make_layout, numbers
from ceteris.data.table_stream import Passes, id_texts, is_large, stream_table
from ceteris.data.table_texts import coded
from ceteris.data.tables import is_numeric, read_table
from ceteris.data.targets import FEW_VALUES, Targets, coded_targets, like_labels, read_targets
from ceteris.errors import CeterisError, Problem, unknown_name

if TYPE_CHECKING:
    import pandas

TARGET = "experiment.data.target"
NAMING_COLUMNS = ("ids", "drop")
"""Settings that name columns which are no inputs."""


@dataclass(frozen=True)
class TableSource:
    """A `.csv`, `.tsv` or `.parquet` file with a column to predict; satisfies ``Source``."""

    path: Path
    target: str | None = None
    ids: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def description(self) -> str:
        """One line for the list of sources."""
        return "a table of your own"

    def place(self, folder: Path | None) -> str | None:
        """Return the file's path, or None if it is not there."""
        return str(self.path) if self.path.is_file() else None

    def file(self, folder: Path | None, report: Report | None) -> Path:
        """Return the file's path."""
        return self.path

    def read(self, folder: Path | None, report: Report | None) -> SourceData:
        """Return all rows of the file, checked. Raises ``CeterisError``."""
        return table_data(self.path, self.name, self.target, self.ids, self.drop, report)


def table_source(path: Path, settings: str) -> TableSource:
    """Return the source of a file with the settings that ``DataSpec.reading`` carries, as JSON or empty."""
    given = json.loads(settings) if settings else {}
    return TableSource(path, given.get("target"), tuple(given.get("ids", ())), tuple(given.get("drop", ())))


def table_data(
    path: Path,
    name: str,
    target: str | None,
    ids: Sequence[str],
    drop: Sequence[str] = (),
    report: Report | None = None,
) -> SourceData:
    """Read a table, find its target, and lay its columns out as features; all rows are training rows.

    Of a large one ``report`` is told how far it is.

    Raises ``CeterisError`` for a bad file, an unknown column, or a target without values.
    """
    if is_large(path):
        return _large_table_data(path, name, target, ids, drop, report)
    table = read_table(path, ids)
    columns = list(map(str, table.columns))
    _check_known(columns, target, ids, drop, path)
    if len(table) == 1:
        raise CeterisError(f"{path} has one row; an experiment needs rows to train and to validate on")
    targets = _targets(table[target], f"{path}: column `{target}`")
    layout = make_layout(table, str(path), str(target), ids, drop)
    return SourceData(
        name=name,
        task=targets.task,
        train=Rows(layout.expand(table), targets.y),
        test=None,
        classes=targets.classes,
        value_range=None,
        origin=str(path),
        columns={column: id_texts(table, column) for column in ids},
        table=layout,
    )


def _large_table_data(
    path: Path,
    name: str,
    target: str | None,
    ids: Sequence[str],
    drop: Sequence[str],
    report: Report | None,
) -> SourceData:
    passes = Passes(path, report)
    _check_known(passes.check(), target, ids, drop, path)
    found = stream_table(passes, str(path), str(target), ids, drop)
    targets = _targets(found.targets, f"{path}: column `{target}`")
    return SourceData(
        name=name,
        task=targets.task,
        train=Rows(found.features, targets.y),
        test=None,
        classes=targets.classes,
        value_range=None,
        origin=str(path),
        columns=found.ids,
        table=found.layout,
    )


def _check_known(
    columns: Sequence[str], target: str | None, ids: Sequence[str], drop: Sequence[str], path: Path
) -> None:
    problems = []
    if target is None:
        listed = ", ".join(f"`{column}`" for column in columns[:12]) + (", ..." if len(columns) > 12 else "")
        message = f"{path} is a table: name the column that is to be predicted; it has {listed}"
        problems.append(Problem(message, where=TARGET))
    elif target not in columns:
        problems.append(Problem(f"{path}: {unknown_name('column', target, columns)}", where=TARGET))
    problems += [
        Problem(f"{path}: {unknown_name('column', column, columns)}", where=f"experiment.data.{setting}")
        for setting, named in zip(NAMING_COLUMNS, (ids, drop), strict=True)
        for column in named
        if column not in columns
    ]
    if problems:
        raise CeterisError(problems)


def _targets(values: pandas.Series, where: str) -> Targets:
    """Tell classes from numbers to predict by a column's type and code them."""
    missing = values.isna().to_numpy()
    if missing.any():
        row = int(np.argmax(missing)) + 1
        raise CeterisError(
            Problem(
                f"{where} is to be predicted and has no value in data row {row:,} (of {int(missing.sum()):,} "
                "without one); leave these rows out",
                where=TARGET,
            )
        )
    if not is_numeric(values):
        own = coded(values)
        if len(own.texts) > FEW_VALUES:
            check_no_slip(*own.counted(), where, otherwise="leave the row out")
        return coded_targets(own.codes, own.texts, where)
    found = numbers(values, where)
    if values.dtype.kind in "iu" and like_labels(found):
        return read_targets(found.astype(np.int64), None, where)
    return read_targets(found, None, where)
