"""``ceteris why``: short answers, each tied to a study that shows it."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from ceteris.cli.options import AsJson
from ceteris.cli.screen import plain_table, print_json, show

Question = Annotated[str | None, Parameter(help="A question by its name; without one, all are listed.")]


def why(question: Question = None, /, *, as_json: AsJson = False) -> None:
    """Answer a why question in a page, with the study that shows it."""
    from ceteris.why import answer, questions

    found = [answer(name) for name in (questions() if question is None else [question])]
    if as_json:
        print_json(
            {"answers": [{"name": a.name, "title": a.title, "study": a.study, "text": a.text} for a in found]}
        )
    elif question is None:
        rows = [(a.name, a.title) for a in found]
        show(plain_table(("question", "in words"), rows), "", "ceteris why QUESTION prints one.")
    else:
        (one,) = found
        show(one.title, "", one.text, "", f"shown by: ceteris run {one.study}")
