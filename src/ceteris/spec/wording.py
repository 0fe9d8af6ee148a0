"""Turns what pydantic found into the house's sentences: value, what is wrong, what is right."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from ceteris.errors import Problem, nearest, unknown_name
from ceteris.spec.labels import shown
from ceteris.spec.other_names import code_name, known_as, value_known_as
from ceteris.spec.paths import choices, has_kinds, kind_name, member_for, members, plain_type, setting_paths

LEVEL = "level"
"""Title of the labels of levels, which may be given by their values."""
SHAPES = {
    "Equal": "`{levels: [a, b], margin: 0.01}`",
    "Within": "`{levels: [a], low: 0.5, high: 0.9}`",
    "Dimension": "`{log: [1e-4, 0.1]}`",
    "Interaction": "`{factors: {a: [a1, a2], b: [b1, b2]}, sign: positive}`",
}
"""What relations of a claim and ranges of a search look like that are mappings."""
MISSING = "this setting is missing"
SENTENCE = "sentence"
"""Type of the errors whose message is already a sentence for the user."""


class Spot(NamedTuple):
    """Where in a specification an error lies: path, class that owns the setting, its declaration."""

    path: tuple[str | int, ...]
    owner: type[BaseModel]
    field: FieldInfo | None
    annotation: Any


def problems_of(error: ValidationError, root: type[BaseModel], data: Any, prefix: str = "") -> list[Problem]:
    """Return one problem per wrong setting; ``where`` is its dotted path below ``prefix``.

    A missing setting is not told apart from the misspelt one that was meant for it.
    """
    found: dict[str, Problem] = {}
    meant: set[tuple[str | int, ...]] = set()
    missing: dict[tuple[str | int, ...], str] = {}
    for detail in error.errors(include_url=False):
        spot = _whole_pair(root, detail)
        path = spot.path
        if detail["type"] == SENTENCE and detail["ctx"]["field"]:
            path = (*path, detail["ctx"]["field"])
        where = ".".join(str(part) for part in (prefix, *path) if part != "")
        message = _sentence(detail, spot, _value_at(data, spot.path, detail["input"]))
        found.setdefault(where, Problem(message, where=where))
        if detail["type"] == "missing":
            missing[path] = where
        if detail["type"] == "extra_forbidden":
            meant.add((*path[:-1], _meant(str(path[-1]), list(spot.owner.model_fields)) or ""))
    return [p for where, p in found.items() if where not in {missing.get(path) for path in meant}]


def _whole_pair(root: type[BaseModel], detail: ErrorDetails) -> Spot:
    """Locate an error; an item that a list of fixed length lacks is an error of the list."""
    lacking = detail["type"] == "missing" and isinstance(detail["loc"][-1], int)
    return locate(root, detail["loc"][:-1] if lacking else detail["loc"])


def locate(root: type[BaseModel], loc: Iterable[str | int]) -> Spot:
    """Follow pydantic's location through the classes, leaving out its names of union branches."""
    spot = Spot((), root, None, root)
    for part in loc:
        inner = _step(spot, part)
        if inner is None:
            break
        spot = inner
    return spot


def _step(spot: Spot, part: str | int) -> Spot | None:
    """Go one part of a location deeper; None at the name of a branch of a union."""
    here = plain_type(spot.annotation)
    path = (*spot.path, part)
    if isinstance(here, type) and issubclass(here, BaseModel):
        field = here.model_fields.get(str(part))
        return Spot(path, here, field, field.annotation if field else None)
    if has_kinds(here):
        return spot._replace(annotation=member_for(here, part))
    if get_origin(here) in (tuple, list, dict):
        return spot if part == "[key]" else spot._replace(path=path, annotation=_item_type(here, part))
    return None


def _item_type(node: Any, part: str | int) -> Any:
    arguments = get_args(node)
    if get_origin(node) is dict:
        return arguments[1]
    repeated = len(arguments) == 2 and arguments[1] is Ellipsis
    return arguments[0] if repeated or not isinstance(part, int) else arguments[min(part, len(arguments) - 1)]


def _value_at(data: Any, path: Sequence[str | int], otherwise: Any) -> Any:
    for part in path:
        inside = isinstance(data, Mapping) and part in data
        if not inside and not (isinstance(data, list | tuple) and isinstance(part, int) and part < len(data)):
            return otherwise
        data = data[part]
    return data


