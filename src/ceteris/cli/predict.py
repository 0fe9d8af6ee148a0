"""``ceteris predict``: what the networks of a run say of rows without targets, as a CSV file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from ceteris.cli.options import AsJson, ByMetric, DataDir, Level, RunName, RunsDir
from ceteris.cli.screen import print_json, show
from ceteris.errors import CeterisError, Problem

ARRAYS = ".npz"

Rows = Annotated[
    str,
    Parameter(
        help="The rows: a table (.csv, .tsv, .parquet) with the run's columns, an .npz file with an array x, "
        "or `test`, those that the run's data brings along."
    ),
]
Networks = Annotated[
    Literal["ensemble", "best"],
    Parameter(help="Average all seeds and folds of the level, or take the one that validated best."),
]
Output = Annotated[
    Path | None, Parameter(help="Where to write the predictions (else ./RUN-predictions.csv).")
]


def predict(
    run: RunName,
    rows: Rows = "test",
    /,
    *,
    level: Level = None,
    members: Networks = "ensemble",
    metric: ByMetric = None,
    output: Output = None,
    data_dir: DataDir = None,
    runs_dir: RunsDir = None,
    as_json: AsJson = False,
) -> None:
    """Predict rows with the networks of a run and write a CSV file."""
    from ceteris.api.predict import TEST, run_predict
    from ceteris.api.runs import load_run

    record = load_run(run, runs_dir=runs_dir).run
    x = rows if rows == TEST else _read(Path(rows), _ids(record.study))
    found = run_predict(record, x, level=level, members=members, metric=metric, data_dir=data_dir, name=rows)
    path = found.write(output or Path(f"{found.run}-predictions.csv"))
    if as_json:
        print_json(
            {
                "run": found.run,
                "level": found.level,
                "members": [{"seed": seed, "fold": fold} for seed, fold in found.members],
                "rows": len(found),
                "columns": list(found.frame().columns),
                "output": str(path),
            }
        )
        return
    count = len(found.members)
    networks = "1 network" if count == 1 else f"{count} networks, averaged"
    show(f"{path}: {len(found):,} rows, level {found.level}, by {networks}")


def _ids(study: Any) -> tuple[str, ...]:
    """Return the columns that are read as text because they name rows."""
    from ceteris.data.house_prices import HOUSE_PRICES

    data = study["experiment"]["data"]
    return HOUSE_PRICES.ids if data["source"] == HOUSE_PRICES.name else tuple(data.get("ids", ()))


def _read(path: Path, ids: tuple[str, ...]) -> Any:
    """Return the rows in a file: a frame, or an array."""
    from ceteris.data.npz import read_npz
    from ceteris.data.tables import read_table
    from ceteris.spec.data import TABLE_FILES, is_table_file

    if is_table_file(path.name):
        return read_table(path, ids)
    if path.suffix != ARRAYS:
        known = ", ".join((*TABLE_FILES, ARRAYS))
        raise CeterisError(Problem(f"`{path}` is no file with rows; use {known}, or `test`", where="ROWS"))
    arrays, names = read_npz(path)
    if "x" not in arrays:
        raise CeterisError(f"{path} has no array `x`; it has {', '.join(names) or 'none at all'}")
    return arrays["x"]
