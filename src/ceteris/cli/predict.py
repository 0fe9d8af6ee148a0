"""``ceteris predict``: what the networks of a run say of rows without targets, as a CSV file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ceteris.cli.options import AllowCode, AsJson, ByMetric, DataDir, Level, RunName, RunsDir
from ceteris.cli.screen import plain_table, print_json, show, tell

Rows = Annotated[
    str,
    Parameter(
        help="The rows: a table (.csv, .tsv, .parquet) with the run's columns, an .npz file with an array x, "
        "images (.png, .jpg) and folders of them, or `test`, those that the run's data brings along."
    ),
]
Networks = Annotated[
    Literal["ensemble", "best"],
    Parameter(help="Average all seeds and folds of the level, or take the one that validated best."),
]
Output = Annotated[
    Path | None, Parameter(help="Where to write the predictions (else ./RUN-predictions.csv).")
]


SHOWN = 20
"""Predictions of images that are printed too."""


def predict(
    run: RunName,
    /,
    *rows: Rows,
    level: Level = None,
    members: Networks = "ensemble",
    metric: ByMetric = None,
    output: Output = None,
    data_dir: DataDir = None,
    runs_dir: RunsDir = None,
    allow_code: AllowCode = False,
    as_json: AsJson = False,
) -> None:
    """Predict rows with the networks of a run and write a CSV file."""
    from ceteris.api.own_code import referenced
    from ceteris.api.predict import TEST, run_predict
    from ceteris.api.rows_in_files import FILE
    from ceteris.api.runs import load_run

    record = load_run(run, runs_dir=runs_dir).run
    x = TEST if rows in ((), (TEST,)) else list(rows)
    code = referenced(record, allow_code=allow_code)
    found = run_predict(
        record,
        x,
        level=level,
        members=members,
        metric=metric,
        data_dir=data_dir,
        model=code.modules,
        name="ROWS",
    )
    path = found.write(output or Path(f"{found.run}-predictions.csv"))
    for note in found.notes:
        tell(note)
    if as_json:
        print_json(
            {
                "run": found.run,
                "level": found.level,
                "members": [{"seed": seed, "fold": fold} for seed, fold in found.members],
                "rows": len(found),
                "columns": list(found.frame().columns),
                "output": str(path),
                "notes": list(found.notes),
            }
        )
        return
    if FILE in found.ids and found.classes and len(found) <= SHOWN:
        best = [f"{value:.3f}" for value in found.values.max(axis=1)]
        rows_shown = list(zip(map(str, found.ids[FILE]), found.labels, best, strict=True))
        show(plain_table((FILE, "class", "probability"), rows_shown, right=(2,)), "")
    count = len(found.members)
    networks = "1 network" if count == 1 else f"{count} networks, averaged"
    show(f"{path}: {len(found):,} rows, level {found.level}, by {networks}")
