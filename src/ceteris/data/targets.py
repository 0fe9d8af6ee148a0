"""Telling labels from numbers to predict, and turning labels of any kind into 0, 1, ..., K - 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Task
from ceteris.errors import CeterisError, nearest

FEW_VALUES = 20
"""So many different whole numbers at most make floats look like labels, with 10 rows of each on average."""
MANY_CLASSES = 50
"""With more classes than this, and fewer than two rows per class on average, labels are not believed."""


@dataclass(frozen=True, eq=False)
class Targets:
    """Targets as experiments read them, and how the labels were coded."""

    task: Task
    y: NDArray[Any]
    """(N,) int64, or float64 / float32 of shape (N,) or (N, outputs)."""
    classes: tuple[str, ...]
    coded_by: Literal["number", "name"] = "number"
    """`number`: the labels were given as 0 ... K - 1; `name`: they are told apart by how they read."""


def read_targets(y: NDArray[Any], classes: Sequence[str] | None, name: str = "y") -> Targets:
    """Tell what ``y`` is and code it.

    Text, booleans and whole-number types are labels, mapped to their sorted values; floating-point
    types are numbers to predict, unless ``classes`` says that they are labels. With ``classes``,
    whole numbers are places in that list and text must be in it. Raises CeterisError.
    """
    if y.dtype.kind == "f" and classes is None:
        return Targets("regression", _numbers(y, name), ())
    labels = _one_per_row(y, name)
    if classes is None:
        return _by_sorted_values(labels, name)
    known = _known_classes(classes)
    if labels.dtype.kind in "US":
        return Targets("classification", _by_name(labels, known, name), known, "name")
    return Targets("classification", _by_number(labels, known, name), known)


def like_labels(y: NDArray[Any]) -> int:
    """Return how many classes numbers to predict look like: few whole numbers, each often. 0: like none."""
    flat = y.reshape(-1) if y.ndim == 1 or y.shape[1:] == (1,) else np.empty(0)
    if flat.dtype.kind != "f" or not len(flat) or (flat != np.floor(flat)).any():
        return 0
    different = len(np.unique(flat))
    return different if different <= FEW_VALUES and 10 * different <= len(flat) else 0


def like_one_hot(y: NDArray[Any]) -> int:
    """Return how many classes numbers to predict look like: a single 1 in every row, else 0. 0: like none."""
    if y.ndim != 2 or y.shape[1] < 2 or y.dtype.kind != "f":
        return 0
    alone = np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all()
    return int(y.shape[1]) if alone else 0


def read_test_targets(y: NDArray[Any], like: Targets, name: str = "y_test") -> NDArray[Any]:
    """Code test targets as the training targets were coded; a class that is not among theirs is refused."""
    if like.task == "regression":
        numbers = _numbers(y, name)
        if numbers.shape[1:] != like.y.shape[1:]:
            raise CeterisError(
                f"`{name}` has rows of shape {numbers.shape[1:]}, and `y` of {like.y.shape[1:]}"
            )
        return numbers
    labels = _one_per_row(y, name)
    if like.coded_by == "number" and labels.dtype.kind not in "US":
        return _by_number(labels, like.classes, name)
    return _by_name(labels, like.classes, name)


def _numbers(y: NDArray[Any], name: str) -> NDArray[Any]:
    if y.dtype.kind not in "iuf" or y.ndim > 2:
        flat = f": give `{name}.reshape(len({name}), -1)`" if y.dtype.kind in "iuf" else ""
        raise CeterisError(
            f"`{name}` has type {y.dtype} and shape {y.shape}; numbers to predict have shape "
            f"(rows,) or (rows, outputs){flat}"
        )
    return y if y.dtype in (np.float32, np.float64) else y.astype(np.float64)


def _one_per_row(y: NDArray[Any], name: str) -> NDArray[Any]:
    """Return labels of shape (N,); a column is accepted, a table is not."""
    if y.dtype.kind not in "USbiuf":
        raise CeterisError(f"`{name}` has type {y.dtype}; labels are whole numbers or text")
    if y.ndim == 2 and y.shape[1] == 1:
        return y[:, 0]
    if y.ndim != 1:
        raise CeterisError(
            f"`{name}` has shape {y.shape}; labels are one per row (from one-hot rows take the argmax; "
            "several numbers to predict per row must be of a floating-point type)"
        )
    return y


def coded_targets(codes: NDArray[np.int64], texts: Sequence[str], name: str) -> Targets:
    """Return the targets of labels (N,) given as places in ``texts``; classes are sorted. Raises
    ``CeterisError`` for labels that hardly ever come twice."""
    order = np.argsort(np.array(texts, dtype=np.str_))
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return _classes([texts[place] for place in order], ranks[codes], name)


def _by_sorted_values(labels: NDArray[Any], name: str) -> Targets:
    values, codes = np.unique(labels, return_inverse=True)
    return _classes(values, codes.astype(np.int64), name)


def _classes(values: Sequence[Any] | NDArray[Any], codes: NDArray[np.int64], name: str) -> Targets:
    if len(values) > MANY_CLASSES and len(values) > len(codes) / 2:
        text = any(isinstance(value, str) for value in values)
        what = "texts" if text else "labels"
        right = "written as numbers (`12.5`)" if text else "of a floating-point type"
        raise CeterisError(
            f"`{name}` has {len(values):,} different {what} in {len(codes):,} rows, too many for classes; "
            f"numbers to predict must be {right}"
        )
    return Targets("classification", codes, tuple(_read(value) for value in values), "name")


def _by_number(labels: NDArray[Any], classes: tuple[str, ...], name: str) -> NDArray[np.int64]:
    wrong = (labels != np.floor(labels)) | (labels < 0) | (labels >= len(classes))
    if labels.dtype.kind != "b" and wrong.any():
        row = int(np.argmax(wrong))
        raise CeterisError(
            f"`{name}` has {labels[row]} in row {row}, which is not the number of a class; with "
            f"{len(classes)} classes labels are 0 to {len(classes) - 1}"
        )
    return labels.astype(np.int64)


def _by_name(labels: NDArray[Any], classes: tuple[str, ...], name: str) -> NDArray[np.int64]:
    values, codes = np.unique(labels, return_inverse=True)
    number = {known: place for place, known in enumerate(classes)}
    for value in values:
        if _read(value) not in number:
            guess = nearest(_read(value), classes)
            hint = f"; did you mean `{guess}`?" if guess else ""
            raise CeterisError(
                f"`{name}` has the class `{_read(value)}`, which is not among the classes{hint}"
            )
    table = np.array([number[_read(value)] for value in values], dtype=np.int64)
    return table[codes]


def _known_classes(classes: Sequence[str]) -> tuple[str, ...]:
    known = tuple(str(item) for item in classes)
    if len(set(known)) < len(known):
        twice = next(item for item in known if known.count(item) > 1)
        raise CeterisError(f"`classes` names `{twice}` twice")
    if not known:
        raise CeterisError("`classes` is empty")
    return known


def _read(value: Any) -> str:
    """Return a label as it reads: booleans in YAML's way."""
    if isinstance(value, np.bool_):
        return "true" if value else "false"
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
