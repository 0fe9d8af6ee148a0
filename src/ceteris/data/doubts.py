"""What is doubtful about rows of a user's own: columns that name rows, free text, constants, odd targets.

Nothing is left out unasked: a doubt is told in one sentence, with the setting that takes the column out.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Dataset
from ceteris.data.mapped import row_blocks
from ceteris.data.table_layout import MANY_CATEGORIES, Column, Layout
from ceteris.data.targets import FEW_VALUES, like_labels, like_one_hot
from ceteris.spec.data import DataSpec

FEW_CATEGORIES = 10
"""A column of up to so many texts is taken for categories, however few rows there are."""
LOOKED_AT = 200_000
"""Rows in which whole numbers are looked at."""
LEAST_ROWS = 20
"""With fewer rows, whole numbers that count up prove nothing."""
ENOUGH = 10
"""Rows of a class, on average, that make whole numbers look like classes."""
LEAST_SIZE, MOST_SIZE = 0.01, 30.0
"""Root mean squares of numbers to predict in between are unremarkable."""
SHOWN = 5

ROW_WORDS = frozenset({"id", "uuid", "guid", "key", "index", "idx", "nr", "no", "rowid", "unnamed"})
"""Words that a column's name begins or ends with where it names the rows."""
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}")


def identifier_problems(dataset: Dataset) -> tuple[str, ...]:
    """Say which columns of text cannot be inputs: where every value is another, none tells of another row."""
    columns = () if dataset.table is None else dataset.table.columns
    rows = len(dataset.x)
    return tuple(
        f"column `{column.name}` of `{dataset.name}` has another text in every one of the {rows:,} rows, "
        f"which tells nothing of other rows{_date_hint(column)}; {leave_out([column.name], 'ids')} keeps it "
        f"beside the predictions, {leave_out([column.name])} leaves it out"
        for column in columns
        if _names_rows(column, rows)
    )


def _names_rows(column: Column, rows: int) -> bool:
    return not column.numeric and MANY_CATEGORIES < len(column.categories) == rows


def doubts(dataset: Dataset) -> tuple[str, ...]:
    """Say what is doubtful about a data set, one sentence each."""
    found = [] if dataset.table is None else list(_of_columns(dataset, dataset.table))
    return tuple(f"`{dataset.name}`: {doubt}" for doubt in (*found, *_of_targets(dataset)))


def leave_out(names: Iterable[str], setting: str = "drop") -> str:
    """Return the setting that takes columns out, as YAML and `--set` read it."""
    shown = (name if re.fullmatch(r"\w+", name) else json.dumps(name, ensure_ascii=False) for name in names)
    return f"`data.{setting}: [{', '.join(shown)}]`"


def _of_columns(dataset: Dataset, table: Layout) -> Iterator[str]:
    rows, begin = len(dataset.x), 0
    constant = _constant_features(dataset.x)
    same = []
    for column in table.columns:
        if column.numeric:
            values = dataset.x[:LOOKED_AT, begin]
            if constant[begin]:
                same.append(column.name)
            elif counted := _counts_rows(column.name, values):
                yield (
                    f"column `{column.name}` {counted} and is an input; if it names the rows, take it out "
                    f"with {leave_out([column.name], 'ids')}"
                )
        elif len(column.categories) == 1 and not column.missing:
            same.append(column.name)
        elif _is_free_text(column, rows) and not _names_rows(column, rows):
            yield _free_text(column, rows)
        begin += column.features
    if same:
        many = f"columns {_listed(same)} have" if len(same) > 1 else f"column {_listed(same)} has"
        yield f"{many} no two different values, which tells nothing; leave out with {leave_out(same)}"


