"""The dotted paths of a specification's settings, found from its classes."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel


def plain_type(annotation: Any) -> Any:
    """Strip ``Annotated`` and ``| None`` from a type, as far as they do not leave a choice."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
            continue
        branches = choices(annotation)
        real = [branch for branch in branches if branch is not type(None)]
        if len(real) == 1 and len(branches) > 1:
            annotation = real[0]
            continue
        return annotation


def choices(annotation: Any) -> tuple[Any, ...]:
    """Return the branches of a union, or nothing for another type."""
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else ()


def members(annotation: Any) -> tuple[type[BaseModel], ...]:
    """Return the classes that a setting's mapping may become: one, one per ``kind``, or none."""
    kind = plain_type(annotation)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return (kind,)
    classes = tuple(member for branch in choices(kind) for member in members(branch))
    return classes if len(classes) == len(choices(kind)) else ()


def has_kinds(annotation: Any) -> bool:
    """Tell whether the setting is a mapping whose ``kind`` chooses among classes."""
    found = members(annotation)
    return bool(found) and all(_names_itself(member) for member in found)


def _names_itself(member: type[BaseModel]) -> bool:
    """Tell whether a class is chosen by its ``kind``; where it has none by default, that is a setting."""
    return "kind" in member.model_fields and member.model_fields["kind"].default is not None


def kind_name(member: type[BaseModel]) -> str:
    """Return the value of ``kind`` that chooses this class, such as ``adam``."""
    return str(member.model_fields["kind"].default)


def member_for(annotation: Any, kind: object) -> type[BaseModel] | None:
    """Return the class that ``kind`` chooses, the only class there is, or None."""
    found = members(annotation)
    if found and not has_kinds(annotation):
        return found[0]
    return next((member for member in found if kind_name(member) == kind), None)


class Part(NamedTuple):
    """What may stand inside a setting that is more than a value."""

    is_open: bool
    """Whether the user chooses its keys."""
    members: tuple[type[BaseModel], ...]
    kinds: Mapping[str, type[BaseModel]] | None
    """``kind`` -> the class that it chooses; None where there is one class alone."""

    def member(self, kind: object) -> type[BaseModel] | None:
        """Return the class that ``kind`` chooses, the only class there is, or None."""
        if self.kinds is None:
            return self.members[0] if self.members else None
        return self.kinds.get(kind) if isinstance(kind, str) else None


@lru_cache
def parts(owner: type[BaseModel]) -> dict[str, Part]:
    """Return the settings of a class that are mappings themselves, by name."""
    found = {}
    for name, field in owner.model_fields.items():
        inside = members(field.annotation)
        kinds = {kind_name(m): m for m in reversed(inside)} if has_kinds(field.annotation) else None
        if inside or is_open_mapping(field.annotation):
            found[name] = Part(is_open_mapping(field.annotation), inside, kinds)
    return found


def is_list(annotation: Any) -> bool:
    """Tell whether a setting is, or may be, a list whose items can be changed one by one."""
    kind = plain_type(annotation)
    return any(get_origin(plain_type(branch)) in (tuple, list) for branch in (choices(kind) or (kind,)))


def item_members(annotation: Any) -> tuple[type[BaseModel], ...]:
    """Return the classes that an item of a list may become; none where a setting is no list of parts."""
    kind = plain_type(annotation)
    lists = [plain_type(branch) for branch in (choices(kind) or (kind,))]
    return tuple(
        member for own in lists if get_origin(own) in (tuple, list) for member in members(get_args(own)[0])
    )


def leads_into_item(path: str, known: Mapping[str, Any]) -> bool:
    """Tell whether a path leads to a setting inside an item of a list, such as ``model.layers.2.p``.

    ``known`` are the paths with their types up to the list; items are counted from 0.
    """
    names = path.split(".")
    for place, name in enumerate(names[:-1]):
        owners = item_members(known.get(".".join(names[:place]))) if name.isdecimal() else ()
        if owners:
            rest = ".".join(names[place + 1 :])
            parent, _, last = rest.rpartition(".")
            own = {inner: kind for owner in owners for inner, kind in setting_paths(owner).items()}
            if rest in own or (last.isdecimal() and parent in own and is_list(own[parent])):
                return True
            return leads_into_item(rest, own)
    return False


def is_open_mapping(annotation: Any) -> bool:
    """Tell whether a setting is a mapping whose keys the user chooses, such as a module's arguments."""
    return get_origin(plain_type(annotation)) is dict


@lru_cache
def setting_paths(owner: type[BaseModel]) -> dict[str, Any]:
    """Return the dotted path of every setting below a class, with its type.

    Where a ``kind`` chooses among classes, the settings of all of them are included.
    """
    found: dict[str, Any] = {}
    for path, annotation in _walk(owner):
        found.setdefault(path, annotation)
    return found


def _walk(owner: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    for name, field in owner.model_fields.items():
        yield name, field.annotation
        for member in members(field.annotation):
            for path, annotation in _walk(member):
                yield f"{name}.{path}", annotation
