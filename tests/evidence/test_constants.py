"""What a constant would reach, in words beside the levels' own means."""

from ceteris.evidence.assessment import assess
from ceteris.evidence.constants import constant_notes

from .made import study, trial


def notes(values, constants, metric):
    found = [
        trial(level, seed, {metric: [value + 0.001 * seed], "val_loss": [1.0]})
        for level, value in values.items()
        for seed in range(3)
    ]
    assessment = assess(study({"lr": list(values)}, seeds=3), found, validation_rows=None)
    return constant_notes(constants, assessment.levels)


def constant(**values):
    return {"predicts": "the most frequent class", **values}


def test_one_constant_for_all_levels_is_told_once():
    own = constant(val_loss=2.302585, val_accuracy=0.1)
    assert notes({"a": 0.8, "b": 0.5}, {"a": own, "b": own}, "val_accuracy") == (
        "A constant would reach val_loss 2.30 and val_accuracy 0.100 (the most frequent class).",
    )


def test_levels_that_are_no_better_are_named():
    own = constant(val_loss=2.3, val_accuracy=0.5)
    *_, last = notes({"a": 0.8, "b": 0.4}, {"a": own, "b": own}, "val_accuracy")
    assert last == "No better than that at the end: b."


def test_of_errors_the_larger_is_the_worse():
    own = constant(val_loss=0.1, val_log_rmse=0.4)
    assert notes({"a": 0.3, "b": 0.5}, {"a": own, "b": own}, "val_log_rmse")[-1] == (
        "No better than that at the end: b."
    )


def test_constants_that_differ_stand_with_their_levels():
    constants = {"a": constant(val_accuracy=0.1), "b": constant(val_accuracy=0.2)}
    found = notes({"a": 0.8, "b": 0.9}, constants, "val_accuracy")
    assert found == (
        "A constant would reach val_accuracy 0.100 (the most frequent class) (a).",
        "A constant would reach val_accuracy 0.200 (the most frequent class) (b).",
    )


def test_records_from_before_have_none():
    assert notes({"a": 0.8}, {}, "val_accuracy") == ()
