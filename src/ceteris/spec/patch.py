"""Patches: changed copies of an experiment, by dotted paths such as ``optimizer.lr``."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from ceteris.errors import CeterisError, Problem, nearest
from ceteris.spec.base import Spec
from ceteris.spec.experiment import Experiment
from ceteris.spec.layers import written_out
from ceteris.spec.other_names import known_as
from ceteris.spec.paths import is_list, is_open_mapping, leads_into_item, member_for, parts, setting_paths
from ceteris.spec.plain import plain_data
from ceteris.spec.wording import problems_of

ROOT = "experiment"


def apply_patch(experiment: Experiment, patch: Mapping[str, Any]) -> Experiment:
    """Return the experiment with the settings at some dotted paths replaced, validated again.

    A path may name a whole part (``optimizer``), a setting (``optimizer.lr``) or an item of a
    list (``model.hidden.0``). Whole parts are replaced before settings inside them. A new
    ``optimizer.kind`` keeps the settings that the new kind has.

    Raises:
        CeterisError: for paths that do not exist and values that are not possible.
    """
    problems = [Problem(found, where=path) for path in patch if (found := path_problem(path))]
    if problems:
        raise CeterisError(problems)
    patched, problems = checked(patched_settings(complete(plain_data(experiment)), patch))
    if patched is None:
        raise CeterisError(problems)
    return patched


def checked(settings: Mapping[str, Any]) -> tuple[Experiment | None, list[Problem]]:
    """Return the experiment with these settings, or None and every problem in them."""
    try:
        return Experiment.model_validate(settings), []
    except ValidationError as error:
        return None, problems_of(error, Experiment, settings, ROOT)


def own_path(path: str) -> str:
    """Return a path below the experiment, whether or not it starts with ``experiment.``."""
    return path.removeprefix(ROOT + ".")


def path_problem(path: str) -> str | None:
    """Say what is wrong with a dotted path of an experiment, or return None."""
    known = setting_paths(Experiment)
    parent, _, item = path.rpartition(".")
    if path in known or (item.isdecimal() and parent in known and is_list(known[parent])):
        return None
    if (item and parent in known and is_open_mapping(known[parent])) or leads_into_item(path, known):
        return None
    guess = _meant(path, list(known))
    hint = (
        f"; did you mean `{guess}`?"
        if guess
        else f" (known: {', '.join(Experiment.model_fields)}, and below)"
    )
    return f"there is no setting `{path}` in an experiment{hint}"


def _meant(path: str, known: list[str]) -> str | None:
    """Return the setting that a path most likely means: one of its part, one of its name, one alike."""
    parent, _, name = path.rpartition(".")
    beside = {other.rpartition(".")[2]: other for other in known if other.rpartition(".")[0] == parent}
    here = known_as(name, list(beside)) or (nearest(name, list(beside)) if parent else None)
    if here is not None:
        return beside[here]
    wanted = known_as(name, [other.rpartition(".")[2] for other in known]) or path
    same_name = [other for other in known if other.rpartition(".")[2] == wanted]
    return same_name[0] if same_name else nearest(path, known)


def complete(settings: Mapping[str, Any], owner: type[BaseModel] = Experiment) -> dict[str, Any]:
    """Return settings with short forms written out and parts that were left out filled in.

    ``optimizer: adam`` becomes ``optimizer: {kind: adam}``, so that a path can lead into it.
    Values that do not fit are left as they are, for the validation to name.
    """
    filled = dict(settings)
    for name, part in parts(owner).items():
        field = owner.model_fields[name]
        if part.is_open and not field.is_required():
            filled.setdefault(name, {})
        if not part.members:
            continue
        value = filled.get(name)
        kinds = part.kinds is not None
        if value is None and isinstance(field.default, Spec) and name not in filled:
            value = {"kind": getattr(field.default, "kind", None)} if kinds else {}
        if isinstance(value, str) and (kinds or name == "data"):
            value = {"kind" if kinds else "source": value}
        if isinstance(value, Mapping):
            member = part.member(value.get("kind"))
            filled[name] = complete(value, member) if member else dict(value)
    return filled


def patched_settings(settings: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return completed settings with a patch of known paths applied; nothing is validated.

    Raises:
        CeterisError: where an item of a list is named that the list does not have.
    """
    patched = copy.deepcopy(dict(settings))
    for path in sorted(patch, key=_outer_first):
        _set(patched, path, copy.deepcopy(patch[path]))
        patched = complete(patched)
    return patched


