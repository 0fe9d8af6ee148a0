"""Names, numbers and facts as the page lays them out."""

from dataclasses import replace

import pytest

from ceteris.report.effects import effects
from ceteris.report.numbers import with_interval
from ceteris.report.page import make_page
from ceteris.report.repeat import data_facts
from tests.report.sample import made_assessment, made_run, made_study

TWO = {"optimizer.lr": [0.1, 0.01], "batch_size": [32, 64]}


def assessed(study, **changes):
    run = made_run(study, **changes)
    return run, made_assessment(run, study)


def test_with_two_factors_the_chart_names_levels_shortly_and_apart():
    _, assessment = assessed(made_study(vary=TWO, claims=[]))
    names = [row["name"] for row in effects(assessment).drawn["val_loss"]]
    assert names == ["lr 0.1, batch_size 64", "lr 0.01, batch_size 32", "lr 0.01, batch_size 64"]


def test_a_level_that_diverged_throughout_is_named_below_the_chart():
    study = made_study(claims=[])
    run, assessment = assessed(study, diverged={("0.001", seed): 0 for seed in range(5)})
    page = make_page(run, assessment)
    assert page.effects.hint.endswith("Not drawn: 0.001, where every trial diverged.")
    assert "Not drawn" not in make_page(*assessed(study)).effects.hint


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ((0.1010453, 0.10104529, 0.10104531), "0.10105 [0.10105, 0.10105]"),
        ((0.964, 0.953, 0.976), "0.964 [0.953, 0.976]"),
        ((1234.5678, 1234.5677, 1234.5679), "1234.6 [1234.6, 1234.6]"),
    ],
)
def test_numbers_have_five_digits_at_most(numbers, told):
    assert with_interval(*numbers) == told


def test_facts_of_the_data_read_as_a_table():
    facts = {"name": "digits", "counts": {"0": 142, "1": 1145}, "target_range": None, "features": 64}
    assert data_facts(facts | {"remark": "A quick look."}) == (
        ("Data set", "digits"),
        ("Training rows of each class", "0: 142, 1: 1,145"),
        ("Features", "64"),
    )


def test_what_is_alike_for_all_levels_is_told_once():
    constant = {"predicts": "the most frequent class", "val_accuracy": 0.25}
    rows = {"train": 1300, "validation": 20}
    levels = ("a", "b", "c")
    told = data_facts(
        {"rows_by_level": dict.fromkeys(levels, rows), "constant": dict.fromkeys(levels, constant)}
    )
    assert told == (("A constant would reach", "val_accuracy 0.250 (the most frequent class)"),)
    facts = {
        "rows_by_level": {"a": rows, "b": rows, "c": rows | {"train": 50}},
        "constant": {"a": constant, "b": constant | {"val_accuracy": 0.5}, "c": constant},
    }
    assert data_facts(facts) == (
        ("Rows of: a, b", "train 1,300, validation 20"),
        ("Rows of: c", "train 50, validation 20"),
        ("A constant would reach: a, c", "val_accuracy 0.250 (the most frequent class)"),
        ("A constant would reach: b", "val_accuracy 0.500 (the most frequent class)"),
    )


def test_sign_flip_values_are_said_to_be_unadjusted():
    run, assessment = assessed(made_study())
    page = make_page(replace(run), assessment)
    assert "p (sign flips, unadjusted)" in page.claim_columns
    assert "p (sign flips, unadjusted)" in page.effects.columns
