"""The reference of all settings as Markdown, made from the classes themselves.

As two pages: docs/settings.md is about the study, docs/experiment.md about the experiment in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ceteris.spec.labels import format_label
from ceteris.spec.paths import has_kinds, members, plain_type
from ceteris.spec.reference_parts import EXPERIMENT, PARTS, Part, part_of
from ceteris.spec.stacking import ABOUT, stacking_table
from ceteris.spec.synthetic import SYNTHETIC
from ceteris.spec.wording import Spot, allowed, noun

Page = Literal["settings", "experiment"]
HEADS: dict[Page, str] = {
    "settings": """\
# Settings of a study

Everything that a study file may say: each setting with what it may be, its default, and what it means. Made
from the program by `ceteris studies settings`; do not edit. Settings are named by dotted paths, in a file as
nested mappings (`optimizer: {lr: 0.1}` is `optimizer.lr`); `vary`, `--set` and `--vary` take the paths below
`experiment`, without that word. What is wrong or misspelt is refused, with its line and what would be right.
""",
    "experiment": """\
# Settings of an experiment

What stands below `experiment` in a study file: one training run except its seed. Made from the program by
`ceteris studies settings`; do not edit. The study around it is in [settings.md](settings.md).
""",
}
STACKING = "What stacks and what separates"
_START = PARTS.index(EXPERIMENT)
_PARTS: dict[Page, tuple[Part, ...]] = {"settings": PARTS[:_START], "experiment": PARTS[_START:]}


@dataclass(frozen=True)
class _Links:
    """Where headings are: on the page itself (None: everything is on one page) or on the other one."""

    page: Page | None

    def to(self, part: Part) -> str:
        """Return a link to a part."""
        [owner] = (page for page, parts in _PARTS.items() if part in parts)
        return f"[{part.title}]({self._file(owner)}#{anchor(part)})"

    def to_stacking(self) -> str:
        """Return a link to the table of what stacks."""
        return f"[{STACKING}]({self._file('settings')}#{_anchor(STACKING)})"

    def _file(self, owner: Page) -> str:
        return "" if self.page in (None, owner) else f"{owner}.md"


def settings_reference(page: Page | None = None) -> str:
    """Return one page of the reference, or (None) both in one."""
    links, parts = _Links(page), PARTS if page is None else _PARTS[page]
    blocks = [HEADS[page or "settings"], _contents(links), *(_section(part, links) for part in parts)]
    if page != "experiment":
        blocks.append(_stacking())
    return "\n".join(blocks)


def _stacking() -> str:
    return f"## {STACKING}\n\n{ABOUT}\n\n{stacking_table()}\n"


def _contents(links: _Links) -> str:
    parts = PARTS if links.page != "experiment" else _PARTS["experiment"]
    lines = [f"{'  ' * (part.depth - 2)}- {links.to(part)}" for part in parts]
    return "\n".join([*lines, f"- {links.to_stacking()}", ""])


def anchor(part: Part) -> str:
    """Return the name of a part's heading in links."""
    return _anchor(part.title)


def _anchor(title: str) -> str:
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c in "-_")


def _section(part: Part, links: _Links) -> str:
    blocks = [f"{'#' * part.depth} {part.title}", part.about]
    blocks += [f"```yaml\n{example}```" for example in part.examples]
    for owner in part.classes:
        blocks += [*_heading(owner, part), _table(owner, links)]
    return "\n\n".join(blocks) + "\n"


def _heading(owner: type[BaseModel], part: Part) -> Iterator[str]:
    """Yield what tells the classes of one part apart, and what a class is."""
    about = _plain(owner.__doc__ or "")
    kind = owner.model_fields.get("kind")
    if kind is not None and isinstance(kind.default, str):
        yield f"**`kind: {kind.default}`** {about}"
    elif len(part.classes) > 1:
        yield f"**{_name_of(owner)}** {about}"
    else:
        yield about


def _name_of(owner: type[BaseModel]) -> str:
    names = {"GroupSettings": "`biases` and `norms`", "Claim": "A claim", "Dimension": "A range of `space`"}
    names |= {kind.__name__: f"`{name}`" for name, kind in SYNTHETIC.items()}
    return names.get(owner.__name__, f"`{owner.__name__.lower()}`")


def _table(owner: type[BaseModel], links: _Links) -> str:
    rows = [
        _row(name, field, owner, links)
        for name, field in owner.model_fields.items()
        if name != "kind" or not _is_kind(field)
    ]
    if not rows:
        return "It has no settings."
    return "\n".join(["| setting | may be | default | meaning |", "| --- | --- | --- | --- |", *rows])


def _is_kind(field: FieldInfo) -> bool:
    return isinstance(field.default, str)


def _row(name: str, field: FieldInfo, owner: type[BaseModel], links: _Links) -> str:
    cells = (f"`{name}`", _allowed(field, links), _default(field), _meaning(name, field, owner))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _allowed(field: FieldInfo, links: _Links) -> str:
    """Return what a setting may be; where it is a part of its own, where that stands."""
    found = members(field.annotation)
    part = part_of(found[0]) if found else None
    if part is not None:
        more = ", or a kind alone" if has_kinds(field.annotation) else ""
        return f"see {links.to(part)}{more}"
    items = members(_item(field.annotation))
    part = part_of(items[0]) if items else None
    if part is not None:
        return f"a list, each item as in {links.to(part)}"
    return _plain(allowed(field.annotation, field))


def _item(annotation: Any) -> Any:
    """Return the type of a list's items, or of the value itself."""
    kind = plain_type(annotation)
    return get_args(kind)[0] if get_origin(kind) is tuple else kind


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return value_words(field.get_default(call_default_factory=True))


def value_words(value: Any) -> str:
    """Write a default as it would be written in a file."""
    if isinstance(value, BaseModel):
        kind = getattr(value, "kind", None)
        return f"`{kind}`" if kind is not None else "nothing set"
    if value in (None, "", (), {}):
        return "not set"
    if isinstance(value, tuple):
        return f"`[{', '.join(map(format_label, value))}]`"
    return f"`{format_label(value)}`"


def _meaning(name: str, field: FieldInfo, owner: type[BaseModel]) -> str:
    words = _plain(field.description or "")
    if words:
        return words
    named = noun(Spot((name,), owner, field, field.annotation)).removeprefix("valid ")
    return f"{named[:1].upper()}{named[1:]}."


def _plain(text: str) -> str:
    """Return a docstring in one line of Markdown."""
    return " ".join(text.split()).replace("``", "`")