def _constant_features(x: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which features (N, features) have at most one value besides missing ones."""
    low, high = np.full(x.shape[1], np.nan), np.full(x.shape[1], np.nan)
    for _, part in row_blocks(x):
        low = np.fmin(low, np.fmin.reduce(part, axis=0))
        high = np.fmax(high, np.fmax.reduce(part, axis=0))
    return ~(low < high)


def _is_free_text(column: Column, rows: int) -> bool:
    categories = len(column.categories)
    return categories > MANY_CATEGORIES or FEW_CATEGORIES < categories > (rows - column.missing) / 2


def _free_text(column: Column, rows: int) -> str:
    told = (
        f"column `{column.name}` holds {len(column.categories):,} different texts in {rows:,} rows, and "
        "makes a feature of each"
    )
    return f"{told}{_date_hint(column)}; join rare ones, or leave it out with {leave_out([column.name])}"


def _date_hint(column: Column) -> str:
    """Say what to make of dates, where a column of text holds nothing else."""
    if not all(DATE.match(text) for text in column.categories[:LOOKED_AT]):
        return ""
    return " (dates are text here: write year, month or weekday as columns of numbers)"


def _counts_rows(name: str, values: NDArray[np.float64]) -> str:
    """Say how whole numbers look like names of the rows; nothing where they do not."""
    if len(values) < LEAST_ROWS or not (values == np.floor(values)).all():
        return ""
    words = [word.lower() for word in WORD.findall(name)]
    named = bool(words) and not ROW_WORDS.isdisjoint((words[0], words[-1]))
    counts_up = bool((np.diff(values) == 1).all())
    if not counts_up and not (named and len(np.unique(values)) == len(values)):
        return ""
    return "counts the rows" if counts_up else "has another whole number in every row"


def _of_targets(dataset: Dataset) -> Iterator[str]:
    if dataset.task == "regression":
        yield from _of_numbers(dataset.y)
        return
    counts = np.bincount(dataset.y, minlength=len(dataset.classes))
    single = [name for name, count in zip(dataset.classes, counts, strict=True) if count == 1]
    if single and counts.max() > 1:
        have = "has" if len(single) == 1 else "have"
        yield (
            f"{len(single):,} of the {len(counts):,} classes {have} one row, which cannot train and "
            f"validate: {_listed(single)}"
        )
    whole = [int(name) for name in dataset.classes if re.fullmatch(r"-?\d{1,15}", name)]
    numbered = sorted(whole) == list(range(len(counts))) and len(dataset.y) >= ENOUGH * len(counts)
    if len(whole) == len(counts) > FEW_VALUES and not numbered:
        yield (
            f"its {len(counts):,} different whole numbers to predict are taken for classes; write them as "
            "floating-point numbers (`y.astype(float)`) if they are amounts"
        )


def unscaled_targets(dataset: Dataset, spec: DataSpec) -> str:
    """Say that numbers to predict are learned far from unit scale, where they are; else nothing."""
    if dataset.task != "regression" or spec.target_scale != "none" or not len(dataset.y):
        return ""
    size = math.sqrt(float(np.square(dataset.y, dtype=np.float64).mean()))
    if size == 0 or LEAST_SIZE <= size <= MOST_SIZE:
        return ""
    return (
        f"`{dataset.name}`: the root mean square of the numbers to predict is {size:.3g}, where initial "
        "weights and usual learning rates are made for about 1; `data.target_scale: standardize` learns them "
        "on that scale"
    )


def _of_numbers(y: NDArray[np.float64]) -> Iterator[str]:
    if classes := like_labels(y):
        yield (
            f"`y` is of a floating-point type, so its {classes} different values are numbers to predict; "
            "make them whole numbers (`y.astype(int)`) if they are classes"
        )
    elif classes := like_one_hot(y):
        yield (
            f"every row of `y` has a single 1 among {classes} numbers, and these are predicted as numbers; "
            "give the places of the ones (`y.argmax(axis=1)`) if they are classes"
        )
    elif len(y) > 1 and (y == y[0]).all():
        yield f"all rows have the same number to predict, {float(y.flat[0]):g}: there is nothing to learn"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(f"`{name}`" for name in names[:SHOWN]) + more
