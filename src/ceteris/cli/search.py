"""``ceteris search``: a study's settings searched for good values."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from ceteris.cli.options import (
    DEFAULT_TRAINING,
    Epochs,
    Quick,
    ReportPath,
    Seeds,
    Sets,
    StudyName,
    Training,
)
from ceteris.cli.screen import tell
from ceteris.cli.study_runs import train

Spaces = Annotated[
    list[str] | None,
    Parameter(
        name="--space",
        negative=(),
        help="Search a setting: path='{log: [1e-4, 0.1]}', {uniform: [low, high]}, {int: [low, high]} or "
        "[a, b, c]. May be repeated.",
    ),
]
Method = Annotated[str | None, Parameter(help="How candidates are proposed: random, bayesian or grid.")]
Sampler = Annotated[str | None, Parameter(help="Of a bayesian search: tpe or gp (a Gaussian process).")]
Trials = Annotated[int | None, Parameter(help="How many candidates, instead of the study's own number.")]
Metric = Annotated[str | None, Parameter(help="The validation metric that ranks the candidates.")]
Batch = Annotated[int | None, Parameter(help="How many candidates are proposed and trained together.")]
HalvingBy = Annotated[
    int | None,
    Parameter(help="Successive halving: one candidate in so many goes on to a longer training."),
]


def search(
    study: StudyName,
    /,
    *,
    spaces: Spaces = None,
    method: Method = None,
    sampler: Sampler = None,
    trials: Trials = None,
    metric: Metric = None,
    batch: Batch = None,
    halving: HalvingBy = None,
    sets: Sets = None,
    seeds: Seeds = None,
    epochs: Epochs = None,
    quick: Quick = False,
    report: ReportPath = None,
    training: Training = DEFAULT_TRAINING,
) -> int:
    """Search for good settings: train candidates on the same seeds and folds, and rank them.

    The study has a `search`, or is given one by --space. Ctrl-C stops after the current epoch and keeps
    everything; `ceteris resume` goes on with the proposals that would have come. The test rows are not read.
    `--set data.rows=2000` trains all candidates of a seed on the same few rows, for a first look.
    """
    from ceteris.api.execution import run_planned
    from ceteris.api.studies import plan

    options = {"method": method, "sampler": sampler, "trials": trials, "metric": metric, "batch": batch}
    options["halving"] = halving
    planned = plan(
        study,
        sets=sets or (),
        seeds=seeds,
        epochs=epochs,
        quick=quick,
        allow_code=training.allow_code,
        spaces=spaces or (),
        search={name: value for name, value in options.items() if value is not None},
    )
    for note in planned.parsed.notes:
        tell(note)
    return train(lambda means: run_planned(planned, means), training, report)
