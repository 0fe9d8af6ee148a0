"""The number that a claim takes from a curve, and its name in words."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceteris.evidence.quantities import (
    best_epoch,
    metric_curve,
    metric_names,
    metric_words,
    quantity,
    quantity_words,
    resolution,
    worst_value,
)
from ceteris.spec.metrics import direction

LOSS = np.array([1.0, 0.6, 0.5, 0.7])
ACCURACY = np.array([0.2, 0.8, 0.9, 0.85])


@pytest.mark.parametrize(
    ("curve", "metric", "at", "reach", "expected"),
    [
        (LOSS, "val_loss", "first", None, 1.0),
        (LOSS, "val_loss", "last", None, 0.7),
        (LOSS, "val_loss", "best", None, 0.5),
        (ACCURACY, "val_accuracy", "best", None, 0.9),
        (LOSS, "gap_accuracy", "best", None, 0.5),
        (LOSS, "val_loss", "change", None, -0.3),
        (LOSS, "val_loss", "largest_change", None, 0.2),
        (LOSS, "val_loss", "smallest_change", None, -0.4),
        (ACCURACY, "val_accuracy", "largest_change", None, 0.6),
        (ACCURACY, "val_accuracy", "smallest_change", None, -0.05),
        (LOSS, "val_loss", "fluctuation", None, np.std([-0.4, -0.1, 0.2], ddof=1)),
        (LOSS, "val_loss", "epochs_until", 0.6, 2),
        (LOSS, "val_loss", "epochs_until", 0.4, math.inf),
        (ACCURACY, "val_accuracy", "epochs_until", 0.9, 3),
        (ACCURACY, "val_accuracy", "epochs_until", 0.95, math.inf),
    ],
)
def test_quantities(curve, metric, at, reach, expected):
    assert quantity(curve, at, direction(metric), reach) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("at", "between", "expected"),
    [
        ("change", (2, 4), 0.1),
        ("change", (1, 3), -0.5),
        ("best", (1, 2), 0.6),
        ("largest_change", (1, 3), -0.1),
        ("smallest_change", (2, 4), -0.1),
        ("fluctuation", (2, 4), np.std([-0.1, 0.2], ddof=1)),
        ("change", (4, 5), math.nan),
        ("fluctuation", (3, 4), math.nan),
    ],
)
def test_quantities_of_a_part_of_the_curve(at, between, expected):
    assert quantity(LOSS, at, "lower", None, between) == pytest.approx(expected, nan_ok=True)


@given(st.lists(st.floats(-9, 9), min_size=2, max_size=12))
def test_a_curve_falls_at_every_epoch_where_its_largest_change_is_below_zero(values):
    curve = np.array(values)
    falls = all(b < a for a, b in itertools.pairwise(curve))
    assert (quantity(curve, "largest_change", "lower") < 0) == falls
    assert quantity(-curve, "smallest_change", "lower") == -quantity(curve, "largest_change", "lower")


@pytest.mark.parametrize(
    ("curve", "at"),
    [([], "last"), ([1.0], "change"), ([1.0], "largest_change"), ([1.0, 2.0], "fluctuation")],
)
def test_too_short_a_curve_has_no_number(curve, at):
    assert math.isnan(quantity(np.array(curve), at, "lower"))


def test_the_first_of_equal_epochs_is_the_best():
    assert best_epoch(np.array([2.0, 1.0, 1.0]), "lower") == 2


def test_gaps_are_derived_from_their_parts():
    curves = {
        "train_loss": np.array([0.5]),
        "val_loss": np.array([0.8]),
        "train_accuracy": np.array([0.9]),
        "val_accuracy": np.array([0.7]),
    }
    assert metric_curve(curves, "gap_loss") == pytest.approx([0.3])
    assert metric_curve(curves, "gap_accuracy") == pytest.approx([0.2])
    assert metric_names(curves)[-2:] == ("gap_loss", "gap_accuracy")


def test_without_its_parts_there_is_no_gap():
    assert metric_curve({"val_loss": LOSS}, "gap_loss") is None
    assert metric_names({"val_loss": LOSS}) == ("val_loss",)


@pytest.mark.parametrize(
    ("metric", "at", "worst"),
    [
        ("val_loss", "last", math.inf),
        ("gap_accuracy", "last", math.inf),
        ("val_accuracy", "last", -math.inf),
        ("val_accuracy", "fluctuation", math.inf),
        ("val_accuracy", "epochs_until", math.inf),
        ("val_f1", "best", -math.inf),
        ("grad_norm", "last", math.inf),
        ("std/head.weight", "last", math.inf),
        ("grad_norm/head.weight", "last", math.inf),
        ("dead/hidden.0", "last", math.inf),
    ],
)
def test_a_diverged_trial_is_further_than_all_others(metric, at, worst):
    assert worst_value(metric, at, direction(metric)) == worst


def test_a_diverged_trial_has_no_rank_where_no_direction_is_known():
    assert math.isnan(worst_value("val_thing", "last", None))
    assert worst_value("val_thing", "fluctuation", None) == math.inf


@pytest.mark.parametrize("at", ["best", "epochs_until"])
def test_there_is_no_best_value_where_no_direction_is_known(at):
    assert math.isnan(quantity(LOSS, at, None, 0.6))
    assert quantity(LOSS, "last", None) == 0.7


def test_what_numbers_are_counted_in():
    assert resolution("val_loss", "epochs_until", 100) == 1
    assert resolution("val_accuracy", "last", 100) == 0.01
    assert resolution("val_accuracy", "last", None) == 0
    assert resolution("val_accuracy", "largest_change", 100) == 0.01
    assert resolution("val_loss", "last", 100) == 0


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("val_loss", "validation loss"),
        ("train_accuracy", "training accuracy"),
        ("train_loss_running", "running training loss"),
        ("grad_norm", "gradient norm"),
        ("lr", "learning rate"),
        ("std/hidden.0.weight", "spread of hidden.0.weight"),
        ("dead/hidden.0", "share of dead units of hidden.0"),
        ("activation_var/hidden.1", "variance of the activations of hidden.1"),
        ("gap_loss", "validation minus training loss"),
        ("val_f1", "validation f1"),
    ],
)
def test_metrics_in_words(metric, words):
    assert metric_words(metric) == words


def test_quantities_in_words():
    assert quantity_words("val_loss", "best") == "best validation loss of all epochs"
    assert (
        quantity_words("val_loss", "change")
        == "change of the validation loss from the first epoch to the last"
    )
    assert (
        quantity_words("val_loss", "change", between=(50, 100))
        == "change of the validation loss from epoch 50 to epoch 100"
    )
    assert quantity_words("lr", "largest_change") == (
        "largest change of the learning rate between adjacent epochs"
    )
    assert quantity_words("val_loss", "best", between=(2, 3)) == (
        "best validation loss from epoch 2 to epoch 3"
    )
    assert (
        quantity_words("val_accuracy", "epochs_until", 0.85)
        == "number of epochs until the validation accuracy reaches 0.85"
    )
