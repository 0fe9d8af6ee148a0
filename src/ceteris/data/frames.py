"""Frames of pandas, polars and the like, given from Python: tables where they hold more than numbers.

A frame is known by what it offers: `columns`, and each of them by its name. Of another library than pandas
the columns are read as Python values, which keeps text and missing values and needs nothing installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ceteris.data.table_layout import Layout, make_layout
from ceteris.data.tables import is_numeric
from ceteris.data.targets import like_labels
from ceteris.errors import CeterisError, Problem, unknown_name

if TYPE_CHECKING:
    import pandas

NESTED = ("list", "dict", "set", "tuple", "ndarray", "Series", "DataFrame")
TARGET = "prediction"
"""What predictions are called where the targets have no name."""


def is_frame(values: Any) -> bool:
    """Tell whether rows come in columns with names."""
    return all(hasattr(values, name) for name in ("columns", "shape", "__getitem__"))


def as_pandas(values: Any) -> pandas.DataFrame:
    """Return a frame as one of pandas, with its columns' names as text."""
    import pandas

    if hasattr(values, "to_pandas") and hasattr(values, "column_names"):  # Arrow's `columns` are no names
        values = values.to_pandas()
    names = [str(column) for column in values.columns]
    if isinstance(values, pandas.DataFrame):
        return values.set_axis(names, axis=1).reset_index(drop=True).infer_objects()
    own = {str(column): list(values[column]) for column in values.columns}
    return pandas.DataFrame(own, columns=pandas.Index(names))


def is_table(frame: pandas.DataFrame) -> bool:
    """Tell whether a frame has text, categories, dates or missing values, which arrays cannot hold."""
    return any(kind.kind not in "biuf" for kind in frame.dtypes) or bool(frame.isna().any().any())


def without_target(x: pandas.DataFrame, target: str, name: str) -> tuple[pandas.DataFrame, pandas.Series]:
    """Return the inputs of a frame, and the column that is predicted as a table's is.

    Whole numbers of many values are numbers to predict there. Raises ``CeterisError`` where there is no such
    column or more than one, or values of it are missing.
    """
    if target not in x.columns:
        raise CeterisError(Problem(f"`{name}`: {unknown_name('column', target, list(x.columns))}"))
    _check_names(x, name)
    values = x[target]
    if missing := int(values.isna().sum()):
        raise CeterisError(
            f"`{name}`: column `{target}` is to be predicted and has no value in {missing:,} of {len(x):,} "
            "rows; leave these out"
        )
    if is_numeric(values) and not like_labels(values.to_numpy(dtype="float64")):
        values = values.astype("float64")
    return x.drop(columns=target), values


def frame_layout(frame: pandas.DataFrame, target: str, ids: Sequence[str], drop: Sequence[str]) -> Layout:
    """Lay out a frame by its rows, all of which train or validate. Raises ``CeterisError``."""
    columns = list(frame.columns)
    _check_names(frame, "x")
    unknown = [
        f"`{setting}`: {unknown_name('column', column, columns)}"
        for setting, named in (("ids", ids), ("drop", drop))
        for column in named
        if column not in columns
    ]
    if unknown:
        raise CeterisError(map(Problem, unknown))
    for column in columns:
        if column not in drop:
            _check_plain(frame[column], f"`x`: column `{column}`")
    return replace(make_layout(frame, "`x`", "", ids, drop), target=target)


def _check_names(frame: pandas.DataFrame, name: str) -> None:
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise CeterisError(f"`{name}` has two columns `{twice}`; give each a name of its own")


def _check_plain(values: pandas.Series, where: str) -> None:
    if values.dtype.kind == "c":
        raise CeterisError(f"{where} holds complex numbers; give their real and imaginary parts as columns")
    kinds = {type(value).__name__ for value in values} if values.dtype == object else set()
    if nested := sorted(kinds & set(NESTED)):
        raise CeterisError(
            f"{where} holds values of type {nested[0]}; a column holds numbers, text, or true and false"
        )
