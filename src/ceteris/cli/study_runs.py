"""``ceteris run``, ``resume`` and ``extend``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ceteris.cli.options import (
    DEFAULT_TRAINING,
    Epochs,
    OtherNumerics,
    Quick,
    ReportPath,
    RunName,
    Seeds,
    Sets,
    StudyName,
    Training,
    Varies,
)
from ceteris.cli.screen import print_json, tell

if TYPE_CHECKING:
    from pathlib import Path

    from ceteris.api.execution import Means
    from ceteris.api.result import Result


def run(
    study: StudyName,
    /,
    *,
    sets: Sets = None,
    varies: Varies = None,
    seeds: Seeds = None,
    epochs: Epochs = None,
    quick: Quick = False,
    report: ReportPath = None,
    training: Training = DEFAULT_TRAINING,
) -> int:
    """Run a study: train every level over several seeds, say what the factor did, write a report.

    Ctrl-C stops after the current epoch and keeps everything; a second one stops at once.
    """
    from ceteris.api.execution import run_planned
    from ceteris.api.studies import plan

    planned = plan(
        study,
        sets=sets or (),
        varies=varies or (),
        seeds=seeds,
        epochs=epochs,
        quick=quick,
        allow_code=training.allow_code,
    )
    for note in planned.parsed.notes:
        tell(note)
    return train(lambda means: run_planned(planned, means), training, report)


def resume(
    run: RunName,
    /,
    *,
    allow_other_numerics: OtherNumerics = False,
    report: ReportPath = None,
    training: Training = DEFAULT_TRAINING,
) -> int:
    """Finish what is missing of a run; trials that have ended are kept."""
    from ceteris.api.execution import Permissions, resume_recorded

    permissions = Permissions(training.allow_code, allow_other_numerics)
    return train(lambda means: resume_recorded(run, means, permissions), training, report)


def extend(
    run: RunName,
    /,
    *,
    seeds: Annotated[int, Parameter(help="How many seeds the run is to have in all.")],
    allow_other_numerics: OtherNumerics = False,
    report: ReportPath = None,
    training: Training = DEFAULT_TRAINING,
) -> int:
    """Add seeds to a run; verdicts are corrected for having been looked at before."""
    from ceteris.api.execution import Permissions, extend_recorded

    permissions = Permissions(training.allow_code, allow_other_numerics)
    return train(lambda means: extend_recorded(run, seeds, means, permissions), training, report)


def train(execute: Callable[[Means], Result], training: Training, report: Path | None) -> int:
    """Train with progress on standard error, write the report, print the outcome; return the exit code."""
    from ceteris.cli.exits import FINISHED, INTERRUPTED
    from ceteris.cli.outcome import print_outcome

    with training_means(training) as means:
        result = execute(means)
    path = result.report(report)
    if training.as_json:
        print_json(result.to_dict() | {"report": str(path)})
    else:
        print_outcome(result, path)
    return INTERRUPTED if means.stop.after_epoch and result.status != "finished" else FINISHED


@contextmanager
def training_means(training: Training) -> Iterator[Means]:
    """Return what the options say, with progress on standard error and Ctrl-C caught while the block runs."""
    from ceteris.api.execution import Means
    from ceteris.api.interrupt import stopping_by_interrupt
    from ceteris.cli.live import live_progress
    from ceteris.records.store import records_folder

    with live_progress() as listener:
        means = Means(
            runs_folder=records_folder(training.runs_dir),
            data_folder=training.data_dir,
            device=training.device,
            deterministic=training.deterministic,
            workers=training.workers,
            listener=listener,
        )
        with stopping_by_interrupt(means.stop, listener.note):
            yield means
