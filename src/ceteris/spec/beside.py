"""What else is wrong beside values of the wrong kind, told in the same breath.

Checks of several settings together run only where each of them is valid by itself. So what is wrong by itself
is left out of a copy, and the rest is checked again. Of what comes up then, nothing counts that mentions a
setting which was left out: that may be wrong only because it is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from pydantic import BaseModel, ValidationError

from ceteris.errors import Problem
from ceteris.spec.claim import RELATIONS, Claim
from ceteris.spec.wording import MISSING, problems_of

ROUNDS = 4
"""So often something is left out; what comes up after that is told the next time."""
ANY_LEVELS = {"within": {"low": 0}}
"""A relation that names no levels, in the place of one that is wrong."""


def all_problems(error: ValidationError, kind: type[BaseModel], settings: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with settings, by themselves and together."""
    told, gone, left = list(problems_of(error, kind, settings)), [], deepcopy(dict(settings))
    new: Sequence[Problem] = told
    for _ in range(ROUNDS):
        taken = [_leave_out(left, where) for where in dict.fromkeys(problem.where for problem in new)]
        if not any(taken):
            break
        gone += [where for where in taken if where]
        try:
            kind.model_validate(left)
            break
        except ValidationError as other:
            new = problems_of(other, kind, left)
        told += _unrelated(new, gone)
    return told


def claim_without_mistakes(settings: Any) -> Claim | None:
    """Return what a claim that is wrong by itself says of metric, factor and levels; None where nothing."""
    if not isinstance(settings, Mapping):
        return None
    try:
        return Claim.model_validate(settings)
    except ValidationError as error:
        wrong = {problem.where.split(".")[0] for problem in problems_of(error, Claim, settings)}
    kept = {name: value for name, value in settings.items() if name not in wrong}
    relation = {name: kept[name] for name in RELATIONS if name in kept}
    said = {name: kept[name] for name in ("metric", "factor", "where") if name in kept}
    try:
        return Claim.model_validate({"text": "-"} | said | (relation if len(relation) == 1 else ANY_LEVELS))
    except ValidationError:
        return None


def _unrelated(problems: Sequence[Problem], gone: Sequence[str]) -> Iterator[Problem]:
    """Yield the problems that neither lie at or around a setting that was left out, nor mention it.

    What is missing was told before, or it is missing because it was left out under another name.
    """
    names = {where.rsplit(".", 1)[-1] for where in gone}
    around = tuple(f"{where}." for where in gone)
    for problem in problems:
        words = set(re.findall(r"\w+", f"{problem.message} {problem.where}"))
        lies_around = any(where.startswith(f"{problem.where}.") for where in around)
        if not names & words and not lies_around and not problem.message.startswith(MISSING):
            yield problem


def _leave_out(settings: dict[str, Any], where: str) -> str:
    """Take the setting at a dotted place out, or the nearest one around it; return which ("": none)."""
    parts = where.split(".")
    for end in range(len(parts), 0, -1):
        around: Any = settings
        for part in parts[: end - 1]:
            around = _inside(around, part)
        if isinstance(around, dict) and parts[end - 1] in around:
            del around[parts[end - 1]]
            return ".".join(parts[:end])
    return ""


def _inside(settings: Any, part: str) -> Any:
    if isinstance(settings, list) and part.isdigit() and int(part) < len(settings):
        return settings[int(part)]
    return settings.get(part) if isinstance(settings, dict) else None