def _sentence(detail: ErrorDetails, spot: Spot, value: Any) -> str:
    match detail["type"]:
        case "sentence":
            return detail["msg"]
        case "extra_forbidden":
            return unknown_setting(str(spot.path[-1]), spot.owner)
        case "missing" if isinstance(detail["loc"][-1], str):
            return f"{MISSING}; it must be {allowed(spot.annotation, spot.field)}"
        case "union_tag_invalid" | "union_tag_not_found":
            return _wrong_kind(spot, value)
        case "invalid_key":
            return f"{shown(value)} is not a name of a setting"
    return wrong_value(value, spot)


def unknown_setting(name: str, owner: type[BaseModel]) -> str:
    """Say that a class has no such setting, with the nearest one here or one of that name elsewhere."""
    known = list(owner.model_fields)
    of_kind = f" for `{kind_name(owner)}`" if has_kinds(owner) else ""
    guess = _meant(name, known)
    if guess is None:
        deeper = {path.rsplit(".", 1)[-1]: path for path in reversed(setting_paths(owner))}
        guess = deeper.get(nearest(name, list(deeper)) or "")
    hint = f"; did you mean `{guess}`?" if guess else f" (known: {', '.join(known)})"
    return f"there is no such setting{of_kind}{hint}"


def _meant(name: str, known: Sequence[str]) -> str | None:
    """Return the setting that a name most likely means: what others call so, or one spelt alike."""
    return known_as(name, known) or nearest(name, known)


def _wrong_kind(spot: Spot, value: Any) -> str:
    kinds = [kind_name(member) for member in members(spot.annotation)]
    name = noun(spot)
    kind = value.get("kind") if isinstance(value, Mapping) else value
    if (message := _elsewhere(kind, name, kinds)) is not None:
        return message
    if isinstance(kind, str):
        return unknown_name(name, kind, kinds)
    if kind is None and isinstance(value, Mapping):
        return f"`kind` is missing; it must be one of {', '.join(kinds)}"
    return f"{shown(kind)} is not a kind of {name}; it must be one of {', '.join(kinds)}"


def _elsewhere(value: Any, noun: str, known: Sequence[str]) -> str | None:
    """Say how a choice that was given as code, or by its name in torch, is called here; None for others."""
    code = code_name(value)
    guess = value_known_as(code or value, known) if code or isinstance(value, str) else None
    if code is None:
        return None if guess is None else f"there is no {noun} `{value}`; here it is called `{guess}`"
    what = f"here `{code}` is called `{guess}`" if guess else f"it is one of {', '.join(known)}"
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun} is given by its name, not as code; {what}"


def wrong_value(value: Any, spot: Spot) -> str:
    """Say that a value is not what its setting stands for, and what would be."""
    name = noun(spot)
    names = literals(spot.annotation)
    if has_kinds(plain_type(spot.annotation)):
        known = [kind_name(member) for member in members(spot.annotation)]
    else:
        known = [] if allowed_others(spot) else names
    if known and (message := _elsewhere(value, name, known)) is not None:
        return message
    if isinstance(value, str) and names and len(value) < 40:
        others = allowed_others(spot)
        return unknown_name(name, value, names) + (f", or give {others}" if others else "")
    text = allowed(spot.annotation, spot.field)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        text = text.removeprefix("a number ").removeprefix("of ")
    article = "an" if name[0] in "aeiou" else "a"
    meant = _meant_number(value, text) if isinstance(value, str) else None
    hint = "" if meant is None else f"; did you mean {meant}?"
    return f"{shown(value)} is not {article} {name}; it must be {text}{hint}"


def _meant_number(value: str, wanted: str) -> str | None:
    """Return the number that commas or a percent sign stand for, where a number is wanted."""
    if wanted.startswith("a whole number"):
        grouped = re.fullmatch(r"\d{1,3}(,\d{3})+", value)
        return value.replace(",", "") if grouped else None
    found = re.fullmatch(r"(\d+)(?:[.,](\d+))? ?(%?)", value)
    if found is None or not wanted.startswith("a number"):
        return None
    number = float(f"{found[1]}.{found[2] or 0}")
    return f"{number / 100 if found[3] else number:g}"


