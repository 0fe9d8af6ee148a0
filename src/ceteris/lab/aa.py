"""A/A: a study repeated with a factor that does nothing, to see how often it raises a false alarm.

Every repetition compares two groups of the same experiment on seeds of their own; all are trained
as one run. That identical trials agree bit for bit is tried as well, by training some again.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ceteris.errors import CeterisError, unknown_name
from ceteris.evidence.aa import FalseAlarmRate, false_alarm_rate
from ceteris.evidence.assessment import assess
from ceteris.lab.run import run_study
from ceteris.lab.trials import ENDED
from ceteris.records.store import Store
from ceteris.records.views import REPETITIONS_TITLE, RunRecord, TrialRecord
from ceteris.spec.claim import Claim
from ceteris.spec.claim_check import known_metrics
from ceteris.spec.combine import seed_list
from ceteris.spec.parse import ParsedStudy, parse_study
from ceteris.spec.probes import probe_parts
from ceteris.spec.study import Factor, Level, Study

FACTOR = "nothing"
LEVELS = ("a", "b")
REPETITIONS = 20


@dataclass(frozen=True)
class AAResult:
    """What an A/A study found."""

    run: str
    """The run that holds all trials, as one level with many seeds."""
    metric: str
    seeds: int
    """Seeds per level in each repetition."""
    alarms: tuple[bool, ...]
    """Per complete repetition, whether the verdict was that the two levels differ."""
    rate: FalseAlarmRate
    compared: int
    """How many trials were trained a second time, in another stack and another process."""
    identical: bool
    """Whether all of them agree with the first time bit for bit, curves and weights."""


def aa_study(
    parsed: ParsedStudy,
    *,
    repetitions: int = REPETITIONS,
    metric: str | None = None,
    study_name: str = "",
    runs_folder: Path,
    **options: Any,
) -> AAResult:
    """Repeat the base experiment of a study as a comparison of nothing with nothing.

    Args:
        parsed: the study; its base experiment and its number of seeds are used.
        repetitions: how many comparisons, each with ``2 * seeds`` trials.
        metric: what is compared; by default what the first claim is about, else ``val_loss``.
        study_name: the named study or file that it came from.
        runs_folder: where records lie.
        options: as for ``run_study``.

    Raises:
        CeterisError: as ``run_study``; or where the run was stopped before one repetition was complete.
    """
    if repetitions < 1:
        raise CeterisError(f"{repetitions} is not a number of repetitions; it must be at least 1")
    study = parsed.study.model_copy(update={"search": None})
    seeds, metric = len(seed_list(study)), metric or _first_metric(study)
    known = known_metrics(study.experiment.metrics)
    if metric not in known and probe_parts(metric) is None:
        raise CeterisError(unknown_name("metric", metric, known))
    many = _without_factors(study, tuple(range(2 * seeds * repetitions)))
    run = run_study(
        parse_study(many, allow_code=True), study_name=study_name, runs_folder=runs_folder, **options
    )
    with Store(runs_folder, create=False) as store:
        record = store.load_run(run)
        alarms = judge(study, record.trials, seeds, repetitions, metric, record.facts["validation_rows"])
        if not alarms:
            raise CeterisError(
                f"the run {run} was stopped before one repetition was complete; resume it first"
            )
        compared, identical = _train_again(store, record, study, seeds, options)
    return AAResult(run, metric, seeds, alarms, false_alarm_rate(alarms), compared, identical)


def _first_metric(study: Study) -> str:
    return study.claims[0].metric if study.claims else "val_loss"


def _without_factors(study: Study, seeds: tuple[int, ...]) -> Study:
    title = f"{REPETITIONS_TITLE}: {study.title}".strip(": ")
    update = {"title": title, "vary": (), "combine": "cross", "claims": (), "seeds": seeds}
    return study.model_copy(update=update)


def judge(
    study: Study,
    trials: Sequence[TrialRecord],
    seeds: int,
    repetitions: int,
    metric: str,
    validation_rows: int | None,
) -> tuple[bool, ...]:
    """Return for each complete repetition whether the assessment says that its two levels differ."""
    by_seed: dict[int, list[TrialRecord]] = defaultdict(list)
    for trial in trials:
        by_seed[trial.seed].append(trial)
    claim = Claim(text="Two levels that are the same differ.", metric=metric, differ=LEVELS)
    null = Factor(name=FACTOR, levels=tuple(Level(label=label, patch={}) for label in LEVELS))
    question = _without_factors(study, tuple(range(seeds)))
    question = question.model_copy(update={"vary": (null,), "claims": (claim,)})
    alarms = []
    for repetition in range(repetitions):
        own = repetition_trials(by_seed, repetition, seeds)
        if own is not None:
            assessment = assess(question, own, validation_rows=validation_rows)
            alarms.append(assessment.verdicts[0].verdict == "supported")
    return tuple(alarms)


def repetition_trials(
    by_seed: Mapping[int, Sequence[TrialRecord]], repetition: int, seeds: int
) -> list[TrialRecord] | None:
    """Return the trials of one repetition as two levels with seeds 0, 1, ...; None if one has not ended."""
    found = []
    for place in range(2 * seeds):
        trials = by_seed.get(repetition * 2 * seeds + place, ())
        if not trials or any(trial.status not in ENDED for trial in trials):
            return None
        label = LEVELS[place // seeds]
        found += [replace(t, level=label, coordinates={FACTOR: label}, seed=place % seeds) for t in trials]
    return found


def _train_again(
    store: Store, record: RunRecord, study: Study, seeds: int, options: Mapping[str, Any]
) -> tuple[int, bool]:
    """Train the first seeds once more in a run of their own, which is not kept, and compare the bits."""
    stop = options.get("stop")
    if stop is not None and stop.after_epoch:
        return 0, True
    with tempfile.TemporaryDirectory() as folder:
        again = parse_study(_without_factors(study, tuple(range(seeds))), allow_code=True)
        run = run_study(again, runs_folder=Path(folder), **{**options, "listener": None})
        with Store(folder, create=False) as other:
            ended = [trial for trial in other.load_run(run).trials if trial.status in ENDED]
            twins = {(trial.seed, trial.fold): trial for trial in ended}
            own = {(trial.seed, trial.fold): trial for trial in record.trials if trial.status in ENDED}
            pairs = [(trial, twins[place]) for place, trial in own.items() if place in twins]
            return len(pairs), all(
                same_curves(first, second) and _same_weights(store, record.id, first, other, run, second)
                for first, second in pairs
            )


def same_curves(first: TrialRecord, second: TrialRecord) -> bool:
    """Tell whether all curves of two trials agree bit for bit."""
    return first.curves.keys() == second.curves.keys() and all(
        first.curves[name].tobytes() == second.curves[name].tobytes() for name in first.curves
    )


def _same_weights(
    store: Store, run: str, trial: TrialRecord, other: Store, other_run: str, twin: TrialRecord
) -> bool:
    first = store.load_weights(run, trial.identity)
    second = other.load_weights(other_run, twin.identity)
    return first.keys() == second.keys() and all(
        np.ascontiguousarray(first[name]).tobytes() == np.ascontiguousarray(second[name]).tobytes()
        for name in first
    )
