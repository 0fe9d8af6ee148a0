"""The level that leads, of searches and of studies without claims."""

from __future__ import annotations

import pytest

from ceteris.evidence.assessment import Assessment, assess
from ceteris.evidence.leading import leading_level
from tests.evidence.test_searched import TABLE, searched
from tests.report.sample import made_run, made_study


def assessed(**changes: object) -> Assessment:
    study = made_study(**{"claims": [], **changes})
    return assess(study, made_run(study).trials, validation_rows=100)


def test_a_search_is_led_by_its_best_candidate() -> None:
    found = assess(*searched(TABLE), validation_rows=100)
    leader = leading_level(found)
    assert leader is not None
    assert found.search is not None
    best = found.search.ranked()[0]
    assert (leader.level, leader.of) == (best.level, len(TABLE))
    assert best.score is not None
    assert (leader.mean, leader.low, leader.high) == (best.score.mean, best.score.low, best.score.high)
    assert leader.words == (f"Best by its mean validation loss over 3 seeds (lower is better): {best.level}.")


def test_other_studies_are_led_by_accuracy_unless_they_have_a_metric_of_their_own() -> None:
    found = assessed()
    leader = leading_level(found)
    assert leader is not None
    means = {level.level: level.metrics["val_accuracy"].last.mean for level in found.levels}
    assert leader.level == max(means, key=means.__getitem__)
    assert (leader.metric, leader.better, leader.of) == ("val_accuracy", "higher", 3)
    assert leader.mean == pytest.approx(means[leader.level])
    own = leading_level(found, ("loss",))
    assert own is not None
    assert (own.metric, own.better) == ("val_loss", "lower")


def test_a_level_that_lost_a_trial_leads_only_where_all_did() -> None:
    found = assess(*searched(((1.0, None, 1.0), (2.0, 2.0, 2.0), (3.0, 3.0, 3.0))), validation_rows=100)
    plain = Assessment(**{**found.__dict__, "search": None})
    leader = leading_level(plain)
    assert leader is not None
    assert leader.level == "0.01"
    lost = assess(*searched(((1.0, None), (2.0, None))), validation_rows=100)
    leader = leading_level(Assessment(**{**lost.__dict__, "search": None}))
    assert leader is not None
    assert leader.level == "0.1"


def test_one_level_is_no_best_of_many_and_without_a_mean_there_is_none() -> None:
    only = leading_level(assessed(vary={}))
    assert only is not None
    assert only.words.startswith("The mean validation accuracy of the only level, base, over 5 seeds")
    assert leading_level(assess(made_study(claims=[]), (), validation_rows=100)) is None