def noun(spot: Spot) -> str:
    """Return what the setting stands for: its declared title, else its name in words."""
    if spot.path and isinstance(spot.path[-1], int):
        return _own_title(spot.annotation) or f"valid item of {_named(spot.path)}"
    title = spot.field.title if spot.field and spot.field.title else _title(spot.annotation)
    if title:
        return title
    return f"valid {_named(spot.path)}" if spot.path else spot.owner.__name__.lower()


def _title(annotation: Any) -> str | None:
    """Return the title that a type carries itself, for a setting that may be left out."""
    parts = [part for branch in choices(annotation) for part in get_args(branch)]
    return next((part.title for part in parts if isinstance(part, FieldInfo) and part.title), None)


def _own_title(annotation: Any) -> str | None:
    """Return the title that is declared on a type itself, such as that of a list's items."""
    declared = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    return next((part.title for part in declared if isinstance(part, FieldInfo) and part.title), None)


def _named(path: Sequence[str | int]) -> str:
    return next((part.replace("_", " ") for part in reversed(path) if isinstance(part, str)), "the list")


def literals(annotation: Any) -> list[str]:
    """Return the names that a setting may have."""
    kind = plain_type(annotation)
    found = [name for branch in choices(kind) for name in literals(branch)]
    return list(get_args(kind)) if get_origin(kind) is Literal else found


def allowed_others(spot: Spot) -> str:
    """Describe what a setting with names may be besides them."""
    branches = choices(plain_type(spot.annotation))
    return " or ".join(allowed(branch) for branch in branches if get_origin(branch) is not Literal)


def allowed(annotation: Any, field: FieldInfo | None = None) -> str:
    """Describe in words what a type and its bounds allow."""
    metadata: list[Any] = list(field.metadata) if field else []
    while get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        metadata += more
    if annotation is str and any(isinstance(m, FieldInfo) and m.title == LEVEL for m in metadata):
        return "the label or value of a level"
    branches = choices(annotation)
    if branches and not members(annotation):
        given = [branch for branch in branches if branch is not type(None)]
        return _either([allowed(Annotated[b, *metadata] if metadata else b) for b in given])
    return _allowed_plain(annotation, _bounds(metadata))


def _either(texts: Sequence[str]) -> str:
    """Join alternatives; a list of what the first alternative is, is called a list of these."""
    first, *others = dict.fromkeys(texts)
    return ", or ".join([first, *(text.replace(f", each item {first}", " of these") for text in others)])


def _allowed_plain(kind: Any, bounds: Mapping[str, Any]) -> str:
    simple = {bool: "true or false", str: "text", type(None): "null"}
    if kind in simple:
        return simple[kind]
    if kind in (int, float):
        text = " ".join(["a whole number" if kind is int else "a number", *_range(bounds)])
        return text.replace("number at", "number of at")
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(map(str, get_args(kind)))
    if get_origin(kind) in (tuple, list):
        return _allowed_list(get_args(kind), bounds)
    return _allowed_mapping(kind)


def _allowed_mapping(kind: Any) -> str:
    if has_kinds(kind):
        return "a mapping with a `kind`: " + ", ".join(kind_name(member) for member in members(kind))
    if members(kind) and members(kind)[0].__name__ in SHAPES:
        return f"a mapping such as {SHAPES[members(kind)[0].__name__]}"
    if members(kind):
        return "a mapping of settings (" + ", ".join(members(kind)[0].model_fields) + ")"
    return "a mapping"


def _allowed_list(items: tuple[Any, ...], bounds: Mapping[str, Any]) -> str:
    if len(items) == 2 and items[1] is Ellipsis:
        least = bounds.get("min_length")
        size = f"a list of {least} or more items" if least else "a list"
        return f"{size}, each item {allowed(items[0])}"
    return f"a list of {len(items)} items, each item {allowed(items[0])}"


def _bounds(metadata: Iterable[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in metadata:
        parts = item.metadata if isinstance(item, FieldInfo) else [item]
        for part in parts:
            for name in ("gt", "ge", "lt", "le", "min_length"):
                if getattr(part, name, None) is not None:
                    found[name] = getattr(part, name)
    return found


def _range(bounds: Mapping[str, Any]) -> list[str]:
    if "ge" in bounds and "le" in bounds:
        return [f"from {bounds['ge']:,} to {bounds['le']:,}"]
    words = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
    parts = [f"{word} {bounds[name]:,}" for name, word in words.items() if name in bounds]
    return [" and ".join(parts)] if parts else []
