"""The whole assessment: sentences, notes, plain JSON."""

import json

import numpy as np
import pytest

from ceteris.evidence.assessment import assess
from ceteris.evidence.tables import level_rows

from .made import EXPERIMENT, claim, judged, lost, study, trial, trials

SMALL = np.array([0.300, 0.310, 0.295, 0.305, 0.290])
LARGE = SMALL + np.array([0.130, 0.110, 0.150, 0.140, 0.130])
VALUES = {"32": SMALL, "1000": LARGE}


def test_the_sentence_of_a_supported_claim():
    (verdict,) = judged(VALUES, claim(order=("32", "1000"))).verdicts
    assert verdict.explanation == (
        "with 1000 the validation loss is 0.132 higher than with 32 "
        "(95% interval 0.114 to 0.150, 5 seeds, p < 0.0001)"
    )


def test_the_sentence_of_a_contradicted_order():
    (verdict,) = judged(VALUES, claim(order=("1000", "32"))).verdicts
    assert verdict.verdict == "contradicted"
    assert "with 32 the validation loss is 0.132 lower than with 1000" in verdict.explanation


def test_the_interval_is_worded_as_the_difference_is():
    (verdict,) = judged(VALUES, claim(less=("32", "1000"))).verdicts
    assert verdict.explanation == (
        "with 32 the validation loss is 0.132 lower than with 1000 "
        "(95% interval 0.114 to 0.150, 5 seeds, p < 0.0001)"
    )
    assert verdict.low < verdict.high < 0


def test_an_accuracy_is_not_said_to_lie_below_0_or_above_1():
    out = judged({"a": [0.1, 0.9], "b": [0.2, 0.9]}, metric="val_accuracy")
    summary, band = out.levels[0].metrics["val_accuracy"].last, out.levels[0].curves["val_accuracy"]
    assert (summary.low, summary.high) == (0, 1)
    assert (band.low, band.high) == ((0,), (1,))
    assert judged({"a": [0.1, 0.9], "b": [0.2, 0.9]}).levels[0].metrics["val_loss"].last.high > 1


def test_a_verdict_before_the_end_is_provisional():
    found = trials({"32": SMALL, "1000": LARGE[:4]})
    out = assess(study({"lr": list(VALUES)}, claim(less=("32", "1000"))), found, validation_rows=None)
    (verdict,) = out.verdicts
    assert (verdict.verdict, verdict.provisional, verdict.words) == (
        "supported",
        True,
        "supported (provisional)",
    )
    assert verdict.to_json()["provisional"] is True
    assert out.notes[0].startswith("Some trials have not ended: the verdicts are provisional.")
    assert "With 4 seeds the exact sign-flip p cannot go below 0.125." in out.notes
    (ended,) = judged(VALUES, claim(less=("32", "1000"))).verdicts
    assert (ended.provisional, ended.words) == (False, "supported")


def test_the_sentence_of_several_steps():
    values = {**VALUES, "10000": LARGE + SMALL / 3}
    (verdict,) = judged(values, claim(order=("32", "1000", "10000"))).verdicts
    assert verdict.explanation.startswith(
        "each step from 32 to 1000 to 10000 goes up; the least certain: with "
    )


def test_the_sentence_of_bounds():
    (verdict,) = judged(VALUES, claim(within={"levels": ("32",), "low": 0.2, "high": 0.4})).verdicts
    assert verdict.explanation == (
        "with 32 the validation loss is 0.300 (95% interval 0.290 to 0.310, 5 seeds, p < 0.0001), "
        "inside the range 0.2 to 0.4"
    )


def test_the_sampling_error_stands_beside_claims_on_validation_accuracy():
    given = claim("val_accuracy", greater=("1000", "32"))
    (verdict,) = judged(VALUES, given, metric="val_accuracy", validation_rows=400).verdicts
    mean = (np.mean(SMALL) + np.mean(LARGE)) / 2
    assert verdict.sampling_error == pytest.approx(np.sqrt(mean * (1 - mean) / 400))
    assert (
        judged(VALUES, claim(greater=("1000", "32")), validation_rows=400).verdicts[0].sampling_error is None
    )


def test_notes_say_what_intervals_speak_of():
    per_seed = judged(VALUES).notes
    assert "other seeds: a train/validation split, initial weights and row order" in per_seed[0]
    assert "With 5 seeds the exact sign-flip p cannot go below 0.0625." in per_seed
    fixed = EXPERIMENT.model_copy(update={"data": EXPERIMENT.data.model_copy(update={"split": "fixed"})})
    made = study({"lr": list(VALUES)}).model_copy(update={"experiment": fixed})
    notes = assess(made, trials(VALUES), validation_rows=None).notes
    assert "The split is fixed: they do not speak of another split" in notes[0]


def test_seeds_that_the_trials_have_and_the_study_does_not_name_are_used():
    out = judged(VALUES, claim(greater=("1000", "32")), seeds=3)
    assert out.verdicts[0].n == 5


def everything():
    relations = [
        {"order": ("a", "b", "c")},
        {"greater": ("b", "a")},
        {"equal": {"levels": ("a", "b"), "margin": 0.1}},
        {"within": {"high": 2.0}},
        {"differ": ("a", "b", "c")},
        {"at": "epochs_until", "reach": 0.55, "less": ("a", "b")},
        {"at": "fluctuation", "less": ("a", "b")},
    ]
    found = trials({"a": SMALL, "b": LARGE})
    found += [lost("c", s) if s % 2 else trial("c", s, {"val_loss": [0.5, 0.4, 0.7]}) for s in range(4)]
    made = study({"lr": "abc"}, *(claim(**relation) for relation in relations))
    return assess(made, found, validation_rows=100, looks=1, first_seeds=3)


@pytest.mark.parametrize("out", [everything(), judged({"a": [0.5], "b": [None]}, claim(greater=("b", "a")))])
def test_everything_turns_into_plain_json(out):
    text = json.dumps(out.to_json(), allow_nan=False)
    back = json.loads(text)
    assert [level["level"] for level in back["levels"]] == [level.level for level in out.levels]
    assert [v["verdict"] for v in back["verdicts"]] == [v.verdict for v in out.verdicts]
    assert json.loads(json.dumps(out.verdicts[0].to_json())) == back["verdicts"][0]


def test_the_table_of_levels():
    heads, *rows = level_rows(everything(), ["val_loss", "val_accuracy"])
    assert heads == ("level", "seeds", "val_loss", "val_accuracy")
    assert {len(row) for row in rows} == {4}
    seeds = [row[1] for row in rows]
    assert "5 of 5" in seeds
    assert "2 of 5, 2 diverged" in seeds
