"""The user's own arrays, from Python: checked, typed, and turned into a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Dataset, Rows, SourceData, without_test_rows
from ceteris.data.frames import TARGET, as_pandas, frame_layout, is_frame, is_table, without_target
from ceteris.data.mapped import row_blocks
from ceteris.data.table_layout import Layout
from ceteris.data.table_stream import id_texts
from ceteris.data.targets import Targets, read_targets, read_test_targets
from ceteris.errors import CeterisError, Problem, unknown_name

LARGEST = float(np.finfo(np.float32).max)
RANGES = {"uint8": (0.0, 255.0), "uint16": (0.0, 65535.0), "bool": (0.0, 1.0)}
"""Types of inputs whose own range is the documented one: those that images come in."""
WHOLE = (int, np.integer)
MISSING = ("NoneType", "NAType")
NUMBERS = (*WHOLE, float, np.floating)
RESERVED = ("x", "y", "x_test", "y_test", "classes", "file")
"""Names that a column cannot have: of the arrays that mean something else."""

_TEST_ROWS: WeakKeyDictionary[Dataset, Rows] = WeakKeyDictionary()
"""Beside the data sets and not in them, so that nothing that trains can come upon them (law 4)."""

Result = TypeVar("Result")


def arrays(
    x: Any,
    y: Any,
    classes: Sequence[str] | None = None,
    name: str = "arrays",
    columns: Mapping[str, Any] | None = None,
    test: Any = None,
    ids: Sequence[str] = (),
    drop: Sequence[str] = (),
) -> Dataset:
    """Make a data set of the user's own rows.

    ``x`` is (N, *shape) numbers, ``y`` is (N,) labels or (N,) / (N, outputs) floats: NumPy arrays,
    lists, pandas frames, torch tensors, whatever ``numpy.asarray`` reads. Text, booleans and whole
    numbers in ``y`` are labels; floats are numbers to predict, unless ``classes`` names the classes
    that 0, 1, ... stand for. ``columns`` are further arrays (N,) by name, which folds may group rows by.
    ``test`` are test rows (x, y) of the same kind: they are written beside the records with the others and
    read only for the final assessment.

    Of a frame ``y`` may be the name of the column to predict. One that holds text, categories or missing
    values becomes features as a table in a file does, without the columns ``drop`` and ``ids``, by which
    folds may group. Raises CeterisError with everything that is wrong.
    """
    layout, notes = None, tuple[str, ...]()
    if is_frame(x):
        x, y, test = _named_parts(x, y, test, name)
    given = {"x": x, "y": y} if classes is None else {"x": x, "y": y, "classes": classes}
    if test is not None:
        given |= _test_rows(x, test, name)
    columns = dict(columns or {})
    ids, drop = ((named,) if isinstance(named, str) else tuple(named) for named in (ids, drop))
    if is_frame(x) and (ids or drop or is_table(x)):
        with _where(name):
            layout = frame_layout(x, _target_name(y), ids, drop)
            if "x_test" in given:
                notes = layout.unknown_texts(_as_frame(given["x_test"], "x_test"))
                given["x_test"] = layout.expand(given["x_test"], "`x_test`")
            given["x"] = layout.expand(x, "`x`")
        columns |= {column: id_texts(x, column) for column in ids}
    elif ids or drop:
        raise CeterisError(Problem("only a frame has columns that `ids` and `drop` could name", where=name))
    data = source_data(given, name, origin="memory", names=list(given), layout=layout)
    if data.test is not None:
        data = replace(data, test=replace(data.test, notes=notes))
    named = {column: _column(values, column, len(data.train.x)) for column, values in columns.items()}
    dataset = without_test_rows(replace(data, columns=named))
    if data.test is not None:
        _TEST_ROWS[dataset] = data.test
    return dataset


def _named_parts(x: Any, y: Any, test: Any, name: str) -> tuple[Any, Any, Any]:
    """Return a frame as one of pandas without its target, the target, and test rows apart as well."""
    pair = isinstance(test, tuple | list) and len(test) == 2 and is_frame(test[0])
    if not isinstance(y, str):
        return as_pandas(x), y, (as_pandas(test[0]), test[1]) if pair else test
    with _where(name):
        if is_frame(test) or (pair and isinstance(test[1], str)):
            test = without_target(as_pandas(test[0] if pair else test), y, "x_test")
        return *without_target(as_pandas(x), y, "x"), test


def _as_frame(values: Any, name: str) -> Any:
    if not is_frame(values):
        raise CeterisError(f"`{name}` has no columns with names, and the training rows have; give a frame")
    return values


def _target_name(y: Any) -> str:
    name = getattr(y, "name", None)
    return name if isinstance(name, str) and name else TARGET


@contextmanager
def _where(name: str) -> Iterator[None]:
    """Say of every problem that it lies in the data set ``name``."""
    try:
        yield
    except CeterisError as error:
        raise CeterisError(Problem(problem.message, where=name) for problem in error.problems) from error


def held_test_rows(dataset: Dataset) -> Rows | None:
    """Return the test rows that ``arrays`` was given with a data set: for the file that keeps them alone."""
    return _TEST_ROWS.get(dataset)


def _test_rows(x: Any, test: Any, name: str) -> dict[str, Any]:
    """Return test rows by the names of their arrays; the columns of a frame in the order of ``x``."""
    if not isinstance(test, tuple | list) or len(test) != 2:
        what = f"{len(test)} values" if isinstance(test, tuple | list) else f"a {type(test).__name__}"
        message = f"test rows are given as test=(X_test, y_test), and here is {what}"
        raise CeterisError(Problem(message, where=name))
    x_test, y_test = test
    if not (hasattr(x, "columns") and hasattr(x_test, "columns")):
        return {"x_test": x_test, "y_test": y_test}
    here, there = list(x.columns), list(x_test.columns)
    lacking = [column for column in here if column not in there]
    more = [column for column in there if column not in here]
    if lacking or more:
        told = (
            unknown_name("column", str(lacking[0]), list(map(str, there)))
            if lacking
            else (f"the column `{more[0]}` is not among those of the training rows")
        )
        raise CeterisError(Problem(f"`x_test`: {told}", where=name))
    return {"x_test": x_test if here == there else x_test[here], "y_test": y_test}


def _column(values: Any, name: str, rows: int) -> NDArray[Any]:
    if name in RESERVED or not name.isidentifier():
        raise CeterisError(f"`{name}` cannot be the name of a column; give it another name")
    column = _as_array(values, name)
    if column.shape != (rows,) or column.dtype.kind not in "biufUS":
        raise CeterisError(
            f"`{name}` has type {column.dtype} and shape {column.shape}; a column has one number or text for "
            f"each of the {rows:,} rows"
        )
    return np.ascontiguousarray(_native(column))


def source_data(
    given: dict[str, Any], name: str, origin: str, names: Sequence[str], layout: Layout | None = None
) -> SourceData:
    """Check the arrays `x`, `y` and, where given, `x_test`, `y_test`, `classes`; all problems at once.

    ``names`` are those of all arrays that there are, for the message about one that is not; with a
    ``layout`` the inputs are features of a table, of which numbers may be missing.
    """
    problems: list[Problem] = []

    def attempt(step: Callable[[], Result]) -> Result | None:
        try:
            return step()
        except CeterisError as error:
            problems.extend(Problem(problem.message, where=name) for problem in error.problems)
            return None

    for missing in _missing(given):
        problems.append(Problem(f"there is no array `{missing}`; it has {_listed(names)}", where=name))
    x = attempt(lambda: _inputs(given["x"], "x", layout)) if "x" in given else None
    targets = attempt(lambda: _targets(given)) if "y" in given else None
    x_test = attempt(lambda: _inputs(given["x_test"], "x_test", layout)) if "x_test" in given else None
    y_test = attempt(lambda: _test_targets(given["y_test"], targets)) if "y_test" in given else None
    attempt(lambda: _check_same_length(x, targets.y if targets else None, "x", "y"))
    attempt(lambda: _check_same_length(x_test, y_test, "x_test", "y_test"))
    attempt(lambda: _check_same_shape(x, x_test))
    if problems or x is None or targets is None:
        raise CeterisError(problems)
    test = None if x_test is None or y_test is None else Rows(x_test, y_test)
    value_range = RANGES.get(x.dtype.name)
    train = Rows(x, targets.y)
    found = SourceData(name, targets.task, train, test, targets.classes, value_range, origin)
    return found if layout is None else replace(found, table=layout, layout_kept=True)


def _inputs(values: Any, name: str, layout: Layout | None) -> NDArray[Any]:
    """Return inputs, of a table as its layout has them: numbers may be missing."""
    if layout is None:
        return as_inputs(values, name)
    array = _as_array(values, name)
    if array.dtype != np.float64 or array.shape[1:] != (layout.features,) or not len(array):
        raise CeterisError(
            f"`{name}` has type {array.dtype} and shape {array.shape}, and the columns of the table make "
            f"{layout.features:,} features"
        )
    return array


def as_inputs(values: Any, name: str) -> NDArray[Any]:
    """Return inputs as an array (N, *shape) of numbers; (N,) becomes (N, 1)."""
    _check_frame(values, name)
    array = _as_array(values, name)
    if array.dtype.kind not in "biuf":
        what = "text" if array.dtype.kind in "US" else f"values of type {array.dtype}"
        raise CeterisError(f"`{name}` holds {what}; inputs are numbers")
    if array.ndim == 1:
        array = array[:, None]
    if array.size == 0:
        raise CeterisError(f"`{name}` has shape {array.shape}: there are no values in it")
    _check_finite(array, name)
    return np.ascontiguousarray(_native(array))


def _targets(given: dict[str, Any]) -> Targets:
    classes = given.get("classes")
    y = _as_array(given["y"], "y")
    if y.size == 0:
        raise CeterisError(f"`y` has shape {y.shape}: there are no values in it")
    _check_finite(y, "y")
    names = None if classes is None else [str(item) for item in np.asarray(classes).ravel()]
    return read_targets(np.ascontiguousarray(_native(y)), names)


def _test_targets(values: Any, like: Targets | None) -> NDArray[Any] | None:
    y = _as_array(values, "y_test")
    _check_finite(y, "y_test")
    return None if like is None else read_test_targets(np.ascontiguousarray(_native(y)), like)


def _as_array(values: Any, name: str) -> NDArray[Any]:
    """Read anything array-like; objects that are all text or all numbers become such, others are refused."""
    if hasattr(values, "toarray"):
        raise CeterisError(f"`{name}` is a sparse matrix; give `{name}.toarray()`")
    if np.ma.is_masked(values):
        masked = int(np.ma.getmaskarray(values).sum())
        raise CeterisError(
            f"`{name}` is a masked array with {masked:,} masked value{'' if masked == 1 else 's'}; fill in "
            f"(`{name}.filled(...)`), or leave these rows out"
        )
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        parts = [part for part in values if len(getattr(part, "shape", ())) > 1]
        if len(parts) > 1 and len({len(part) for part in parts}) == 1:
            raise CeterisError(
                f"`{name}` is {len(parts)} arrays, and a network gets one: put several inputs side by side "
                "(`numpy.concatenate(..., axis=1)`) and part them in its `forward`"
            ) from error
        raise CeterisError(f"`{name}` cannot be read as an array: {error}") from error
    if array.ndim == 0:
        kind = type(values).__name__
        raise CeterisError(f"`{name}` is a single value of type {kind}, not an array of rows")
    if array.dtype.kind not in "OT":
        return array
    if all(isinstance(item, str) for item in array.flat):
        return array.astype(np.str_)
    if all(isinstance(item, NUMBERS) for item in array.flat):
        whole = all(isinstance(item, WHOLE) for item in array.flat)
        try:
            return array.astype(np.int64 if whole else np.float64)
        except OverflowError:
            message = f"`{name}` has whole numbers beyond 64 bits; give `{name}.astype(float)`"
            raise CeterisError(message) from None
    if lacking := sum(type(item).__name__ in MISSING for item in array.flat):
        many = f"{lacking:,} missing value{'' if lacking == 1 else 's'}"
        raise CeterisError(f"`{name}` has {many} (None or NA); fill in or leave out")
    kinds = sorted({type(item).__name__ for item in array.flat})
    raise CeterisError(f"`{name}` mixes values that make no array of numbers ({', '.join(kinds)})")


def _check_frame(values: Any, name: str) -> None:
    """Refuse a frame with columns that are no numbers, by their names."""
    if not hasattr(values, "columns") or not hasattr(values, "dtypes"):
        return
    kinds = zip(values.columns, values.dtypes, strict=True)
    wrong = [str(column) for column, kind in kinds if kind.kind not in "biuf"]
    if wrong:
        shown = ", ".join(f"`{column}`" for column in wrong[:5]) + (", ..." if len(wrong) > 5 else "")
        raise CeterisError(f"`{name}` has columns that hold no numbers: {shown}; leave them out")


def _check_finite(array: NDArray[Any], name: str) -> None:
    """Refuse NaN, infinities, and numbers that a 32-bit float cannot hold."""
    if array.dtype.kind != "f":
        return
    largest = min(LARGEST, float(np.finfo(array.dtype).max))
    problems = (
        (np.isfinite, "not finite (NaN or infinity)"),
        (lambda values: np.abs(values) <= largest, "too large for a 32-bit float (3.4e38)"),
    )
    for is_good, what in problems:
        count, first = 0, None
        for begin, part in row_blocks(array):
            bad = ~is_good(part).reshape(len(part), -1)
            if bad.any():
                count += int(bad.sum())
                first = begin + int(bad.any(axis=1).argmax()) if first is None else first
        if count:
            raise CeterisError(
                f"`{name}` has {count:,} value{' that is' if count == 1 else 's that are'} {what}, "
                f"the first in row {first}"
            )


def _native(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array in little-endian order, so that equal values have equal bytes and one hash."""
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def _check_same_length(x: NDArray[Any] | None, y: NDArray[Any] | None, x_name: str, y_name: str) -> None:
    if x is not None and y is not None and len(x) != len(y):
        raise CeterisError(
            f"`{x_name}` has {len(x):,} rows and `{y_name}` has {len(y):,}; they must be as many"
        )


def _check_same_shape(x: NDArray[Any] | None, x_test: NDArray[Any] | None) -> None:
    if x is not None and x_test is not None and x.shape[1:] != x_test.shape[1:]:
        raise CeterisError(f"`x` has rows of shape {x.shape[1:]} and `x_test` of {x_test.shape[1:]}")


def _missing(given: dict[str, Any]) -> list[str]:
    needed = ["x", "y", *(["x_test", "y_test"] if {"x_test", "y_test"} & set(given) else [])]
    return [name for name in needed if name not in given]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) if names else "none at all"
