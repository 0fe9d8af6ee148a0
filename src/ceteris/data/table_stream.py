"""Tables too large for memory, read some rows at a time: the same features as when they are read at once.

A file is gone through three times: for the types of its columns, for their categories and targets, and for
the features, which are written to a mapped file. Targets and the columns that name rows stay in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ceteris.data.mapped import empty_rows, memory_limit
from ceteris.data.table_layout import Column, Layout, as_texts, check_no_slip, checked_layout, numbers
from ceteris.data.tables import batches, is_numeric
from ceteris.errors import CeterisError

if TYPE_CHECKING:
    import pandas

SHARE = 4
"""A file of a quarter of the memory that rows may take is read in pieces: its texts take several times it."""
MOST_CATEGORIES = 20_000
"""With more in one column there would be too many features."""


def is_large(path: Path) -> bool:
    """Tell whether a table is read in pieces."""
    return path.is_file() and path.stat().st_size > memory_limit() // SHARE


def stream_table(
    path: Path, target: str, ids: Sequence[str]
) -> tuple[Layout, NDArray[np.float64], pandas.Series, dict[str, NDArray[np.str_]]]:
    """Return layout, features (N, features), targets and what names rows, of a table that was checked.

    Raises ``CeterisError`` as reading a table at once does.
    """
    import pandas

    texts = _text_columns(path, ids)
    found = _Contents(path, target, ids)
    for table in batches(path, texts):
        found.add(table)
    layout = checked_layout(Layout(str(path), found.columns(), target, tuple(ids)))
    features = empty_rows((found.rows, layout.features), np.float64)
    begin = 0
    for table in batches(path, texts):
        features[begin : begin + len(table)] = layout.expand(table)
        begin += len(table)
    targets = pandas.concat(found.targets, ignore_index=True)
    named = {column: np.concatenate(parts) for column, parts in found.ids.items()}
    return layout, features, targets, named


def _text_columns(path: Path, ids: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that hold text somewhere, and so everywhere; ``ids`` among them."""
    kinds: dict[str, set[str]] = {}
    for table in batches(path, ids):
        for name in table.columns:
            if not table[name].isna().all():
                kinds.setdefault(name, set()).add(_kind(table[name]))
    mixed = [name for name, own in kinds.items() if "text" in own or len(own) > 1]
    return tuple(dict.fromkeys((*ids, *mixed)))


def _kind(values: Any) -> str:
    if is_numeric(values):
        return "number"
    known = values.dropna()
    return "truth" if all(isinstance(value, bool | np.bool_) for value in known) else "text"


class _Contents:
    """What is gathered of the columns of a table, some rows at a time."""

    def __init__(self, path: Path, target: str, ids: Sequence[str]) -> None:
        self._path, self._target = path, target
        self.ids: dict[str, list[NDArray[np.str_]]] = {column: [] for column in ids}
        self.targets: list[Any] = []
        self.rows = 0
        self._missing: dict[str, int] = {}
        self._texts: dict[str, dict[str, int]] = {}
        self._first: dict[tuple[str, str], int] = {}
        self._numeric: dict[str, bool] = {}

    def add(self, table: pandas.DataFrame) -> None:
        """Take in some rows."""
        for name in table.columns:
            if name in self.ids:
                own = [text or "" for text in as_texts(table[name])]
                self.ids[name].append(np.array(own, dtype=np.str_))
            elif name == self._target:
                self.targets.append(table[name])
            else:
                self._add_column(name, table[name])
        self.rows += len(table)

    def _add_column(self, name: str, values: Any) -> None:
        self._missing[name] = self._missing.get(name, 0) + int(values.isna().sum())
        if is_numeric(values):
            self._numeric.setdefault(name, True)
            numbers(values, f"{self._path}: column `{name}`", self.rows)
            return
        if values.isna().all():
            return
        self._numeric[name] = False
        known = self._texts.setdefault(name, {})
        for place, text in enumerate(as_texts(values)):
            if text is not None:
                known[text] = known.get(text, 0) + 1
                self._first.setdefault((name, text), self.rows + place + 1)
        if len(known) > MOST_CATEGORIES:
            raise CeterisError(
                f"{self._path} would make more than {MOST_CATEGORIES:,} features of `{name}`; leave that "
                "column out, or name it among the `ids`"
            )

    def columns(self) -> tuple[Column, ...]:
        """Return the columns that are inputs, in the order of the file. Raises ``CeterisError``."""
        found = []
        for name, missing in self._missing.items():
            if self._numeric.get(name, True):
                found.append(Column(name, True, missing))
                continue
            counts = self._texts[name]
            rows = {text: self._first[name, text] for text in counts}
            check_no_slip(counts, rows, f"{self._path}: column `{name}`")
            found.append(Column(name, False, missing, tuple(sorted(counts))))
        return tuple(found)
