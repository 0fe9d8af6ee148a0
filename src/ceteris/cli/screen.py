"""Where the command writes: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table


def show(*parts: RenderableType) -> None:
    """Print results: text as it stands, other parts as wide and as coloured as the terminal has it.

    A line (Rich's ``Text``) that is too wide for the terminal goes on in the next one, or ends in an ellipsis
    where it says ``no_wrap``; elsewhere it is whole.
    """
    from rich.text import Text

    from ceteris.cli.console import ResultConsole

    console = ResultConsole(highlight=False)
    for part in parts:
        if isinstance(part, str):
            print(part)
        elif isinstance(part, Text):
            if console.is_terminal:
                console.print(part, no_wrap=part.no_wrap, overflow=part.overflow)
            else:
                print(part.plain)
        elif console.is_terminal:
            console.print(part)
        else:
            with console.capture() as captured:
                console.print(part)
            print(*(line.rstrip() for line in captured.get().splitlines()), sep="\n")


def columns() -> int:
    """Return how many characters fit in a line of standard output."""
    from ceteris.cli.console import ResultConsole

    return ResultConsole().width


def messages() -> Console:
    """Return the console for progress and messages."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def tell(text: str) -> None:
    """Write one message to standard error; one that nobody reads any more is dropped."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def print_json(content: Mapping[str, Any]) -> None:
    """Print one JSON object, in ASCII so that every terminal and pipe takes it."""
    from ceteris.api.output import without_infinities

    print(json.dumps(without_infinities(content), indent=2, allow_nan=False))


def plain_table(headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> Table:
    """Return a table without a frame; ``right`` lists the columns whose cells are numbers."""
    table = _bare_table()
    for index, heading in enumerate(headings):
        number = index in right
        side: Any = "right" if number else "left"
        table.add_column(heading, justify=side, no_wrap=number or index == 0, overflow="fold")
    _add_rows(table, rows)
    return table


def number_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Return a table without a frame whose first cells are folded between words, and the others never."""
    table = _bare_table()
    table.add_column(headings[0], overflow="fold")
    for heading in headings[1:]:
        table.add_column(heading, no_wrap=True)
    _add_rows(table, rows)
    return table


def _bare_table() -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(box=SIMPLE_HEAD, padding=(0, 1), show_edge=False, pad_edge=False)


def _add_rows(table: Table, rows: Sequence[Sequence[str]]) -> None:
    from rich.text import Text

    for row in rows:
        table.add_row(*map(Text, row))  # square brackets in them are no markup


def facts_table(facts: Mapping[str, str]) -> Table:
    """Return names and what they stand for, in two columns."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, value in facts.items():
        table.add_row(Text(name), Text(value, overflow="fold"))
    return table
