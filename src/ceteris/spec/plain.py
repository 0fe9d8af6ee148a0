"""Plain data: what a specification is made of before it is checked, from any Python mapping."""

from __future__ import annotations

import numbers
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from pydantic import BaseModel

from ceteris.errors import CeterisError, Problem
from ceteris.spec.labels import format_label

MAX_DEPTH = 32
MAX_WHOLE = 2**64
MAX_ITEMS = 20_000
"""How many values a specification may hold; anchors in a file count each time they are used."""


def plain_data(value: Any) -> Any:
    """Return a copy made only of dict (with text as keys), list, str, int, float, bool and None.

    Numbers and arrays of other libraries become Python's own, paths become text, parts of a
    specification become mappings of the settings that differ from their defaults.

    Raises:
        CeterisError: for anything else, and where the data is too deep or too large.
    """
    return _copy(value, "", MAX_DEPTH, iter(range(MAX_ITEMS)))


def _copy(value: Any, where: str, depth: int, budget: Iterator[int]) -> Any:
    if depth == 0 or next(budget, None) is None:
        limit = f"nested more than {MAX_DEPTH} deep" if depth == 0 else f"larger than {MAX_ITEMS:,} values"
        raise CeterisError(Problem(f"this is {limit}, which no specification is", where=where[:80]))
    if isinstance(value, BaseModel):
        value = explicit(value)
    if isinstance(value, Mapping):
        return _copy_mapping(value, where, depth, budget)
    if hasattr(value, "tolist") and len(getattr(value, "shape", "")):  # an array or a tensor
        value = value[: MAX_ITEMS + 1].tolist()
    if isinstance(value, list | tuple | range):
        return [_copy(item, _join(where, i), depth - 1, budget) for i, item in enumerate(value)]
    return _scalar(value, where)


def _copy_mapping(value: Mapping[Any, Any], where: str, depth: int, budget: Iterator[int]) -> dict[str, Any]:
    copied: dict[str, Any] = {}
    for key, item in value.items():
        name = format_label(_scalar(key, where))
        if name in copied:
            raise CeterisError(Problem(f"the name `{name}` is given twice", where=where))
        copied[name] = _copy(item, _join(where, name), depth - 1, budget)
    return copied


def _scalar(value: Any, where: str) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str | PurePath):
        return _text(str(value), where)
    if isinstance(value, numbers.Integral):
        if abs(int(value)) >= MAX_WHOLE:
            raise CeterisError(Problem("this number is too large for anything here", where=where))
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    kind = getattr(value, "__name__", f"a {type(value).__name__}")
    raise CeterisError(
        Problem(
            f"{kind} cannot stand in a specification; give text, numbers, lists and mappings", where=where
        )
    )


def _text(value: str, where: str) -> str:
    if any(unicodedata.category(letter) in ("Cs", "Cc") and letter not in "\n\r\t" for letter in value):
        message = f"the text {value[:40]!a} holds characters that cannot be shown or saved"
        raise CeterisError(Problem(message, where=where))
    return value


def _join(where: str, part: object) -> str:
    """Join a path as messages show it: on one line, whatever a key holds."""
    part = " ".join(str(part).split())
    return f"{where}.{part}" if where else str(part)


def explicit(part: BaseModel) -> dict[str, Any]:
    """Return the settings of a part that were given or differ from their defaults, and its ``kind``."""
    settings: dict[str, Any] = {}
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        given = name in part.model_fields_set or value != field.get_default(call_default_factory=True)
        if given or (name == "kind" and value is not None):
            settings[name] = value
    return settings
