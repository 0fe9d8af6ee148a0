"""A study as plain data before it is checked, with the origin of each of its parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ceteris.errors import Problem

UNNAMED = ("this setting", "there is no such setting")
"""How messages begin that do not name what they are about: its path stands before them."""


@dataclass
class Draft:
    """A study as plain data on its way to being checked, and where each part of it came from."""

    data: dict[str, Any]
    lines: dict[str, int] = field(default_factory=dict)
    file: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    """Dotted path -> the option that replaced what stands there, such as ``--set optimizer.lr=-1``."""
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def located(self, problem: Problem) -> Problem:
        """Return a problem with the option, or the file and line, that its dotted path came from."""
        if problem.file is not None or problem.where.startswith("--"):
            return problem
        path = problem.where
        while True:
            if path in self.options:
                return Problem(problem.message, where=_inside(self.options[path], path, problem))
            if path in self.lines or not path:
                return Problem(problem.message, problem.where, self.file, self.lines.get(path))
            path = path.rpartition(".")[0]

    def replace(self, path: str, option: str) -> None:
        """Remember that an option replaced what stands at a path and below."""
        for old in [old for old in self.options if old == path or old.startswith(path + ".")]:
            del self.options[old]
        for old in [old for old in self.lines if old.startswith(path + ".")]:
            del self.lines[old]
        self.options[path] = option


def _inside(option: str, path: str, problem: Problem) -> str:
    """Name the option that set ``path``, and what inside its value is meant by "this setting"."""
    inner = problem.where.removeprefix(path).lstrip(".")
    unnamed = problem.message.startswith(UNNAMED)
    return f"{option}: {inner}" if inner and unnamed else option
