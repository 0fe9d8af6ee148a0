"""Short answers to why questions, a page each, tied to a study that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from ceteris.errors import CeterisError, unknown_name

STUDY = "study: "


@dataclass(frozen=True)
class Answer:
    """A question with its page: ``title`` and ``text`` in Markdown, and the named study that shows it."""

    name: str
    title: str
    study: str
    text: str


def questions() -> tuple[str, ...]:
    """Return the names of all questions, sorted."""
    pages = (entry.name for entry in files(__package__).iterdir())
    return tuple(sorted(name.removesuffix(".md") for name in pages if name.endswith(".md")))


def answer(name: str) -> Answer:
    """Return the page of a question. Raises ``CeterisError`` with the nearest name where there is none."""
    if name not in questions():
        raise CeterisError(unknown_name("question", name, list(questions())))
    lines = files(__package__).joinpath(f"{name}.md").read_text(encoding="utf-8").splitlines()
    place = next(index for index, line in enumerate(lines) if line.startswith(STUDY))
    text = "\n".join(lines[place + 1 :]).strip()
    return Answer(name, lines[0].removeprefix("# "), lines[place].removeprefix(STUDY), text)
