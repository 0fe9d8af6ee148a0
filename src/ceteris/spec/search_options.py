"""What the command line and Python change in the search of a study before it is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ceteris.errors import CeterisError, Problem
from ceteris.spec.document import parse_value
from ceteris.spec.draft import Draft
from ceteris.spec.labels import shown
from ceteris.spec.patch import own_path

EXAMPLE = "optimizer.lr='{log: [1e-4, 0.1]}'"
LEFT_OUT = ("vary", "combine", "claims")


def apply_search(draft: Draft, spaces: Sequence[str], changes: Mapping[str, Any]) -> None:
    """Make a study a search, or change the one that it has.

    Args:
        draft: the study.
        spaces: dimensions to add or replace, each ``path=...`` in YAML, such as ``lr={log: [1e-4, 0.1]}``.
        changes: settings of the search by name; a ``space`` replaces the study's own.
    """
    given = draft.data.get("search")
    if given is not None and not isinstance(given, Mapping):
        return  # the validation of the study says so
    search = dict(given or {})
    for name, value in changes.items():
        search[name] = value
        draft.replace(f"search.{name}", f"--{name} {shown(value)}")
    if "space" in changes:  # from Python, where the path of a range says enough
        del draft.options["search.space"]
        draft.lines = {path: n for path, n in draft.lines.items() if path != "search.space"}
    space = search.get("space", {})
    if isinstance(space, Mapping):
        search["space"] = dict(space) | _read(draft, spaces)
    if not search["space"] and not draft.problems:
        message = f"the study has no `search`; say where to search, such as --space {EXAMPLE}"
        draft.problems.append(Problem(message))
        if given is None:
            return  # the study is checked as what it is, with its own levels and claims
    if (spaces or "space" in changes) and any(draft.data.get(name) for name in LEFT_OUT):
        draft.data = {name: value for name, value in draft.data.items() if name not in LEFT_OUT}
        draft.notes.append("the study's own levels and claims are left out: a search trains candidates")
    draft.data["search"] = search


def _read(draft: Draft, spaces: Sequence[str]) -> dict[str, Any]:
    found = {}
    for text in spaces:
        path, equals, value = text.partition("=")
        option = f"--space {text}"
        if not equals:
            draft.problems.append(Problem(f"this is not `path=range`, such as {EXAMPLE}", where=option))
            continue
        path = own_path(path.strip())
        draft.replace(f"search.space.{path}", option)
        try:
            found[path] = parse_value(value)
        except CeterisError as error:
            draft.problems += [Problem(problem.message, where=option) for problem in error.problems]
    return found
