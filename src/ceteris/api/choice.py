"""Which level of a run the validation rows choose, and by which metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ceteris.errors import CeterisError, unknown_name

if TYPE_CHECKING:
    from ceteris.records.views import RunRecord, TrialRecord
    from ceteris.spec.metrics import Direction


def finished_trials(run: RunRecord, purpose: str) -> list[TrialRecord]:
    """Return the finished trials of a run; raise ``CeterisError`` where there is none to ``purpose``."""
    finished = [trial for trial in run.trials if trial.status == "finished"]
    if not finished:
        raise CeterisError(f"no trial of run {run.id} has finished; there is nothing to {purpose}")
    return finished


def choosing_metric(
    run: RunRecord, finished: Sequence[TrialRecord], metric: str | None
) -> tuple[str, Direction]:
    """Return the validation metric that chooses and which of its values are better.

    That of a search, else accuracy for classes and loss for numbers to predict.

    Where levels learned targets on different scales, whose losses do not compare, `log_rmse` or `rmse`.

    Raises ``CeterisError`` for one that was not recorded, or of which nobody has said which way is better.
    """
    from ceteris.spec.metrics import PROVIDED_METRICS, direction, unknown_direction

    known = [name for name in finished[0].curves if name.startswith("val_")]
    if not known:
        raise CeterisError(
            f"run {run.id} was trained without validation rows, so they choose nothing; "
            "name the level (`--level`), or train with `data.validation` as a share or a number of rows"
        )
    searched = (run.study.get("search") or {}).get("metric")
    wanted = metric or searched or ("val_accuracy" if "val_accuracy" in known else "val_loss")
    scales = {str(trial.experiment["data"].get("target_scale", "none")) for trial in finished}
    if metric is None and wanted == "val_loss" and len(scales) > 1:
        wanted = next((f"val_{name}" for name in PROVIDED_METRICS if f"val_{name}" in known), wanted)
        if wanted == "val_loss":
            named = ", ".join(sorted(scales))
            raise CeterisError(
                f"the losses of run {run.id} are of targets on different scales ({named}) "
                "and choose no level; run it with `metrics: [rmse]`, or name a metric with --metric"
            )
    if wanted not in known:
        raise CeterisError(unknown_name("validation metric", wanted, known))
    better = direction(wanted, run.study.get("experiment", {}).get("better"))
    if better is None:
        raise CeterisError(unknown_direction(wanted))
    return wanted, better


def level_label(level: object) -> str:
    """Return the label of a level that is given by label or value, or by what a result tells of it."""
    from ceteris.spec.labels import format_label

    return format_label(getattr(level, "level", level))  # one of `result.levels`, or a trial


def level_named(run: RunRecord, finished: Sequence[TrialRecord], level: object) -> str | None:
    """Return the level that is judged because it was named, or is the only one without validation rows.

    None where validation rows choose. Raises ``CeterisError`` for an unknown level.
    """
    known = list(dict.fromkeys(trial.level for trial in finished))
    if level is None:
        validated = any(name.startswith("val_") for name in finished[0].curves)
        return None if validated or len(known) > 1 else known[0]
    label = level_label(level)
    if label not in known:
        raise CeterisError(unknown_name("level", label, known))
    return label


def trial_to_use(
    run: RunRecord,
    level: object = None,
    seed: int | None = None,
    fold: int | None = None,
    metric: str | None = None,
) -> TrialRecord:
    """Return the finished trial that was named; of several the one that validated best, or else the first.

    Raises ``CeterisError`` where there is none, with the seeds and folds that there are.
    """
    label = level_to_use(run, level, metric)
    own = [trial for trial in finished_trials(run, "use") if trial.level == label]
    found = [t for t in own if seed in (None, t.seed) and fold in (None, t.fold)]
    if not found:
        wanted = ", ".join(f"{name} {n}" for name, n in (("seed", seed), ("fold", fold)) if n is not None)
        there = ", ".join(f"seed {t.seed} fold {t.fold}" for t in own)
        raise CeterisError(f"level `{label}` has no finished trial with {wanted} (there are: {there})")
    validated = any(name.startswith("val_") for name in found[0].curves)
    return best_trial(run, found, metric) if validated else found[0]


def best_trial(run: RunRecord, trials: Sequence[TrialRecord], metric: str | None) -> TrialRecord:
    """Return the trial whose recorded weights have the best validation score."""
    from ceteris.evidence.trial_scores import validation_score
    from ceteris.spec.experiment import Experiment

    wanted, better = choosing_metric(run, trials, metric)
    sign = 1 if better == "lower" else -1

    def score(trial: TrialRecord) -> float:
        return sign * validation_score(trial, Experiment.model_validate(dict(trial.experiment)), wanted)

    return min(trials, key=score)


def choosable(run: RunRecord) -> frozenset[str] | None:
    """Return the levels that may be chosen: of a search those trained in full that no trial was lost of.

    None where all may be, and where none is left.
    """
    from ceteris.evidence.searched import summarise_search
    from ceteris.spec.dump import study_from_dict

    found = summarise_search(study_from_dict(run.study), run.trials) if run.study.get("search") else None
    ranked = () if found is None else found.ranked()
    return frozenset(candidate.level for candidate in ranked if candidate.score is not None) or None


def level_to_use(run: RunRecord, level: object, metric: str | None) -> str:
    """Return the label of the level that was named, else of the one that the validation rows choose.

    Raises ``CeterisError`` for an unknown level, or where the rows choose none.
    """
    from ceteris.evidence.selection import Scored, select
    from ceteris.evidence.trial_scores import validation_score
    from ceteris.spec.experiment import Experiment

    finished = finished_trials(run, "use")
    known = list(dict.fromkeys(trial.level for trial in finished))
    if level is not None:
        return str(level_named(run, finished, level))
    if len(known) == 1:
        return known[0]
    wanted, better = choosing_metric(run, finished, metric)
    scored = [
        Scored(
            trial.level,
            trial.seed,
            trial.fold,
            validation_score(trial, Experiment.model_validate(dict(trial.experiment)), wanted),
            {},
        )
        for trial in finished
    ]
    try:
        return select(scored, wanted, better, 0, choosable(run)).chosen
    except ValueError as error:
        raise CeterisError(f"{error} in run {run.id}; name a level") from error
