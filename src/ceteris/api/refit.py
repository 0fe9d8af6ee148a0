"""A network for use: the level that the validation rows chose, trained again on all training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ceteris.api.choice import level_to_use
from ceteris.errors import CeterisError

if TYPE_CHECKING:
    from ceteris.records.views import RunRecord
    from ceteris.spec.study import Study


def refit_study(run: RunRecord, level: object = None, metric: str | None = None, seeds: int = 1) -> Study:
    """Return the study that trains one level of a run on all rows, with no rows left to validate.

    A level that stopped early trains for the median of its trials' best epochs instead, since there is
    nothing left by which it could stop.

    Args:
        run: the recorded run.
        level: which one; else the one that the validation rows choose.
        metric: the validation metric that chooses.
        seeds: how many networks are trained; their predictions can be averaged.

    Raises ``CeterisError`` for an unknown level, or one whose schedule watches the validation rows.
    """
    from ceteris.evidence.trial_scores import recorded_epoch
    from ceteris.spec.experiment import Experiment
    from ceteris.spec.parse import parse_study
    from ceteris.spec.schedule import Plateau

    label = level_to_use(run, level, metric)
    trials = [trial for trial in run.trials if trial.level == label and trial.status == "finished"]
    experiment = Experiment.model_validate(dict(trials[0].experiment))
    if isinstance(experiment.schedule, Plateau):
        raise CeterisError(
            f"the schedule of level `{label}` watches {experiment.schedule.metric}, which a refit on all "
            "rows does not have; run the study with a schedule by epochs (step, cosine), then refit"
        )
    settings = experiment.model_dump(mode="json")
    settings["data"] |= {"validation": 0, "validation_balanced": False}
    if experiment.early_stopping.acts:
        settings["epochs"] = round(float(np.median([recorded_epoch(trial, experiment) for trial in trials])))
        settings["early_stopping"] = {}
    study: dict[str, Any] = {
        "title": f"{run.title or run.id}: {label}, on all rows",
        "experiment": settings,
        "seeds": seeds,
    }
    return parse_study(study, metrics_follow=True, allow_code=True).study
