"""Intervals of means end where their metric does, in tables, bands, searches, test scores and claims."""

import math

import numpy as np
import pytest

from ceteris.evidence.ranges import ANY, POSITIVE, SHARE, cut, metric_range, range_seen
from ceteris.evidence.student import estimate, interval

from .made import claim, judged

SPREAD = [0.01, 0.02, 0.4]
"""Losses whose symmetric interval goes below 0."""


@pytest.mark.parametrize(
    ("metric", "at", "expected"),
    [
        ("val_loss", "last", POSITIVE),
        ("train_loss_running", "last", POSITIVE),
        ("test_rmse", "last", POSITIVE),
        ("val_accuracy", "best", SHARE),
        ("accuracy", "last", SHARE),
        ("val_loss", "change", ANY),
        ("gap_loss", "last", ANY),
        ("gap_loss", "fluctuation", POSITIVE),
        ("gap_size_accuracy", "last", POSITIVE),
        ("grad_norm/head.weight", "last", POSITIVE),
        ("dead/hidden.0", "last", SHARE),
        ("activation_mean/hidden.0", "last", ANY),
        ("sharpness", "last", ANY),
        ("val_mae", "last", ANY),
    ],
)
def test_what_metrics_can_be(metric, at, expected):
    assert metric_range(metric, at) == expected


def test_values_outside_show_that_it_is_no_range():
    assert range_seen([0.1, np.nan, 0.9], SHARE) == SHARE
    assert range_seen([0.1, -0.2], POSITIVE) == ANY


def test_nothing_else_is_cut():
    assert cut(-1.0, 2.0, SHARE) == SHARE
    assert cut(0.2, 0.3, SHARE) == (0.2, 0.3)
    assert cut(-1.0, 2.0, ANY) == (-1.0, 2.0)
    assert all(map(math.isnan, cut(math.nan, math.nan, POSITIVE)))


def test_a_cut_interval_covers_as_often():
    """A mean of a lognormal near 0, from three seeds."""
    rng, truth = np.random.default_rng(0), math.exp(0.5)
    found = [interval(estimate(row), 0.05) for row in rng.lognormal(size=(2000, 3))]
    whole = [low <= truth <= high for low, high in found]
    assert [low <= truth <= high for low, high in (cut(*ends, POSITIVE) for ends in found)] == whole
    assert min(low for low, _ in found) < 0


def test_levels_bands_and_notes():
    out = judged({"a": SPREAD, "b": [1.0, 1.1, 1.2]})
    last = out.levels[0].metrics["val_loss"].last
    whole = interval(estimate(SPREAD), 0.05)
    assert (last.low, last.high) == (0.0, pytest.approx(whole[1]))
    assert out.levels[0].curves["val_loss"].low == (0.0,)
    assert "Intervals of means are cut where no value can be: no loss lies below 0." in out.notes
    assert not any("cut" in note for note in judged({"a": [1.0, 1.1, 1.2]}).notes)


def test_claims_on_one_level_are_cut_and_differences_are_not():
    values = {"a": SPREAD, "b": [0.3, 0.35, 0.2]}
    level = claim(within={"levels": ("a",), "high": 2.0})
    level, pair = judged(values, level, claim(less=("a", "b"))).verdicts
    assert level.low == 0.0
    assert "interval 0.000 to " in level.explanation
    assert level.explanation.endswith("the interval is cut: no validation loss lies below 0")
    assert pair.low < 0 < pair.high
    assert "cut" not in pair.explanation


@pytest.mark.parametrize(
    ("metric", "values", "bounds", "inside"),
    [
        ("val_accuracy", [0.99, 0.97, 1.0, 0.985, 0.995], {"low": 0.9, "high": 1.0}, {"low": 0.9}),
        ("val_accuracy", [0.01, 0.03, 0.0, 0.015, 0.005], {"low": 0.0, "high": 0.1}, {"high": 0.1}),
        ("val_accuracy", [1.0] * 5, {"low": 0.9, "high": 1.0}, {"low": 0.9}),
        ("val_loss", [0.01, 0.03, 0.0, 0.015, 0.005], {"low": 0.0, "high": 0.5}, {"high": 0.5}),
        ("val_loss", [0.01, 0.03, 0.0, 0.015, 0.005], {"low": -1.0, "high": 0.5}, {"high": 0.5}),
    ],
)
def test_a_bound_at_an_end_of_the_metric_is_kept_by_every_mean(metric, values, bounds, inside):
    both, one = (
        judged({"a": values}, claim(metric, within={"levels": ("a",), **b}), metric=metric).verdicts[0]
        for b in (bounds, inside)
    )
    assert (both.verdict, both.p) == ("supported", one.p)
    assert both.p < 0.001
    assert bounds["low"] <= both.low <= both.high <= bounds["high"]


def test_values_beyond_the_end_show_that_a_bound_there_is_one():
    values = {"a": [-0.1, 0.1, 0.05, -0.05, 0.02]}
    found = judged(values, claim(within={"levels": ("a",), "low": 0.0, "high": 0.5})).verdicts[0]
    assert found.verdict == "not established"
    assert found.low < 0


def test_a_lost_trial_keeps_no_bound():
    """Its accuracy counts as worst of all, not as one within 0 to 0.5."""
    given = claim("val_accuracy", within={"levels": ("a",), "low": 0.0, "high": 0.5})
    out = judged({"a": [None] * 6}, given, metric="val_accuracy")
    assert out.verdicts[0].verdict == "contradicted"
    given = claim("val_accuracy", within={"levels": ("a",), "low": 0.9, "high": 1.0})
    found = judged({"a": [1.0] * 9 + [None]}, given, metric="val_accuracy").verdicts[0]
    assert (found.verdict, found.method) == ("supported", "counts")


def test_shares_of_seeds_keep_their_ends_too():
    out = judged(
        {"a": [None] * 8, "b": [1.0] * 8},
        claim("diverged", within={"levels": ("a",), "low": 0.3, "high": 1}),
        claim("diverged", within={"levels": ("b",), "low": 0, "high": 0.7}),
    )
    assert [each.verdict for each in out.verdicts] == ["supported", "supported"]


@pytest.mark.parametrize(
    ("metric", "bounds"), [("val_accuracy", {"low": 0, "high": 1}), ("val_loss", {"low": 0})]
)
def test_bounds_that_nothing_can_pass_are_refused(metric, bounds):
    values = {"a": [0.5, 0.6, 0.7]}
    found = judged(values, claim(metric, within={"levels": ("a",), **bounds}), metric=metric).verdicts[0]
    name = "validation accuracy" if metric == "val_accuracy" else "validation loss"
    assert (found.verdict, found.p) == ("not established", None)
    expected = f"nothing can be established: no {name} can lie outside the bounds of `within`"
    assert found.explanation == expected


def test_what_does_not_vary_is_not_called_cut():
    assert not any("cut" in note for note in judged({"a": [1.0] * 3}, metric="val_accuracy").notes)
