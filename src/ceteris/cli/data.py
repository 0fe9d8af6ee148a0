"""``ceteris data``: the data sets, their facts, and fetching them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from ceteris.cli import screen
from ceteris.cli.groups import SETUP
from ceteris.cli.options import AsJson, DataDir, DataName
from ceteris.cli.screen import facts_table, plain_table, print_json, tell
from ceteris.errors import CeterisError, Problem

if TYPE_CHECKING:
    from ceteris.data import Dataset

OPTIONS = {"experiment.data.source": "", "experiment.data.target": "--target"}
"""What problems with settings of an experiment are about here."""

Checksum = Annotated[
    str | None, Parameter(help="MD5, SHA-1 or SHA-256 of a file at an address, in hexadecimal digits.")
]

app = App(name="data", group=SETUP, help="The data sets: what there is, what is in them, fetching them.")

USUAL_FOLDS, FEWEST_FOLDS = 5, 2
FoldCount = Annotated[
    int | None,
    Parameter(help=f"Of a table: folds whose features are counted (else {USUAL_FOLDS})."),
]
Examples = Annotated[
    Path | None,
    Parameter(help="Where to write the picture of 10 random examples per class (else ./NAME-examples.svg)."),
]


@app.default
@app.command(name="list")
def list_data(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the named data sets and where their files lie."""
    from ceteris.data import list_sources

    found = list_sources(data_dir)
    if as_json:
        entries = [{"name": s.name, "description": s.description, "place": s.place} for s in found]
        print_json({"data": entries})
        return
    rows = [(s.name, s.description, s.place or "not here: ceteris data fetch " + s.name) for s in found]
    screen.show(plain_table(("data", "what it is", "where it lies"), rows))


