"""A/A: false alarms and their rate."""

import json

import pytest
from scipy import stats

from ceteris.evidence.aa import false_alarm_rate


def test_the_interval_is_exact():
    found = false_alarm_rate([True] * 3 + [False] * 47)
    theirs = stats.binomtest(3, 50).proportion_ci(0.95, "exact")
    assert (found.alarms, found.repetitions, found.rate) == (3, 50, 0.06)
    assert (found.low, found.high) == pytest.approx(tuple(theirs))


def test_in_words():
    text = str(false_alarm_rate([True] * 10 + [False] * 190))
    assert text.startswith("10 of 200 repetitions raised a false alarm: 5% (95% interval 2.4% to 9%)")
    assert text.endswith("that agrees with the 5% that is promised")
    assert "more than the 5%" in str(false_alarm_rate([True] * 20 + [False] * 20))
    assert "less than the 5%" in str(false_alarm_rate([False] * 1000))


def test_few_repetitions_tell_nothing():
    text = str(false_alarm_rate([True] + [False] * 4))
    assert text == (
        "1 of 5 repetitions raised a false alarm: 20% (95% interval 0.51% to 72%); "
        "these are too few repetitions to tell whether it is the 5% that is promised"
    )


def test_plain_json():
    out = json.loads(json.dumps(false_alarm_rate([False, True]).to_json()))
    assert out["rate"] == 0.5
    assert out["text"].startswith("1 of 2 repetitions")


def test_no_repetition_has_no_rate():
    with pytest.raises(ValueError, match="at least one repetition"):
        false_alarm_rate([])
