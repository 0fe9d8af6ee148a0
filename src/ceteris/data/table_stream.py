"""Tables too large for memory, read some rows at a time: the same features as when they are read at once.

A file is gone through twice after it was checked: for the types of its columns, their categories and the
targets, and for the features, which are written to a mapped file. Where a column turns out to hold text in
some rows alone, the first pass is made again with that column as text throughout. Targets stay in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ceteris.data.mapped import empty_rows, memory_limit
from ceteris.data.progress import Reading, Step, unheard
from ceteris.data.table_layout import MOST_FEATURES, Column, Layout, check_no_slip, checked_layout, numbers
from ceteris.data.table_texts import coded
from ceteris.data.tables import LARGEST_BYTES, batches, check_table, is_numeric, size_in_memory
from ceteris.errors import CeterisError

if TYPE_CHECKING:
    import pandas

SHARE = 4
"""A file of a quarter of the memory that rows may take is read in pieces: its texts take several times it."""
MOST_CATEGORIES = MOST_FEATURES


def is_large(path: Path) -> bool:
    """Tell whether a table is read in pieces."""
    return size_in_memory(path) > min(memory_limit() // SHARE, LARGEST_BYTES)


@dataclass(frozen=True, eq=False)
class LargeTable:
    """What was read of a large table."""

    layout: Layout
    features: NDArray[np.float64]
    """(N, features), in a mapped file."""
    targets: pandas.Series
    ids: dict[str, NDArray[np.str_]]
    """What names rows, by column, each (N,); in mapped files where they are large."""


class Passes:
    """Goes through one large table as often as it takes, telling how far each pass is."""

    def __init__(self, path: Path, report: Callable[[Reading], None] | None = None) -> None:
        self._path, self._report = path, report
        self._size = path.stat().st_size if path.is_file() else 0

    def check(self) -> list[str]:
        """Return the names of the columns of a file that was found right. Raises ``CeterisError``."""
        return check_table(self._path, self._telling("checked"))

    def over(self, texts: Sequence[str], step: str) -> Iterator[pandas.DataFrame]:
        """Yield the rows, some at a time, ``texts`` as text."""
        return batches(self._path, texts, self._telling(step))

    def _telling(self, step: str) -> Step:
        report = self._report
        if report is None:
            return unheard
        return lambda done: report(Reading(self._path.name, step, min(done, self._size), self._size))


def stream_table(
    passes: Passes, name: str, target: str, ids: Sequence[str], drop: Sequence[str] = ()
) -> LargeTable:
    """Return what a table holds that was checked.

    Raises ``CeterisError`` as reading a table at once does.
    """
    found = _Contents(name, target, ids, drop)
    for table in passes.over(ids, "columns"):
        found.add(table)
    texts = (*ids, *found.partly_text())
    if len(texts) > len(ids):
        found = _Contents(name, target, ids, drop)
        for table in passes.over(texts, "columns with text"):
            found.add(table)
    layout = checked_layout(Layout(name, found.columns(), target, tuple(ids)))
    features = empty_rows((found.rows, layout.features), np.float64)
    named = {own: empty_rows((found.rows,), f"<U{width}") for own, width in found.widths.items()}
    begin = 0
    for table in passes.over(texts, "features"):
        end = begin + len(table)
        layout.expand_into(table, features[begin:end])
        for column, own in named.items():
            own[begin:end] = id_texts(table, column)
        begin = end
    return LargeTable(layout, features, found.all_targets(), named)


def id_texts(table: pandas.DataFrame, column: str) -> NDArray[np.str_]:
    """Return a column that names rows, as text; empty where it is missing."""
    own = coded(table[column])
    texts = np.array([*own.texts, ""], dtype=np.str_)
    return texts[own.codes]


def _kind(values: Any) -> str:
    if is_numeric(values):
        return "number"
    import pandas

    return "truth" if pandas.api.types.infer_dtype(values, skipna=True) == "boolean" else "text"


class _Contents:
    """What is gathered of the columns of a table, some rows at a time."""

    def __init__(self, name: str, target: str, ids: Sequence[str], drop: Sequence[str]) -> None:
        self._name, self._target, self._dropped = name, target, frozenset(drop)
        self.widths = dict.fromkeys(ids, 1)
        """Of the longest text of each column that names rows."""
        self.rows = 0
        self._kinds: dict[str, set[str]] = {}
        self._targets: list[Any] = []
        self._wrong: dict[str, CeterisError] = {}
        self._missing: dict[str, int] = {}
        self._texts: dict[str, dict[str, int]] = {}
        self._first: dict[tuple[str, str], int] = {}
        self._numeric: dict[str, bool] = {}

    def add(self, table: pandas.DataFrame) -> None:
        """Take in some rows."""
        for name in table.columns:
            if name in self._dropped:
                continue
            values = table[name]
            if name in self.widths:
                self.widths[name] = max(self.widths[name], *map(len, coded(values).texts), 1)
                continue
            if not values.isna().all():
                self._kinds.setdefault(name, set()).add(_kind(values))
            if name == self._target:
                self._targets.append(values.copy())  # a view would keep all columns of these rows
            elif not self._is_mixed(name):
                self._add_column(name, values)
        self.rows += len(table)

    def _is_mixed(self, name: str) -> bool:
        return len(self._kinds.get(name, ())) > 1

    def partly_text(self) -> list[str]:
        """Return the columns that hold text in some rows alone; what was gathered of them is not whole."""
        return [name for name in self._kinds if self._is_mixed(name)]

    def all_targets(self) -> pandas.Series:
        """Return the column that is predicted."""
        import pandas

        return pandas.concat(self._targets, ignore_index=True)

    def _add_column(self, name: str, values: Any) -> None:
        self._missing[name] = self._missing.get(name, 0) + int(values.isna().sum())
        if is_numeric(values):
            self._numeric.setdefault(name, True)
            try:
                numbers(values, f"{self._name}: column `{name}`", self.rows)
            except CeterisError as error:
                self._wrong.setdefault(name, error)  # wrong only if no text follows
            return
        if values.isna().all():
            return
        self._numeric[name] = False
        known, own = self._texts.setdefault(name, {}), coded(values)
        for text, count, row in zip(own.texts, own.counts, own.first_rows, strict=True):
            known[text] = known.get(text, 0) + int(count)
            self._first.setdefault((name, text), self.rows + int(row) + 1)
        if sum(map(len, self._texts.values())) > MOST_CATEGORIES:
            widest = max(self._texts, key=lambda column: len(self._texts[column]))
            raise CeterisError(
                f"{self._name} would make more than {MOST_CATEGORIES:,} features, most of them from "
                f"`{widest}`; leave that column out with `data.drop: [{widest}]`"
            )

    def columns(self) -> tuple[Column, ...]:
        """Return the columns that are inputs, in the order of the file. Raises ``CeterisError``."""
        found = []
        for name, missing in self._missing.items():
            if self._numeric.get(name, True):
                if name in self._wrong:
                    raise self._wrong[name]
                found.append(Column(name, True, missing))
                continue
            counts = self._texts[name]
            rows = {text: self._first[name, text] for text in counts}
            check_no_slip(counts, rows, f"{self._name}: column `{name}`")
            found.append(Column(name, False, missing, tuple(sorted(counts))))
        return tuple(found)
