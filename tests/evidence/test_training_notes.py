"""Notes on schedules that never acted and on early stopping; silent where there is nothing to say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ceteris.evidence.assessment import assess
from ceteris.records.views import TrialRecord

from .made import study, trial

STEP = {"optimizer": {"lr": 0.1}, "schedule": {"kind": "step", "step_size": 9}}


def noted(*trials: TrialRecord) -> str:
    found = assess(study({"lr": ["a", "b"]}, seeds=2), trials, validation_rows=100)
    return " ".join(note for note in found.notes if "schedule" in note or "early" in note)


def four(own: dict[str, Any], rates: list[float]) -> list[TrialRecord]:
    """Two levels with two seeds; the settings and rates are those of level b."""
    curves = {"val_loss": [1.0, 0.9], "lr": [0.1, 0.1]}
    plain = [trial("a", seed, curves) for seed in (0, 1)]
    changed = [replace(trial("b", seed, curves | {"lr": rates}), experiment=own) for seed in (0, 1)]
    return [*plain, *changed]


def test_a_schedule_that_never_changed_the_rate_is_said_so() -> None:
    assert noted(*four(STEP, [0.1, 0.1])) == "The schedule never changed the learning rate: b."


def test_a_schedule_that_acted_is_not_mentioned_and_one_that_did_in_some_trials_is_counted() -> None:
    acted, idle = four(STEP, [0.1, 0.01]), four(STEP, [0.1, 0.1])
    assert noted(*acted) == ""
    note = "In some trials the schedule never changed the learning rate: b (1 of 2)."
    assert noted(*acted[:3], idle[3]) == note


def test_a_constant_rate_is_no_schedule() -> None:
    assert noted(*four(STEP | {"schedule": {"kind": "constant"}}, [0.1, 0.1])) == ""
    assert noted(*four({}, [0.1, 0.1])) == "", "records from before there were schedules"


def test_early_stopping_says_which_epoch_the_network_is_of() -> None:
    note = noted(*four({"early_stopping": {"patience": 3}}, [0.1, 0.1]))
    assert note.startswith("With early stopping (b) the network on record is that of the best epoch")
    assert noted(*four({"early_stopping": {"patience": None}}, [0.1, 0.1])) == ""


def warm(kind: str, epochs: float) -> dict[str, Any]:
    """A training with a warm-up, under a schedule that could act after it."""
    return STEP | {"schedule": {"kind": kind, "warmup": epochs, "warmup_start": 0.3}}


def test_a_rate_that_rose_within_an_epoch_was_changed() -> None:
    """Rates are recorded at an epoch's last step, when a short warm-up is over."""
    assert noted(*four(warm("constant", 0.5), [0.1, 0.1])) == ""
    at_once = {"kind": "step", "warmup": 0.5, "warmup_start": 1.0}
    assert "never changed" in noted(*four(STEP | {"schedule": at_once}, [0.1, 0.1]))


def test_a_schedule_that_did_nothing_after_its_warm_up_is_said_so() -> None:
    note = "After the warm-up the schedule never changed the learning rate: b."
    assert noted(*four(warm("step", 0.5), [0.1, 0.1])) == note
    assert noted(*four(warm("plateau", 2), [0.05, 0.1])) == note, "nothing came after the warm-up"
    acted = four(warm("step", 1), [0.1, 0.01])
    assert noted(*acted) == ""
    some = noted(*acted[:3], four(warm("step", 1), [0.1, 0.1])[3])
    assert some == "In some trials the schedule never changed the rate after the warm-up: b (1 of 2)."


def test_a_warm_up_that_training_did_not_outlast_is_said_so() -> None:
    found = assess(
        study({"lr": ["a", "b"]}, seeds=2), four(warm("constant", 4), [0.05, 0.07]), validation_rows=100
    )
    assert "Training ended before the warm-up did: b." in found.notes
