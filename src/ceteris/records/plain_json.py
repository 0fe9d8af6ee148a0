"""JSON as the records write it: a canonical form for hashing and a plain one for columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ceteris.errors import CeterisError


def canonical_json(value: Any) -> str:
    """Return the one JSON text of ``value``: keys sorted, no spaces, floats by ``repr``, ASCII only.

    Equal values have equal texts on every platform. 1 and 1.0 differ, as do 0.0 and -0.0;
    tuples and lists do not. Raises ``TypeError`` for keys that are not strings (``json`` would
    make 1 and "1" the same) and for values that JSON does not have, ``ValueError`` for NaN and
    infinity.
    """
    _refuse_other_keys(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def to_column(value: Any) -> str:
    """Return ``value`` as JSON text in its own order; arrays and NumPy numbers become plain ones."""
    return json.dumps(value, separators=(",", ":"), default=_plain)


def from_column(text: str) -> Any:
    """Return what ``to_column`` wrote; raises ``CeterisError`` where it is damaged."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise CeterisError(f"the records are damaged: {error} in `{text[:40]}`") from error


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} cannot be kept as JSON: {value!r}")


def _refuse_other_keys(value: Any) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"the key {key!r} is not a string, so it has no canonical JSON")
            _refuse_other_keys(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_other_keys(item)
