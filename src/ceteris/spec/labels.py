"""How levels and their combinations are called."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

BASE_LABEL = "base"
"""The label of the only combination of a study that varies nothing."""

SHOWN = 60


def format_label(value: Any) -> str:
    """Return the label of a level that is known by its value alone.

    Numbers as ``0.01`` or ``32``, ``true``/``false``, ``none``, lists as ``[64, 32]``, and a
    mapping as its kind and settings (``sgd lr=0.1``).
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return format(value, "g")
    if isinstance(value, Mapping):
        return _mapping_label(value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return "[" + ", ".join(format_label(item) for item in value) + "]"
    return str(value)


def _mapping_label(value: Mapping[str, Any]) -> str:
    words = [str(value["kind"])] if "kind" in value else []
    words += [f"{key}={format_label(item)}" for key, item in value.items() if key != "kind"]
    return " ".join(words) if words else "{}"


def combination_label(coordinates: Mapping[str, str]) -> str:
    """Return ``a=x, b=y`` for several factors, the level's label for one, ``base`` for none."""
    if not coordinates:
        return BASE_LABEL
    if len(coordinates) == 1:
        return next(iter(coordinates.values()))
    return ", ".join(f"{factor}={label}" for factor, label in coordinates.items())


def name_of(item: Any) -> str:
    """Return the name of a class or function, or of an object's class."""
    return str(getattr(item, "__name__", type(item).__name__))


def shown(value: Any) -> str:
    """Return a value as a message quotes it: short, on one line, text in quotes."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    try:
        if isinstance(value, int | float):
            text = format(value, "g") if isinstance(value, float) else str(value)
        else:
            text = json.dumps(value, ensure_ascii=False, default=name_of)
    except (ValueError, TypeError, RecursionError):
        text = f"a {type(value).__name__}"
    if isinstance(value, str):
        text = "'" + text[1:-1].replace('\\"', '"') + "'"
    return text if len(text) <= SHOWN else text[: SHOWN - 4] + " ..."
