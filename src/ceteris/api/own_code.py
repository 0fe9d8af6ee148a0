"""Code of the user's own that was given to the runs of this Python process, so that they go on with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class OwnCode:
    """Functions and classes by the names that a study has for them."""

    metrics: Mapping[str, Callable[[Any, Any], Any]] = field(default_factory=dict)
    modules: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """What makes networks, or starts them."""

    def under(self, other: OwnCode) -> OwnCode:
        """Return this code with what was given besides, which replaces what has the same name."""
        return OwnCode({**self.metrics, **other.metrics}, {**self.modules, **other.modules})


_OF_RUNS: dict[Path, OwnCode] = {}
"""Folder of a run -> what it was given; a record keeps no code (law 10)."""


def remember_code(folder: Path, code: OwnCode) -> None:
    """Keep what a run was given for as long as this process lives."""
    _OF_RUNS[folder.resolve()] = recalled(folder).under(code)


def recalled(folder: Path) -> OwnCode:
    """Return what a run was given in this process; nothing where another one began it."""
    return _OF_RUNS.get(folder.resolve(), OwnCode())
