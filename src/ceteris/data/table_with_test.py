"""A table whose test rows stand in a file of their own, with the same columns.

Everything about the columns comes from the training rows (law 5): a category that the test rows alone have
counts as none of its column's, as in rows that are predicted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Rows, SourceData
from ceteris.data.download import Report
from ceteris.data.mapped import empty_rows
from ceteris.data.table_layout import Layout, is_number, numbers, told_of_new
from ceteris.data.table_source import TableSource
from ceteris.data.table_stream import Passes, id_texts, is_large
from ceteris.data.table_texts import coded
from ceteris.data.tables import read_table
from ceteris.data.web_source import WebSource
from ceteris.errors import CeterisError, Problem, nearest, unknown_name

if TYPE_CHECKING:
    import pandas

WHERE = "experiment.data.test"


@dataclass(frozen=True)
class TableWithTest:
    """A table and another one with its test rows; satisfies ``Source``."""

    table: TableSource | WebSource
    test: TableSource | WebSource
    drop: tuple[str, ...] = ()
    """Columns that are left out, and need not be in both."""

    @property
    def name(self) -> str:
        """The name of the file with the training rows."""
        return self.table.name

    @property
    def description(self) -> str:
        """One line for the list of sources."""
        return self.table.description

    def place(self, folder: Path | None) -> str | None:
        """Return the path of the file with the training rows, or None where one of the two is not there."""
        return self.table.place(folder) if self.test.place(folder) else None

    def read(self, folder: Path | None, report: Report | None) -> SourceData:
        """Return all rows of both files, checked. Raises ``CeterisError``."""
        data = self.table.read(folder, report)
        assert data.table is not None  # a table's source
        try:
            path = self.test.file(folder, report)
            test = _TestTable(path, data, data.table, self.drop, report).rows()
        except CeterisError as error:
            raise CeterisError(replace(problem, where=WHERE) for problem in error.problems) from error
        return replace(data, test=test, test_origin=str(path))


class _TestTable:
    """The file with the test rows, laid out by the training rows."""

    def __init__(
        self, path: Path, data: SourceData, layout: Layout, drop: Sequence[str], report: Report | None
    ) -> None:
        self._path, self._data, self._layout, self._dropped = path, data, layout, frozenset(drop)
        self._passes = Passes(path, report)
        self._small = None if is_large(path) else read_table(path, self._texts)

    def rows(self) -> Rows:
        """Return the rows. Raises ``CeterisError`` for columns and values that do not fit."""
        columns = self._passes.check() if self._small is None else list(map(str, self._small.columns))
        self._check_columns(columns)
        ids = [name for name in self._layout.ids if name in columns]
        targets: list[NDArray[Any]] = []
        named: dict[str, list[NDArray[np.str_]]] = {name: [] for name in ids}
        new: dict[str, dict[str, int]] = {}
        count = 0
        for table in self._frames("columns of the test rows"):
            targets.append(self._targets(table[self._layout.target], count))
            for name in ids:
                named[name].append(id_texts(table, name))
            for name, texts in self._layout.new_texts(table).items():
                known = new.setdefault(name, {})
                for text, rows in texts.items():
                    known[text] = known.get(text, 0) + rows
            count += len(table)
        features, begin = empty_rows((count, self._layout.features), np.float64), 0
        for table in self._frames("features of the test rows"):
            end = begin + len(table)
            self._layout.expand_into(table, features[begin:end], str(self._path), begin)
            begin = end
        self._check_categories(features, new)
        ids_of_rows = {name: np.concatenate(parts) for name, parts in named.items()}
        return Rows(features, np.concatenate(targets), ids_of_rows, told_of_new(new))

    def _check_categories(self, features: NDArray[np.float64], new: Mapping[str, Mapping[str, int]]) -> None:
        """Refuse a column of categories that holds numbers here, and none that a training row has."""
        begin = 0
        for column in self._layout.columns:
            known = features[:, begin : begin + len(column.categories)]
            texts = list(new.get(column.name, ()))
            if texts and column.categories and not known.any() and all(is_number(text) for text in texts):
                raise CeterisError(
                    f"{self._path}: column `{column.name}` holds categories in {self._data.origin}, such as "
                    f"`{column.categories[0]}`, and here it holds numbers such as `{texts[0]}`"
                )
            begin += column.features

    @property
    def _texts(self) -> tuple[str, ...]:
        """Columns that are read as text, the classes among them unless they are numbers or true and false."""
        plain = all(text in ("false", "true") or is_number(text) for text in self._data.classes)
        return self._layout.texts if plain else (*self._layout.texts, self._layout.target)

    def _frames(self, step: str) -> Iterable[pandas.DataFrame]:
        return self._passes.over(self._texts, step) if self._small is None else (self._small,)

    def _check_columns(self, there: Sequence[str]) -> None:
        """Refuse a file that lacks a column, or has one that the training rows lack: all at once."""
        target, inputs = self._layout.target, [column.name for column in self._layout.columns]
        if target not in there:
            guess = nearest(target, [name for name in there if name not in inputs])
            hint = f"; did you mean `{guess}`?" if guess else ""
            raise CeterisError(
                f"{self._path} has no column `{target}`, which is to be predicted{hint} (test rows need "
                f"their targets; rows without are for `ceteris predict RUN {self._path.name}`)"
            )
        lacking = [name for name in inputs if name not in there]
        known = {*inputs, target, *self._layout.ids, *self._dropped}
        problems = [*self._unknown(lacking, there), *self._extra([n for n in there if n not in known])]
        if problems:
            raise CeterisError(problems)

    def _unknown(self, lacking: Sequence[str], there: Sequence[str]) -> Iterator[Problem]:
        for name in lacking:
            yield Problem(f"{self._path}: {unknown_name('column', name, there)}")

    def _extra(self, names: Sequence[str]) -> Iterator[Problem]:
        for name in names:
            yield Problem(
                f"{self._path} has a column `{name}`, which {self._data.origin} has not; take it out"
            )

    def _targets(self, values: pandas.Series, before: int) -> NDArray[Any]:
        where = f"{self._path}: column `{self._layout.target}`"
        missing = values.isna().to_numpy()
        if missing.any():
            row = before + int(np.argmax(missing)) + 1
            raise CeterisError(f"{where} has no value in data row {row:,}; leave rows without one out")
        if self._data.task == "regression":
            return numbers(values, where, before)
        own, classes = coded(_whole(values)), self._data.classes
        for text in own.texts:
            if text not in classes:
                guess = nearest(text, classes)
                hint = f"; did you mean `{guess}`?" if guess else f" (classes: {', '.join(classes)})"
                raise CeterisError(f"{where} has the class `{text}`, which no training row has{hint}")
        return own.mapped({name: place for place, name in enumerate(classes)}, missing=-1)


def _whole(values: pandas.Series) -> pandas.Series:
    """Return labels that were read as 1.0 as they read where all are whole: 1."""
    if values.dtype.kind != "f" or (values != np.floor(values)).any():
        return values
    return values.astype(np.int64)
