"""How the columns of a table become features: numbers as they are, anything else one-hot.

The layout is made from all training rows of the file, so that every fold has the same features. Which of
them a fold may use is decided where it is prepared (``ceteris.data.scaling``), by its own training rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ceteris.data.mapped import empty_rows
from ceteris.data.table_texts import as_texts, coded
from ceteris.data.tables import is_numeric
from ceteris.errors import CeterisError, Problem, unknown_name

if TYPE_CHECKING:
    import pandas

MANY_CATEGORIES = 50
"""A column with more categories than this is told: it makes as many features."""
MOST_FEATURES = 20_000
NEARLY_NUMBERS = 0.9
"""A column of text that holds such a share of numbers is taken for numbers with a slip."""
WITH_COMMA = re.compile(r"[-+]?\d{1,3}([. ]?\d{3})*,\d+|[-+]?\d{1,3}(,\d{3})+(\.\d+)?")
"""`1.234,5` and `1,234.5`."""
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    numeric: bool
    missing: int
    """Rows without a value."""
    categories: tuple[str, ...] = ()
    """Its texts, sorted; empty for numbers."""

    @property
    def features(self) -> int:
        """One for numbers; else one for each category and one for missing."""
        return 1 if self.numeric else len(self.categories) + 1

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Name of each feature, in their order."""
        if self.numeric:
            return (self.name,)
        return (*(f"{self.name}_{category}" for category in self.categories), f"{self.name}_missing")


@dataclass(frozen=True)
class Layout:
    """The columns of a table that are inputs, in the order of the file."""

    name: str
    """What messages call the table."""
    columns: tuple[Column, ...]
    target: str
    """The column that is predicted."""
    ids: tuple[str, ...] = ()
    """Columns that name rows."""

    @property
    def features(self) -> int:
        """Width of the expanded rows."""
        return sum(column.features for column in self.columns)

    @property
    def texts(self) -> tuple[str, ...]:
        """Columns that other rows are read from as text: categories that look like numbers stay as they are.

        True and false are known by their type.
        """
        own = (column for column in self.columns if not set(column.categories) <= {"false", "true"})
        return (*self.ids, *(column.name for column in own))

    @cached_property
    def one_hot(self) -> NDArray[np.bool_]:
        """Which features are one-hot ones, (features,)."""
        return np.concatenate([np.full(column.features, not column.numeric) for column in self.columns])

    def expand(self, table: pandas.DataFrame, name: str = "") -> NDArray[np.float64]:
        """Return rows (N, features): numbers with NaN where one is missing, and one-hot features.

        A category that the layout does not know is 0 in every feature of its column. Columns that are not
        inputs are passed over. ``name`` is what messages call the rows. Raises ``CeterisError`` where a
        column is missing or of another type.
        """
        named, there = name or self.name, list(map(str, table.columns))
        lacking = [column.name for column in self.columns if column.name not in there]
        if lacking:
            raise CeterisError(Problem(f"{named}: {unknown_name('column', c, there)}") for c in lacking)
        features = empty_rows((len(table), self.features), np.float64)
        self.expand_into(table, features, named)
        return features

    def unknown_texts(self, table: pandas.DataFrame) -> tuple[str, ...]:
        """Say which texts of other rows the layout does not know: none of their column's features is set."""
        return told_of_new(self.new_texts(table))

    def new_texts(self, table: pandas.DataFrame) -> dict[str, dict[str, int]]:
        """Return the texts that the layout does not know, by column, with the number of their rows."""
        found = {}
        for column in self.columns:
            if column.numeric or column.name not in table:
                continue
            known, (counts, _) = set(column.categories), coded(table[column.name]).counted()
            found[column.name] = {text: count for text, count in counts.items() if text not in known}
        return {name: new for name, new in found.items() if new}

    def expand_into(
        self, table: pandas.DataFrame, features: NDArray[np.float64], name: str = "", before: int = 0
    ) -> None:
        """Write the rows of a table that has all columns into an array (N, features); see ``expand``.

        ``before`` rows of the table were read before these.
        """
        begin = 0
        for column in self.columns:
            values = table[column.name]
            if column.numeric:
                where = f"{name or self.name}: column `{column.name}`"
                features[:, begin] = numbers(values, where, before)
            else:
                codes = {category: place for place, category in enumerate(column.categories)}
                places = coded(values).mapped(codes, missing=len(codes))
                known = np.flatnonzero(places >= 0)
                features[:, begin : begin + column.features] = 0.0
                features[known, begin + places[known]] = 1.0
            begin += column.features


