"""What the measurement of a trial's cost counts, without running whole studies."""

from __future__ import annotations

import pytest
from benchmarks.overhead import Cost, study, training_seconds

from ceteris.spec.combine import combinations, seed_list
from ceteris.spec.parse import parse_study


def test_the_studies_have_as_many_trials_as_are_asked_for() -> None:
    parsed = parse_study(study(40, epochs=2))
    assert len(combinations(parsed.study)) * len(seed_list(parsed.study)) == 40


def test_training_is_counted_and_grows_with_the_epochs() -> None:
    training_seconds(parse_study(study(20, epochs=1)))
    short, long = (training_seconds(parse_study(study(20, epochs=epochs))) for epochs in (1, 8))
    assert 0 < 2 * short < long


def test_what_is_not_training_is_the_rest_of_all_processes() -> None:
    assert Cost(trials=10, lab=2.0, workers=5.0, training=4.0).outside == pytest.approx(3.0)
