"""Claims about what a trial has as a whole: how many epochs it trained, whether it diverged, its seconds."""

from dataclasses import replace
from typing import Any

import pytest

from ceteris.evidence.assessment import Verdict, assess
from ceteris.evidence.trial_numbers import TRIAL_NUMBERS
from ceteris.spec.metrics import OF_TRIALS

from .made import claim, lost, study, trial


def judged(metric: str, **relation: Any) -> Verdict:
    """Judge 8 seeds: a trains 9 or 10 epochs in 3 s, b ends after 4 or 5 in 2 s, c diverges but once."""
    found = []
    for seed in range(8):
        for level, epochs, seconds in (("a", 9, 3.0), ("b", 4, 2.0)):
            curves = {"val_loss": [1.0] * (epochs + seed % 2)}
            found.append(replace(trial(level, seed, curves), seconds=seconds))
        found.append(lost("c", seed) if seed else trial("c", seed, {"val_loss": [1.0]}))
    made = study({"lr": ["a", "b", "c"]}, claim(metric, **relation), seeds=8)
    return assess(made, found, validation_rows=None).verdicts[0]


def test_every_name_that_a_claim_may_use_has_its_number() -> None:
    assert TRIAL_NUMBERS.keys() == OF_TRIALS.keys()


def test_epochs_are_counted_and_a_diverged_trial_counts_as_worst() -> None:
    fewer = judged("epochs", less=("b", "a"))
    assert (fewer.verdict, fewer.effect) == ("supported", pytest.approx(-5))
    assert "the number of epochs trained is 5" in fewer.explanation
    assert judged("epochs", greater=("c", "a")).verdict == "supported", "7 of 8 diverged"


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"levels": ("c",), "low": 0.4}, "supported"),
        ({"levels": ("c",), "low": 0.5}, "not established"),
        ({"levels": ("c",), "low": 0.95}, "not established"),
        ({"levels": ("a", "b"), "high": 0.5}, "supported"),
        ({"levels": ("a",), "low": 0.5}, "contradicted"),
    ],
)
def test_how_many_diverge(bounds: dict[str, Any], expected: str) -> None:
    found = judged("diverged", within=bounds)
    assert found.verdict == expected
    assert "worst" not in " ".join(found.remarks), "whether they diverged is what is counted"


def test_one_divergence_in_each_of_two_seeds_establishes_nothing() -> None:
    made = study({"lr": ["c"]}, claim("diverged", within={"low": 0.5}), seeds=2)
    verdict = assess(made, [lost("c", 0), lost("c", 1)], validation_rows=None).verdicts[0]
    assert verdict.verdict == "not established", "trials are counted in whole ones"


def test_seconds_come_with_what_they_are() -> None:
    found = judged("seconds_per_epoch", less=("a", "b"))
    assert found.verdict == "supported"
    assert found.effect == pytest.approx((3 / 9 + 3 / 10 - 2 / 4 - 2 / 5) / 2)
    assert any("a measurement of this run, not a property of the level" in r for r in found.remarks)
