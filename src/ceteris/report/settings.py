"""What differs between the levels of a run, and everything that was held equal."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ceteris.spec.labels import format_label

GROUPS = {"data": "Data", "folds": "Data", "model": "Network", "optimizer": "Optimiser"}
REST = "Training"
LONG = 4
"""So many equal items in a row are counted, not listed."""


@dataclass(frozen=True)
class Setting:
    """One setting of the experiment: its dotted path and its value in words."""

    path: str
    value: str


@dataclass(frozen=True)
class Settings:
    """The settings of a run.

    ``varied`` are the dotted paths that differ, ``levels`` maps each level to their values in the
    same order, ``equal`` holds every other setting, grouped for reading.
    """

    varied: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]
    equal: Mapping[str, tuple[Setting, ...]]


def compare_settings(experiments: Mapping[str, Mapping[str, Any]]) -> Settings:
    """Tell which settings differ between ``experiments`` (level -> resolved experiment) and which do not."""
    flat = {level: dict(flattened(experiment)) for level, experiment in experiments.items()}
    paths = tuple(dict.fromkeys(path for settings in flat.values() for path in settings))
    varied = tuple(path for path in paths if _differs(path, list(flat.values())))
    levels = {
        level: tuple(_words(settings.get(path, _ABSENT)) for path in varied)
        for level, settings in flat.items()
    }
    first: Mapping[str, Any] = next(iter(flat.values()), {})
    equal = [Setting(path, _words(first[path])) for path in paths if path not in varied]
    return Settings(varied, levels, _grouped(equal))


_ABSENT = object()


def flattened(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every setting of a resolved experiment by its dotted path."""
    for key, inner in value.items():
        path = f"{prefix}{key}"
        if isinstance(inner, Mapping) and inner:
            yield from flattened(inner, f"{path}.")
        else:
            yield path, inner


def _differs(path: str, levels: Sequence[Mapping[str, Any]]) -> bool:
    return len({json.dumps(settings[path]) if path in settings else "" for settings in levels}) > 1


def _words(value: Any) -> str:
    if value is _ABSENT:
        return "–"
    if value is None:
        return "default"
    if isinstance(value, list | tuple):
        return ", ".join(_repeated(value)) or "none"
    return "none" if value in ("", {}) else format_label(value)


def _repeated(items: Sequence[Any]) -> Iterator[str]:
    """Yield the items in words; four or more equal ones in a row once, with how many they are."""
    for words, equal in itertools.groupby(_words(item) for item in items):
        count = len(list(equal))
        yield from (f"{count} × {words}",) if count >= LONG else (words,) * count


def _grouped(settings: Sequence[Setting]) -> dict[str, tuple[Setting, ...]]:
    groups: dict[str, list[Setting]] = {}
    for setting in settings:
        group = GROUPS.get(setting.path.partition(".")[0], REST)
        groups.setdefault(group, []).append(setting)
    return {name: tuple(members) for name, members in groups.items()}
