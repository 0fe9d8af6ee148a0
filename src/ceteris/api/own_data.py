"""Data of the user's own in Python: ``data=(X, y)`` becomes a data set that its content hash names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from ceteris.api.own_objects import as_parts
from ceteris.errors import CeterisError, Problem
from ceteris.spec.data import FRAME

if TYPE_CHECKING:
    from ceteris.data.dataset import Dataset

SOURCE = "arrays"
"""What an experiment calls rows that are only in memory."""

_IN_MEMORY: WeakValueDictionary[tuple[str, tuple[str, ...]], Dataset] = WeakValueDictionary()
"""(content hash, classes) -> the data set, for as long as an experiment of the user's holds it."""


def as_dataset(value: Any, test: Any = None, **columns: Any) -> Dataset | None:
    """Return the data set that ``(X, y)`` or ``(X, y, classes)`` make; None for anything but rows.

    ``test`` are its test rows, ``(X_test, y_test)``, ``columns`` those of a frame that are no inputs (`ids`
    and `drop`). Raises ``CeterisError`` for arrays that cannot be trained on, and for test rows without
    arrays.
    """
    from ceteris.data.dataset import Dataset

    value, test = as_parts(value), as_parts(test)
    if isinstance(value, tuple | list):
        dataset = _from_parts(value, test, columns)
    elif test is not None:
        message = (
            "test rows belong to arrays that are given with them, data=(X, y) and test=(X_test, y_test); "
            "other data brings its own, as `ceteris.data.arrays(X, y, test=(X_test, y_test))` does, and "
            'those of a table stand in its settings: data={"source": "a.csv", "test": "b.csv", ...}'
        )
        raise CeterisError(Problem(message, where="test"))
    elif isinstance(value, Dataset):
        dataset = value
    else:
        return None
    return _IN_MEMORY.setdefault((dataset.content, dataset.classes), dataset)


def _from_parts(parts: tuple[Any, ...] | list[Any], test: Any, columns: Mapping[str, Any]) -> Dataset:
    from ceteris.data.user_arrays import arrays

    if len(parts) not in (2, 3):
        message = (
            f"arrays are given as (X, y) or (X, y, classes), and here are {len(parts)} values; test rows "
            "are given as test=(X_test, y_test)"
        )
        raise CeterisError(Problem(message, where="data"))
    x, y = (_detached(part) for part in parts[:2])
    if isinstance(test, tuple | list):
        test = [_detached(part) for part in test]
    return arrays(x, y, parts[2] if len(parts) == 3 else None, SOURCE, test=test, **columns)


def _detached(part: Any) -> Any:
    """Return a tensor that requires gradients, or lies on a card, as one that NumPy can read."""
    return part.detach().cpu() if hasattr(part, "detach") and hasattr(part, "cpu") else part


def data_settings(value: Any, test: Any = None) -> tuple[Any, Dataset | None]:
    """Return the ``data`` of an experiment as a specification takes it, and the arrays behind it.

    Arrays may stand alone or as the ``source`` of a mapping:
    ``{"source": (X, y), "scale": "standardize"}``. ``test`` are their test rows. A frame is named as a
    table's file is, ``{"source": frame, "target": "price", "test": other, "ids": [...]}``.
    """
    value = as_parts(value)
    if isinstance(value, Mapping) and not isinstance(value.get("source"), str):
        source, settings, columns = as_parts(value.get("source")), dict(value), {}
        if hasattr(source, "columns"):
            if "target" not in settings:
                message = "a frame as `source` needs a `target`: the column of it that is predicted"
                raise CeterisError(Problem(message, where="data.target"))
            source = (source, settings.pop("target"))
        if isinstance(source, tuple | list):
            columns = {name: settings.pop(name) for name in ("ids", "drop") if name in settings}
            test = settings.pop("test", test)
        dataset = as_dataset(source, test, **columns)
        return (value, None) if dataset is None else ({**settings, **named(dataset)}, dataset)
    dataset = as_dataset(value, test)
    if dataset is None and hasattr(value, "shape"):
        message = "rows are given with their targets: give (X, y), or (frame, name of the column to predict)"
        raise CeterisError(Problem(message, where="data"))
    return (value, None) if dataset is None else (named(dataset), dataset)


def named(dataset: Dataset) -> dict[str, str]:
    """Return the settings by which an experiment names rows in memory."""
    return {"source": SOURCE if dataset.table is None else FRAME, "content": dataset.content}


def in_memory(source: str, content: str | None) -> Dataset | None:
    """Return the rows in memory that an experiment reads; None where its data comes from elsewhere.

    Raises ``CeterisError`` where the rows are gone.
    """
    if source not in (SOURCE, FRAME) or content is None:
        return None
    found = next((dataset for (own, _), dataset in list(_IN_MEMORY.items()) if own == content), None)
    if found is None:
        message = "the arrays of this experiment are not in memory; give them again with data=(X, y)"
        raise CeterisError(Problem(message, where="experiment.data.source"))
    return found
