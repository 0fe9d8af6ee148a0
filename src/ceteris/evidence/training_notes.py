"""What the settings of training did, where a reader would be misled without knowing it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ceteris.evidence.layout import ENDED, Layout
from ceteris.evidence.objective_notes import objective_notes
from ceteris.evidence.wording import levels, listing

if TYPE_CHECKING:
    from ceteris.records.views import TrialRecord


def training_notes(layout: Layout) -> tuple[str, ...]:
    """Say which schedules never acted, and where the network on record is not that of the last epoch."""
    trials = dict(_trials_by_level(layout))
    idle = [label for label, own in trials.items() if all(map(_schedule_was_idle, own))]
    rising = [label for label, own in trials.items() if all(map(_ended_in_warm_up, own))]
    flat = [label for label, own in trials.items() if all(map(_was_idle_after_warm_up, own))]
    early = [label for label, own in trials.items() if any(map(_stops_early, own))]
    noisy = [label for label, own in trials.items() if any(map(_has_noisy_labels, own))]
    found = []
    if noisy:
        found.append(
            f"With label noise ({levels(noisy, trials)}) training loss and accuracy are measured against the "
            "labels that were trained on, wrong ones included, validation against the true ones: the two are "
            "not measured the same way, and a gap between them holds the noise too."
        )
    if idle:
        found.append(f"The schedule never changed the learning rate: {levels(idle, trials)}.")
    if partly := _shares(trials, _schedule_was_idle):
        found.append(f"In some trials the schedule never changed the learning rate: {partly}.")
    if rising:
        found.append(f"Training ended before the warm-up did: {levels(rising, trials)}.")
    if flat:
        found.append(
            f"After the warm-up the schedule never changed the learning rate: {levels(flat, trials)}."
        )
    if partly := _shares(trials, _was_idle_after_warm_up):
        found.append(f"In some trials the schedule never changed the rate after the warm-up: {partly}.")
    if early:
        found.append(
            f"With early stopping ({levels(early, trials)}) the network on record is that of the best epoch, "
            "the numbers at the end of training are those of the last."
        )
    twice = [label for label, own in trials.items() if all(map(_softmax_twice, own))]
    cut = [label for label, own in trials.items() if all(map(_outputs_are_cut, own))]
    if twice:
        found.append(
            f"The outputs are a softmax already, and cross-entropy takes another ({levels(twice, trials)}): "
            "gradients are small and the loss cannot come near 0; leave `model.output` out."
        )
    if cut:
        found.append(
            f"A ReLU stands on the outputs ({levels(cut, trials)}): where it cuts an output to 0, that "
            "output learns nothing; leave `model.output` out."
        )
    return (*found, *objective_notes(trials))


def _trials_by_level(layout: Layout) -> Iterator[tuple[str, list[TrialRecord]]]:
    for label in layout.cells:
        own = [t for (at, _, _), t in layout.trials.items() if at == label and t.status in ENDED]
        if own:
            yield label, own


def _shares(trials: Mapping[str, list[TrialRecord]], holds: Callable[[TrialRecord], bool]) -> str:
    """List the levels of which it holds for some trials, not for all: ``b (2 of 5)``; empty without any."""
    counts = {label: sum(map(holds, own)) for label, own in trials.items()}
    some = {label: count for label, count in counts.items() if 0 < count < len(trials[label])}
    told = [f"{label} ({count} of {len(trials[label])})" for label, count in some.items()]
    return listing(told) if told else ""


def _part(trial: TrialRecord, name: str) -> dict[str, Any]:
    """Return a part of a trial's experiment; records from before the part existed have none."""
    return dict(trial.experiment.get(name) or {})


def _schedule_was_idle(trial: TrialRecord) -> bool:
    return _plans(trial) and not _warm_up(trial) and _stays(trial, _rates(trial))


def _was_idle_after_warm_up(trial: TrialRecord) -> bool:
    """Tell whether the rate rose, and what was to follow never came or changed nothing."""
    later = _rates(trial)[math.ceil(_warm_up(trial)) :]
    return _plans(trial) and _warm_up(trial) > 0 and not _ended_in_warm_up(trial) and _stays(trial, later)


def _ended_in_warm_up(trial: TrialRecord) -> bool:
    return 0 < len(_rates(trial)) < _warm_up(trial)


def _plans(trial: TrialRecord) -> bool:
    return bool(_part(trial, "schedule").get("kind", "constant") != "constant")


def _warm_up(trial: TrialRecord) -> float:
    """Return the epochs in which the rate rises; a start at the full rate is no rise."""
    schedule = _part(trial, "schedule")
    return float(schedule.get("warmup", 0)) if schedule.get("warmup_start", 0) < 1 else 0.0


def _rates(trial: TrialRecord) -> np.ndarray:
    """Return the rate of each epoch's last step."""
    return np.asarray(trial.curves.get("lr", ()))


def _stays(trial: TrialRecord, rates: np.ndarray) -> bool:
    started = _part(trial, "optimizer").get("lr")
    return len(_rates(trial)) > 0 and bool((rates == started).all())


def _softmax_twice(trial: TrialRecord) -> bool:
    loss = trial.experiment.get("loss")
    classes = "val_accuracy" in trial.curves
    return "softmax" in _output(trial) and (loss == "cross_entropy" or (loss == "auto" and classes))


def _outputs_are_cut(trial: TrialRecord) -> bool:
    return "relu" in _output(trial)


def _output(trial: TrialRecord) -> list[str]:
    """Return the activations on the outputs."""
    given = _part(trial, "model").get("output") or ()
    return [given] if isinstance(given, str) else list(given)


def _has_noisy_labels(trial: TrialRecord) -> bool:
    return float(_part(trial, "data").get("label_noise") or 0) > 0


def _stops_early(trial: TrialRecord) -> bool:
    return _part(trial, "early_stopping").get("patience") is not None
