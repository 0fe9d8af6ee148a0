"""``ceteris aa``: a study repeated with a factor that does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ceteris.cli.options import DEFAULT_TRAINING, Epochs, Quick, Seeds, Sets, StudyName, Training
from ceteris.cli.screen import facts_table, print_json, show

if TYPE_CHECKING:
    from ceteris.lab.aa import AAResult

Repetitions = Annotated[int, Parameter(help="How many comparisons of nothing with nothing.")]
Metric = Annotated[
    str | None, Parameter(help="What is compared (else what the first claim is about, else val_loss).")
]


def aa(
    study: StudyName,
    /,
    *,
    repetitions: Repetitions = 20,
    metric: Metric = None,
    sets: Sets = None,
    seeds: Seeds = None,
    epochs: Epochs = None,
    quick: Quick = False,
    training: Training = DEFAULT_TRAINING,
) -> int:
    """Repeat a study with a factor that does nothing, on seeds of its own each time; count false alarms."""
    from ceteris.api.execution import repeat_planned
    from ceteris.api.studies import plan
    from ceteris.cli.exits import FINISHED, INTERRUPTED
    from ceteris.cli.study_runs import training_means

    planned = plan(
        study, sets=sets or (), seeds=seeds, epochs=epochs, quick=quick, allow_code=training.allow_code
    )
    with training_means(training) as means:
        found = repeat_planned(planned, repetitions, metric, means)
    if training.as_json:
        print_json(_as_object(found, planned.name))
    else:
        _print(found, repetitions)
    return INTERRUPTED if means.stop.after_epoch and len(found.alarms) < repetitions else FINISHED


def _as_object(found: AAResult, study: str) -> dict[str, Any]:
    fields = ("run", "metric", "seeds", "alarms", "compared", "identical")
    told = {name: getattr(found, name) for name in fields}
    return {"study": study, **told, "false_alarms": found.rate.to_json()}


def _print(found: AAResult, repetitions: int) -> None:
    bits = "agree bit for bit with" if found.identical else "DIFFER from"
    lines = {
        "repetitions": f"{len(found.alarms)} of {repetitions}, each 2 x {found.seeds} equal trials",
        "compared": found.metric,
        "false alarms": str(found.rate),
        "trained again": f"{found.compared} trials, which {bits} the first time",
        "run": found.run,
    }
    show(facts_table(lines))