def _outer_first(path: str) -> tuple[int, bool]:
    """Order paths so that a part is replaced before its kind, and its kind before its settings."""
    return path.count("."), not path.endswith("kind")


def _set(settings: dict[str, Any], path: str, value: Any) -> None:
    *outer, last = path.split(".")
    part: Any = settings
    if path == "data.source" and "data" not in settings:
        settings["data"] = {}  # it has no default that could be changed
    for name in outer:
        part = _inner(part, name)
    if isinstance(part, dict):
        if last == "kind" and ".".join(outer) in setting_paths(Experiment):
            _forget_defaults_of_old_kind(part, ".".join(outer), value)
        part[last] = value
    elif isinstance(part, list) and last.isdecimal() and int(last) < len(part):
        part[int(last)] = value
    else:
        raise CeterisError(Problem(_no_such_item(part, ".".join(outer), last), where=path))


def _inner(part: Any, name: str) -> Any:
    """Return what a name leads to; a layer in a list is written out, so that its settings can be changed."""
    if isinstance(part, list) and name.isdecimal() and int(name) < len(part):
        with suppress(PydanticCustomError):  # the validation says what is wrong with it
            part[int(name)] = written_out(part[int(name)])
        return part[int(name)]
    return part.get(name) if isinstance(part, dict) else None


def _no_such_item(part: Any, parent: str, last: str) -> str:
    if isinstance(part, list):
        return f"there is no item {last} in `{parent}`, which has {len(part)}, counted from 0"
    if last.isdecimal():
        return f"`{parent}` is not a list here, so it has no item {last}"
    return f"`{parent}` is not set here, so `{last}` cannot be changed; set `{parent}` as a whole"


def _forget_defaults_of_old_kind(part: dict[str, Any], path: str, new_kind: object) -> None:
    """Drop what the new kind does not have, unless it was set to something of the user's own."""
    annotation = setting_paths(Experiment)[path]
    old, new = member_for(annotation, part.get("kind")), member_for(annotation, new_kind)
    if old is None or new is None:
        return
    for name, field in old.model_fields.items():
        default = plain_data(field.default) if not field.is_required() else None
        if name in part and name not in new.model_fields and part[name] == default:
            del part[name]


def resolve_kinds(settings: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return a patch in which a changed ``kind`` is written as the whole part that results from it.

    What a new kind keeps depends on which settings the base gives; the resolved patch does not,
    so that a record of the study repeats exactly.
    """
    nodes = [path.rpartition(".")[0] for path in patch if path.endswith(".kind")]
    outer = [node for node in nodes if not any(node.startswith(other + ".") for other in nodes)]
    if not outer:
        return dict(patch)
    patched = patched_settings(settings, patch)
    rest = {p: v for p, v in patch.items() if not any(p == n or p.startswith(n + ".") for n in outer)}
    for node in outer:
        rest[node] = _without_empty(_at(patched, node))
    return rest


def _without_empty(part: Any) -> Any:
    """Leave out the parts that were filled in only so that a path could lead into them."""
    if not isinstance(part, dict):
        return part
    return {name: _without_empty(value) for name, value in part.items() if value != {}}


def _at(settings: Any, path: str) -> Any:
    for name in path.split("."):
        settings = settings[int(name) if isinstance(settings, list) else name]
    return settings
