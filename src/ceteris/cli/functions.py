"""``ceteris functions``: activations and losses, tabulated and drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from ceteris.cli.options import AsJson
from ceteris.cli.screen import plain_table, print_json, show
from ceteris.errors import CeterisError, Problem, writing

if TYPE_CHECKING:
    from rich.table import Table

Which = Annotated[Literal["activations", "losses"], Parameter(help="What to tabulate and draw.")]
Beta = Annotated[float, Parameter(help="Where Huber's and the smooth L1 loss turn into lines.")]
Output = Annotated[
    Path | None,
    Parameter(help="Where to write the page with the figures (else ./activations.html, ./losses.html)."),
]


def functions(which: Which, /, *, beta: Beta = 1.0, output: Output = None, as_json: AsJson = False) -> None:
    """Print activations or losses with derivatives, ranges and cost; write a page with their curves."""
    from ceteris.functions.page import curves_of, page_of, table_of

    if not beta > 0:
        raise CeterisError(Problem(f"{beta:g} is not a place to turn; it must be above 0", where="--beta"))
    rows = table_of(which, beta)
    path = output or Path(f"{which}.html")
    with writing(path):
        path.write_text(page_of(which, rows, beta), encoding="utf-8")
    if as_json:
        print_json({"functions": rows, "curves": curves_of(which, beta), "page": str(path)})
        return
    show(*_tables(rows), "", f"curves: {path}")


def _tables(rows: list[dict[str, Any]]) -> list[Table | str]:
    formulas = [(row["name"], row["formula"], row["derivative"]) for row in rows]
    activations = any(row["zero_centred"] is not None for row in rows)
    facts = [
        (
            row["name"],
            row["range"],
            *([("no", "yes")[row["zero_centred"]], row["near_zero"]] if activations else []),
            f"{row['nanoseconds']:.2f}",
        )
        for row in rows
    ]
    headings = ("function", "range", *(["zero-centred", "near 0"] if activations else []), "ns a number")
    return [
        plain_table(("function", "formula", "derivative"), formulas),
        "",
        plain_table(headings, facts, right=(len(headings) - 1,)),
    ]
