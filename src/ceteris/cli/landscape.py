"""``ceteris landscape``: the loss around the networks of a run, and how flat their minima are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ceteris.cli.counting import counting
from ceteris.cli.options import AllowCode, AsJson, DataDir, RunName, RunsDir
from ceteris.cli.screen import number_table, print_json, show
from ceteris.errors import writing

if TYPE_CHECKING:
    from rich.console import RenderableType

Weights = Annotated[
    str | None,
    Parameter(
        help="Two weights to look along, such as `head.weight[0,0] head.weight[0,1]` (else two random "
        "directions)."
    ),
]


def landscape(
    run: RunName,
    /,
    *,
    level: Annotated[str | None, Parameter(help="One level of the run (else all, up to 12).")] = None,
    weights: Weights = None,
    radius: Annotated[
        float, Parameter(help="How far random directions go, in shares of each filter's norm.")
    ] = 1.0,
    points: Annotated[int, Parameter(help="Points along each direction.")] = 21,
    seed: Annotated[int, Parameter(help="Of the random directions.")] = 0,
    rows: Annotated[
        int | None,
        Parameter(
            help="Training rows, and validation rows, to compute losses on, at most (else from 200 to 1,000, "
            "the fewer the larger the networks)."
        ),
    ] = None,
    svg: Annotated[Path | None, Parameter(name="--svg", help="Write the pictures to this file too.")] = None,
    data_dir: DataDir = None,
    runs_dir: RunsDir = None,
    allow_code: AllowCode = False,
    as_json: AsJson = False,
) -> None:
    """Draw the loss around trained weights into a run's report, and tell how flat the minima are."""
    from ceteris.api.landscape import run_landscape
    from ceteris.api.own_code import referenced
    from ceteris.api.runs import load_run
    from ceteris.report.landscape import landscape_section, landscape_svg

    result = load_run(run, runs_dir=runs_dir)
    code = referenced(result.run, allow_code=allow_code)
    with counting("points") as progress:
        found = run_landscape(
            result.run,
            level=level,
            weights=None if weights is None else weights.split(),
            radius=radius,
            points=points,
            seed=seed,
            rows=rows,
            data_dir=data_dir,
            model=code.modules,
            progress=progress,
        )
    report = load_run(result.id, runs_dir=runs_dir).report()
    if svg is not None:
        _write(svg, landscape_svg(found.to_dict()))
    if as_json:
        print_json({**found.to_dict(), "report": str(report), "svg": None if svg is None else str(svg)})
        return
    section = landscape_section(found.to_dict())
    heading = (
        "By how much the training loss rises in random directions; the less, the flatter the minimum.\n"
        f"On {found.rows:,} training rows, evenly chosen, or on all if fewer (--rows)."
    )
    show(heading, *(() if section is None else _tables(section.rows)))
    show("", *([f"pictures: {svg}"] if svg is not None else []), f"report: {report}#landscape")


def _tables(rows: Sequence[tuple[str, tuple[str, ...]]]) -> Iterator[RenderableType]:
    """Yield how far the loss rises around each level, and beside the first: together they are too wide."""
    yield from ("", number_table(("level", "radius", "rise", "largest", "seeds"), _columns(rows, 0, 1, 2, 4)))
    others = [row for row in rows if row[0] != rows[0][0]]
    if others:
        yield from (
            "",
            number_table(("level", "radius", "rise against the first level"), _columns(others, 0, 3)),
        )


def _columns(rows: Sequence[tuple[str, tuple[str, ...]]], *places: int) -> list[tuple[str, ...]]:
    return [(level, *(cells[place] for place in places)) for level, cells in rows]


def _write(path: Path, content: str) -> None:
    with writing(path):
        path.write_text(content, encoding="utf-8")