def told_of_new(texts: Mapping[str, Mapping[str, int]]) -> tuple[str, ...]:
    """Say what texts no training row has, a sentence for each column; see ``Layout.new_texts``."""
    told = []
    for name, new in texts.items():
        more = f" and {len(new) - 1:,} more" if len(new) > 1 else ""
        rows = sum(new.values())
        told.append(
            f"Column `{name}` has `{next(iter(new))}`{more} in {rows:,} row{'' if rows == 1 else 's'}, which "
            "no training row has: it counts as none of the column's categories."
        )
    return tuple(told)


def make_layout(
    table: pandas.DataFrame, name: str, target: str, ids: Sequence[str], drop: Sequence[str] = ()
) -> Layout:
    """Lay out a table by its training rows.

    Raises ``CeterisError`` where no column is left, for a column of numbers with a slip of text among them,
    and for more features than can be trained on.
    """
    kept = [str(column) for column in table.columns if column not in (target, *ids, *drop)]
    if not kept:
        raise CeterisError(f"{name} has no column left to predict from")
    columns = tuple(_column(table[column], name, column) for column in kept)
    return checked_layout(Layout(name, columns, target, tuple(ids)))


def checked_layout(layout: Layout) -> Layout:
    """Return a layout whose features can be trained on. Raises ``CeterisError`` for none or too many."""
    name, columns = layout.name, layout.columns
    if not columns:
        raise CeterisError(f"{name} has no column left to predict from")
    if layout.features > MOST_FEATURES:
        widest = max(columns, key=lambda column: column.features)
        raise CeterisError(
            f"{name} would make {layout.features:,} features, {widest.features:,} of them from "
            f"`{widest.name}`, and the most is {MOST_FEATURES:,}; leave that column out with "
            f"`data.drop: [{widest.name}]`"
        )
    return layout


def _column(values: pandas.Series, table: str, name: str) -> Column:
    missing = int(values.isna().sum())
    if is_numeric(values):
        numbers(values, f"{table}: column `{name}`")
        return Column(name, True, missing)
    own = coded(values)
    check_no_slip(*own.counted(), f"{table}: column `{name}`")
    return Column(name, False, missing, tuple(sorted(own.texts)))


def numbers(values: Any, where: str, before: int = 0) -> NDArray[np.float64]:
    """Return a column's numbers in double precision, NaN where one is missing; ``before`` rows were read.

    Raises ``CeterisError`` for text, infinities, and what a 32-bit float cannot hold.
    """
    if not is_numeric(values) and not values.isna().all():
        first = next(text for text in as_texts(values) if text is not None and not is_number(text))
        raise CeterisError(f"{where} holds numbers, and here it has `{first}`")
    found: NDArray[np.float64] = values.astype("float64").to_numpy(dtype=np.float64, na_value=np.nan)
    with np.errstate(invalid="ignore"):
        wrong = np.abs(found) > LARGEST
    if wrong.any():
        row = int(np.argmax(wrong))
        raise CeterisError(
            f"{where} has {found[row]:g} in data row {before + row + 1:,}, which no 32-bit float can hold"
        )
    return found


def check_no_slip(
    counts: Mapping[str, int],
    rows: Mapping[str, int],
    where: str,
    otherwise: str = "leave it empty if it is missing",
) -> None:
    """Refuse a column of numbers with a slip of text among them, or whose numbers have commas.

    ``counts`` are those of its texts, in the order in which they first came, ``rows`` where each did;
    ``otherwise`` is what may be done where a slip cannot be corrected.
    """
    wrong = [text for text in counts if not is_number(text)]
    total, slips = sum(counts.values()), sum(counts[text] for text in wrong)
    commas = [text for text in wrong if WITH_COMMA.fullmatch(text)]
    if commas and sum(counts[text] for text in commas) >= NEARLY_NUMBERS * slips:
        raise CeterisError(
            f"{where} holds numbers with a comma such as `{commas[0]}`, which would be read as text; write "
            "`1234.5`, with a point and nothing between thousands"
        )
    if not wrong or total - slips < NEARLY_NUMBERS * total:
        return
    raise CeterisError(
        f"{where} has the text `{wrong[0]}` in data row {rows[wrong[0]]:,}, and numbers elsewhere; correct "
        f"it, or {otherwise}"
    )


def is_number(text: str) -> bool:
    """Tell whether a text reads as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
