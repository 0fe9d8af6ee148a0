"""``ceteris refit``: the chosen level of a run, trained again on all training rows."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from ceteris.cli.options import DEFAULT_TRAINING, ByMetric, Level, ReportPath, RunName, Training
from ceteris.cli.study_runs import train
from ceteris.errors import CeterisError, Problem


def refit(
    run: RunName,
    /,
    *,
    level: Level = None,
    metric: ByMetric = None,
    seeds: Annotated[int, Parameter(help="How many networks to train.")] = 1,
    report: ReportPath = None,
    training: Training = DEFAULT_TRAINING,
) -> int:
    """Train the level that validation chose again, on all training rows, as a network for use."""
    from ceteris.api.code_folder import look_beside
    from ceteris.api.execution import run_planned
    from ceteris.api.refit import refit_study
    from ceteris.api.runs import load_run
    from ceteris.api.studies import plan

    if seeds < 1:
        raise CeterisError(Problem(f"{seeds} networks cannot be trained; use at least 1", where="--seeds"))
    record = load_run(run, runs_dir=training.runs_dir).run
    look_beside(record.study_name, allow_code=training.allow_code)
    study = refit_study(record, level, metric, seeds)
    planned = plan(study, allow_code=training.allow_code)
    return train(lambda means: run_planned(planned, means), training, report)
