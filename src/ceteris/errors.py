"""The one exception that a user sees: every problem found, each in one clear sentence."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SHOWN = 200
"""Of the text of an exception, so many characters are shown."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: what, where, and what would be right.

    ``where`` is a dotted path (``experiment.optimizer.lr``) or a file's name; ``file`` and
    ``line`` (counted from 1) say where the text stands when it came from a file.
    """

    message: str
    where: str = ""
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = [part for part in (self._position(), self.where) if part]
        return ": ".join([*place, self.message])

    def _position(self) -> str:
        if self.file is None:
            return ""
        return self.file if self.line is None else f"{self.file}:{self.line}"


class CeterisError(Exception):
    """Raised for everything that a user can put right; carries all problems at once.

    The command line prints each problem on a line of its own and exits with code 2.
    """

    def __init__(self, problems: str | Problem | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failure to write a file into one sentence."""
    try:
        yield
    except OSError as error:
        raise CeterisError(f"cannot write {path}: {error.strerror or error}") from error


def exception_in_line(error: BaseException) -> str:
    """Return the type and the beginning of the text of somebody else's exception in one line."""
    text = " ".join(str(error).split())
    shown = text if len(text) <= SHOWN else text[: SHOWN - 4] + " ..."
    return f"{type(error).__name__}: {shown}" if text else type(error).__name__


def nearest(name: str, known: Sequence[str]) -> str | None:
    """Return the known name most like ``name``, or None where nothing is alike."""
    matches = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return matches[0] if matches else None


def _in_part(name: str, known: Sequence[str]) -> str | None:
    """Return the known name that ends like ``name`` behind its last slash, or else holds it."""
    last = {long.rsplit("/", 1)[-1]: long for long in reversed(known)}
    guess = nearest(name, list(last))
    return last[guess] if guess else next((long for long in known if len(name) > 2 and name in long), None)


FEW = 24
"""So many names are listed whole where one is not known."""
NEAREST = 4
"""Of more names so many are told."""


def unknown_name(kind: str, name: object, known: Sequence[str], lister: str = "") -> str:
    """Say that ``name`` does not exist, with the nearest valid name and the others that do.

    Of many names only those most like it are told, and the command (``lister``) that lists all.
    """
    name = str(name)
    guess = nearest(name, known) or _in_part(name, known)
    hint = f"; did you mean `{guess}`?" if guess else ""
    if len(known) <= FEW:
        return f"there is no {kind} `{name}`{hint} (known: {', '.join(known)})"
    others = [one for one in _by_likeness(name, known) if one != guess][:NEAREST]
    rest = f"`{lister}` lists all {len(known)}" if lister else f"{len(known)} are known"
    return f"there is no {kind} `{name}`{hint} (like it: {', '.join(others)}; {rest})"


def _by_likeness(name: str, known: Sequence[str]) -> list[str]:
    """Return the known names, those first that are spelt most like ``name``, whole or behind their slash."""

    def likeness(one: str) -> float:
        parts = (one, one.rsplit("/", 1)[-1])
        return max(difflib.SequenceMatcher(None, name, part).ratio() for part in parts)

    return sorted(known, key=likeness, reverse=True)