@app.command
def show(
    name: DataName,
    /,
    *,
    examples: Examples = None,
    target: Annotated[str | None, Parameter(help="The column of a table of your own to predict.")] = None,
    folds: FoldCount = None,
    checksum: Checksum = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Print shapes, types, classes, counts and ranges; write a picture of random examples.

    Of a table also what its columns became, and which features the folds of a cross-validation lack.
    """
    from ceteris.cli.loading import loading_progress
    from ceteris.cli.table_facts import show_table
    from ceteris.data import facts, load
    from ceteris.data.doubts import doubts, identifier_problems
    from ceteris.data.folded_features import features_by_fold

    with loading_progress() as report, _without_path():
        dataset = load(_reading(name, target, checksum), data_dir, report=report)
    known, by_fold = facts(dataset), features_by_fold(dataset, _fold_count(dataset, folds))
    picture, speed = _write_examples(dataset, examples), _fetching(dataset, name)
    doubtful = (*identifier_problems(dataset), *doubts(dataset))
    for doubt in doubtful:
        tell(doubt)
    if as_json:
        more = {"doubts": doubtful} | ({} if by_fold is None else {"folds": by_fold.to_json()})
        print_json({**known, **more, "examples": picture, "fetched_rows_per_second": speed})
        return
    _print_facts(known, speed)
    if by_fold is not None:
        show_table(known["columns"], by_fold)
    _print_classes(known, picture)


@app.command
def fetch(
    name: DataName, /, *, checksum: Checksum = None, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Download a data set, or a file at an address, where it is missing; files that are right are kept."""
    from ceteris.cli.loading import loading_progress
    from ceteris.data import fetch as fetch_files

    with loading_progress() as report, _without_path():
        place = fetch_files(_reading(name, None, checksum), data_dir, report)
    if as_json:
        print_json({"name": name, "place": place})
    else:
        print(f"{name}: {place}")


def _reading(name: str, target: str | None, checksum: str | None) -> str:
    """Return what is read, with what options say of it. Raises ``CeterisError`` where they do not fit."""
    from ceteris.spec.addresses import is_url, plain_checksum
    from ceteris.spec.data import DataSpec, is_table_file

    if target is not None and not is_table_file(name):
        raise CeterisError(Problem(f"`{name}` is no table of your own; leave it out", where="--target"))
    if checksum is None:
        return name if target is None else DataSpec(source=name, target=target).reading
    if not is_url(name):
        raise CeterisError(Problem(f"`{name}` is not at an address; leave it out", where="--checksum"))
    try:
        return DataSpec(source=name, target=target, checksum=plain_checksum(checksum)).reading
    except ValueError as error:
        raise CeterisError(
            Problem(f"`{checksum}` is no MD5, SHA-1 or SHA-256", where="--checksum")
        ) from error


def _fetching(dataset: Dataset, name: str) -> float | None:
    """Return how many rows a second can be fetched; None where they cannot be split or scaled as they are."""
    from ceteris.data import Preparation
    from ceteris.data.fetching import fetched_rows_per_second
    from ceteris.spec.data import DataSpec

    try:
        prepared = Preparation(dataset).prepare(DataSpec(source=name), 0)
    except CeterisError:
        return None
    return fetched_rows_per_second(prepared)


def _fold_count(dataset: Dataset, asked: int | None) -> int:
    """Return how many folds of a table are looked at. Raises ``CeterisError`` for what cannot be."""
    rows = len(dataset.x)
    if asked is None:
        return min(USUAL_FOLDS, rows)
    if dataset.table is None:
        raise CeterisError(Problem(f"`{dataset.name}` is no table; leave it out", where="--folds"))
    if not FEWEST_FOLDS <= asked <= rows:
        allowed = f"from {FEWEST_FOLDS} to {rows:,}, the number of its rows"
        raise CeterisError(Problem(f"{asked} is no number of folds; it must be {allowed}", where="--folds"))
    return asked


@contextmanager
def _without_path() -> Iterator[None]:
    """Name in problems the option of this command, not the setting of an experiment."""
    try:
        yield
    except CeterisError as error:
        raise CeterisError(
            replace(problem, where=OPTIONS.get(problem.where, problem.where)) for problem in error.problems
        ) from error


def _write_examples(dataset: Dataset, path: Path | None) -> str | None:
    """Write the picture and return its path; None, with the reason told, where there is none to draw."""
    from ceteris.data import example_grid

    target = path or Path(f"{Path(dataset.name).stem}-examples.svg")
    try:
        return str(example_grid(dataset, target))
    except CeterisError as error:
        if path is not None:
            raise
        tell(f"no picture: {error}")
        return None


def _print_facts(known: dict[str, Any], speed: float | None) -> None:
    shape = " x ".join(map(str, known["shape"]))
    lines = {
        "name": known["name"],
        "task": known["task"],
        "from": known["origin"],
        "training rows": f"{known['rows']:,}",
        "one input": f"{shape} of {known['type']}, {_range(known['range'])}, rms {known['rms']:.3g}",
    }
    if known["documented_range"] is not None:
        lines["documented range"] = _range(known["documented_range"])
    if speed is not None:
        lines["rows fetched"] = f"{speed:,.0f} a second, in batches of 32 in random order"
    lines |= _target_lines(known) | {"SHA-256": known["content"]}
    screen.show(facts_table(lines))


def _print_classes(known: dict[str, Any], picture: str | None) -> None:
    if known["counts"]:
        counts = [(name, f"{count:,}") for name, count in known["counts"].items()]
        screen.show("", plain_table(("class", "training rows"), counts, right=(1,)))
    if picture is not None:
        screen.show("", f"10 random examples per class: {picture}")


def _target_lines(known: dict[str, Any]) -> dict[str, str]:
    if known["classes"]:
        return {"classes": f"{len(known['classes'])}, labels of {known['target_type']}"}
    outputs = " x ".join(map(str, known["target_shape"])) or "1"
    return {"one target": f"{outputs} of {known['target_type']}, {_range(known['target_range'])}"}


def _range(limits: list[float]) -> str:
    return f"from {limits[0]:g} to {limits[1]:g}"
