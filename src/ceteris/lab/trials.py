"""From a bound study to trials with identities, and from a record back to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ceteris.draws import SCHEME
from ceteris.errors import CeterisError
from ceteris.lab.datasets import is_named
from ceteris.records.entries import PlannedTrial
from ceteris.records.identity import trial_identity
from ceteris.records.views import TrialRecord
from ceteris.spec.combine import Combination
from ceteris.spec.data import NAMED_TABLES
from ceteris.spec.experiment import Experiment
from ceteris.spec.folds import Folds
from ceteris.spec.implementation import BUILTIN
from ceteris.spec.probing import Probes
from ceteris.train.plan import TrialPlan

ENDED = ("finished", "diverged")
OWN_ROWS = "arrays"
TABLES = "a fold is as wide as the columns that its training rows have"
"""Part of the identity of trials on tables, which were trained otherwise before."""


def plan_trials(
    combinations: Sequence[Combination],
    seeds: Iterable[int],
    numerics: Mapping[str, Any],
    folds: Folds | None = None,
) -> tuple[TrialPlan, ...]:
    """Return one trial per seed, fold and combination; experiments carry their data's content hash."""
    return tuple(
        TrialPlan(
            identity=identity_of(combination.experiment, seed, fold, numerics, folds),
            level=combination.label,
            coordinates=combination.coordinates,
            seed=seed,
            fold=fold,
            experiment=combination.experiment,
            folds=folds,
        )
        for seed in seeds
        for fold in range(1 if folds is None else folds.k)
        for combination in combinations
    )


def identity_of(
    experiment: Experiment, seed: int, fold: int, numerics: Mapping[str, Any], folds: Folds | None = None
) -> str:
    """Return the identity of a trial: rows of the user's own count by their content, not by their path.

    Folds are part of it where there are some, with their number and kind, and so is the implementation
    where it is not the built-in one.
    """
    settings = experiment.model_dump(mode="json")
    if experiment.implementation == BUILTIN:  # so that trials from before there was a choice are found
        del settings["implementation"]
    content = settings["data"].pop("content") or ""
    _name_initial_values(settings["model"])
    del settings["data"]["checksum"], settings["data"]["test"]  # of the files that the content came from
    if settings["precision"] == "float32":  # what every trial had before there was a choice
        del settings["precision"]
    if settings["data"]["target"] is not None or settings["data"]["source"] in NAMED_TABLES:
        settings["data"]["table"] = TABLES
    if settings["data"]["target_scale"] == "none":  # the same
        del settings["data"]["target_scale"]
    if not settings["data"]["drop"]:  # the same
        del settings["data"]["drop"]
    if settings["accumulate"] == 1:  # the same
        del settings["accumulate"]
    if experiment.probes == Probes():  # the same
        del settings["probes"]
    else:
        for name in ("activation_rows", "units"):  # what was not asked for before either
            if getattr(experiment.probes, name) == Probes.model_fields[name].default:
                del settings["probes"][name]
    if not is_named(settings["data"]["source"]):
        settings["data"]["source"] = OWN_ROWS
    if folds is not None:
        settings["folds"] = folds.model_dump(mode="json")
    return trial_identity(settings, seed, fold, content, numerics, SCHEME)


def _name_initial_values(model: dict[str, Any]) -> None:
    """Let values from a file count by their content; a module without any counts as before there were."""
    init = model.get("init")
    if init is None:
        model.pop("init", None)
    elif init["kind"] == "from":
        del init["file"]


def as_entry(trial: TrialPlan) -> PlannedTrial:
    """Return a trial as the store takes it."""
    return PlannedTrial(
        identity=trial.identity,
        level=trial.level,
        coordinates=trial.coordinates,
        seed=trial.seed,
        fold=trial.fold,
        experiment=trial.experiment.model_dump(mode="json"),
    )


def recorded_folds(study: Mapping[str, Any]) -> Folds | None:
    """Return the folds of a recorded study."""
    folds = study.get("folds")
    return None if folds is None else Folds.model_validate(folds)


def from_record(trial: TrialRecord, folds: Folds | None) -> TrialPlan:
    """Return a recorded trial, to be trained under its recorded identity."""
    return TrialPlan(
        identity=trial.identity,
        level=trial.level,
        coordinates=dict(trial.coordinates),
        seed=trial.seed,
        fold=trial.fold,
        experiment=Experiment.model_validate(trial.experiment),
        folds=folds,
    )


def unfinished(trials: Iterable[TrialRecord], folds: Folds | None) -> tuple[TrialPlan, ...]:
    """Return the trials of a record that have not ended."""
    return tuple(from_record(trial, folds) for trial in trials if trial.status not in ENDED)


def epochs_on_record(trial: TrialRecord) -> int:
    """Return how many epochs of a trial can be read."""
    try:
        return min((len(curve) for curve in trial.curves.values()), default=0)
    except CeterisError:  # a damaged epoch
        return 0


def recorded_combinations(trials: Sequence[TrialRecord]) -> tuple[Combination, ...]:
    """Return the combinations that a record's trials belong to, in their order."""
    first: dict[str, TrialRecord] = {}
    for trial in trials:
        first.setdefault(trial.level, trial)
    if not first:
        raise CeterisError("the run has no trials")
    return tuple(
        Combination(label, dict(trial.coordinates), Experiment.model_validate(trial.experiment))
        for label, trial in first.items()
    )


def next_seeds(used: Iterable[int], total: int) -> tuple[int, ...]:
    """Return the smallest seeds that are not used yet, so many that there are ``total`` in all.

    Raises CeterisError where there are as many already.
    """
    taken = set(used)
    if total <= len(taken):
        raise CeterisError(
            f"the run has {len(taken)} seed{'' if len(taken) == 1 else 's'} already, and {total} "
            f"{'is' if total == 1 else 'are'} asked for; give the number in all, more than {len(taken)}"
        )
    found: list[int] = []
    candidate = 0
    while len(found) < total - len(taken):
        if candidate not in taken:
            found.append(candidate)
        candidate += 1
    return tuple(found)
