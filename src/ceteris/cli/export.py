"""``ceteris export``: a trained network as a program to deploy, or its parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ceteris.cli.options import AllowCode, AsJson, ByMetric, DataDir, Level, RunName, RunsDir
from ceteris.cli.screen import print_json, show

Form = Annotated[
    str | None,
    Parameter(
        name="--format",
        help="pt2 (torch.export), onnx (needs the extra `export`) or safetensors, the parameters alone "
        "(else what --output ends in, else pt2).",
    ),
]
Output = Annotated[Path | None, Parameter(help="Where to write (else ./RUN.pt2 and the like).")]
Seed = Annotated[int | None, Parameter(help="Its seed (else that of the trial that validated best).")]
Fold = Annotated[int | None, Parameter(help="Its fold (else that of the trial that validated best).")]


def export(
    run: RunName,
    /,
    *,
    form: Form = None,
    level: Level = None,
    seed: Seed = None,
    fold: Fold = None,
    metric: ByMetric = None,
    output: Output = None,
    data_dir: DataDir = None,
    runs_dir: RunsDir = None,
    allow_code: AllowCode = False,
    as_json: AsJson = False,
) -> None:
    """Write a trained network as a program to deploy, with its preparation, and check the file."""
    from ceteris.api.choice import trial_to_use
    from ceteris.api.export.export import export_trial
    from ceteris.api.own_code import referenced
    from ceteris.api.runs import load_run

    record = load_run(run, runs_dir=runs_dir).run
    trial = trial_to_use(record, level, seed, fold, metric)
    code = referenced(record, allow_code=allow_code)
    found = export_trial(record, trial, output, form, data_dir=data_dir, model=code.modules)
    if as_json:
        print_json(
            {
                "run": record.id,
                "level": found.level,
                "seed": found.seed,
                "fold": found.fold,
                "format": found.format,
                "output": str(found.path),
                "facts": str(found.facts_path),
                "rows": found.rows,
                "largest_difference": found.difference,
                "reader": found.reader,
            }
        )
        return
    fold_words = f", fold {found.fold}" if record.study.get("folds") else ""
    show(
        f"{found.path}: level {found.level}, seed {found.seed}{fold_words}",
        f"{found.facts_path}: what goes in, how it is prepared, what comes out",
        f"read again by {found.reader}: on {found.rows:,} rows of the data the outputs differ by at most "
        f"{found.difference:.1e} (the largest is {found.largest:.2g})",
    )
