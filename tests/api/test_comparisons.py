"""A study without claims is answered too: its levels are compared, in words, numbers and JSON."""

import re

import pytest

from ceteris.api.comparisons import comparison_objects, shown_pairs
from ceteris.api.output import run_object
from ceteris.api.text import as_text
from tests.report.sample import made_assessment, made_run, made_study

RATES = {"optimizer.lr": [0.1, 0.01, 0.001]}


def told(**changes: object) -> str:
    study = made_study(**changes)
    run = made_run(study)
    return as_text(run, made_assessment(run, study))


def test_without_claims_the_differences_from_the_first_level_are_shown() -> None:
    text = told(claims=[])
    assert "The mean validation accuracy ends highest with lr 0.1, at 0.95" in text
    assert re.search(
        r"^0\.01 against 0\.1 +\+0\.\d+ \[0\.\d+, 0\.\d+\] +< 0\.001 +0\.062 +-?\d\.\d\d$", text, re.M
    )
    assert "0.001 against 0.01 " not in text
    words = " ".join(text.split())
    assert "seed by seed; p: paired t test, adjusted for all 3 pairs of a metric (Holm)" in words
    assert "for that alone val_accuracy has a standard error of up to 0.0" in words
    assert "With 5 seeds the exact sign-flip p cannot go below 0.0625." in words
    assert max(map(len, text.splitlines())) <= 80


def test_with_claims_the_table_and_the_note_on_its_column_stay_away() -> None:
    text = told()
    assert "sign-flip p" not in text
    assert "against" not in text


def test_one_seed_or_one_level_are_not_compared_with_certainty() -> None:
    one_seed = told(claims=[], seeds=1)
    assert re.search(r"^0\.01 against 0\.1 +\+0\.\d+ +- +- +-$", one_seed, re.M)
    assert "against" not in told(claims=[], vary={})


def test_with_many_levels_neighbours_are_shown() -> None:
    study = made_study(claims=[], vary={"optimizer.lr": [0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]})
    run = made_run(study)
    pairs = shown_pairs(made_assessment(run, study), "val_loss")
    assert [(pair.first, pair.second) for pair in pairs][:2] == [("0.6", "0.7"), ("0.5", "0.6")]
    assert len(pairs) == 6


def test_json_holds_every_pair_of_what_was_measured_on_a_split() -> None:
    study = made_study(claims=[])
    run = made_run(study)
    assessment = made_assessment(run, study)
    found = run_object(run, assessment, None)["comparisons"]
    assert found == comparison_objects(assessment)
    measured = {"train_loss", "val_loss", "train_accuracy", "val_accuracy", "gap_loss", "gap_accuracy"}
    assert {one["metric"] for one in found} >= measured
    assert not any(one["metric"].startswith(("std/", "lr", "grad_norm")) for one in found)
    own = next(one for one in found if (one["metric"], one["first"]) == ("val_accuracy", "0.01"))
    ends = {
        label: [t.curves["val_accuracy"][-1] for t in run.trials if t.level == label]
        for label in ("0.01", "0.1")
    }
    assert own["effect"] == pytest.approx(sum(ends["0.01"]) / 5 - sum(ends["0.1"]) / 5)
    assert own["sampling_error"] > 0
    assert own["sign_flip_p"] == pytest.approx(0.0625)
