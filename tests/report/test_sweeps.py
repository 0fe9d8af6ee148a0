"""Scores against numbers: which factors are numeric, where levels stand, and what is drawn and told."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ceteris.report.axis import axis_of, numeric_factor
from ceteris.report.extras import Extras
from ceteris.report.page import make_page, render_report
from tests.report.sample import made_assessment, made_run, made_study


def made(vary, metrics=("train_loss", "val_loss", "train_accuracy", "val_accuracy"), **changes):
    study = made_study(vary=vary, claims=[], **changes.pop("study", {}))
    run = made_run(study, metrics=metrics, **changes)
    return run, made_assessment(run, study)


def page_of(vary, parameters=None, **changes):
    run, assessment = made(vary, **changes)
    return make_page(run, assessment, Extras(parameters=parameters or {})), assessment


def at(sweep, level):
    series = sweep.drawn["views"]["val_loss"]["series"]
    return next(point["at"] for one in series for point in one["points"] if point["level"] == level)


@pytest.mark.parametrize(
    ("vary", "name", "numbers"),
    [
        ({"optimizer.lr": [0.1, 0.01, 0.001]}, "optimizer.lr", [0.1, 0.01, 0.001]),
        ({"model.hidden": [[8], [16], [32]]}, "model.hidden", [8, 16, 32]),
        (
            {"layers": {0: {"model.hidden": []}, 1: {}, 2: {"model.hidden": [64, 64]}}},
            "layers",
            [0, 1, 2],
        ),
        (
            {"rate": {"slow": {"optimizer.lr": 0.01}, "middle": {}, "fast": {"optimizer.lr": 1}}},
            "optimizer.lr",
            [0.01, 0.1, 1],
        ),
        (
            {
                "penalty": {
                    "none": {},
                    **{
                        k: {"penalty": {"kind": "l2", "weight": w}}
                        for k, w in zip("abc", (1, 2, 3), strict=True)
                    },
                }
            },
            "penalty.weight",
            [None, 1, 2, 3],
        ),
    ],
)
def test_a_factor_is_numeric_by_its_labels_or_by_the_one_setting_that_its_levels_change(vary, name, numbers):
    run, _ = made(vary)
    factor = run.study["vary"][0]
    experiments = {trial.level: trial.experiment for trial in run.trials}
    found = numeric_factor(factor, experiments)
    assert found.name == name
    assert list(found.numbers.values()) == numbers


@pytest.mark.parametrize(
    "vary",
    [
        {"optimizer.lr": [0.1, 0.01]},
        {"optimizer.kind": ["sgd", "adam", "rmsprop"]},
        {"both": {k: {"optimizer.lr": k / 10, "batch_size": 8 * k} for k in (1, 2)} | {"c": {}}},
    ],
)
def test_two_levels_names_and_several_settings_at_once_make_no_chart(vary):
    page, _ = page_of(vary)
    assert page.figures.sweeps == ()


def test_powers_stand_on_a_logarithmic_axis_with_zero_and_none_apart():
    axis = axis_of({"none": None, "0": 0, "0.001": 1e-3, "0.01": 0.01, "1": 1})
    assert axis.log
    assert [axis.places[k].at for k in ("0.001", "0.01", "1")] == pytest.approx([-3, -2, 0])
    assert axis.places["none"].at < axis.places["0"].at < -3
    assert [k for k, place in axis.places.items() if place.apart] == ["none", "0"]


@pytest.mark.parametrize(
    ("numbers", "log"),
    [
        ([32, 64, 128], True),
        ([32, 64, 128, 1000, 10000], True),
        ([0, 0.25, 0.5], False),
        ([0, 1, 2], False),
        ([10, 20, 30, 40, 100], True),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], False),
        ([-1, 0, 100], False),
        ([3, 4, 6], False),
    ],
)
def test_the_axis_is_logarithmic_for_powers_alone(numbers, log):
    assert axis_of({str(number): number for number in numbers}).log == log


def test_means_and_intervals_are_those_of_the_evidence():
    page, assessment = page_of({"optimizer.lr": [0.1, 0.01, 0.001]})
    (sweep,) = page.figures.sweeps
    series = sweep.drawn["views"]["val_accuracy"]["series"]
    assert [(one["side"], one["dashed"]) for one in series] == [("Training", True), ("Validation", False)]
    for point in series[1]["points"]:
        level = next(level for level in assessment.levels if level.level == point["level"])
        last = level.metrics["val_accuracy"].last
        assert (point["mean"], point["low"], point["high"]) == pytest.approx(
            (last.mean, last.low, last.high), rel=1e-4
        )
        assert point["at"] == pytest.approx(math.log10(float(point["level"])))
        trials = [
            t.curves["val_accuracy"][-1]
            for t in made({"optimizer.lr": [0.1, 0.01, 0.001]})[0].trials
            if t.level == point["level"]
        ]
        assert point["mean"] == pytest.approx(np.mean(trials), rel=1e-4)


def test_the_levels_of_another_factor_are_lines():
    page, _ = page_of({"optimizer.lr": [0.1, 0.01, 0.001], "optimizer.momentum": [0, 0.9]})
    (sweep,) = page.figures.sweeps
    assert sweep.lines == ("momentum 0", "momentum 0.9")
    series = sweep.drawn["views"]["val_loss"]["series"]
    assert [(one["line"], len(one["points"])) for one in series] == [(0, 3), (1, 3), (0, 3), (1, 3)]


def test_a_level_where_every_trial_diverged_is_named_and_leaves_a_hole():
    lost = {("0.1", seed): 50 for seed in range(5)}
    page, _ = page_of({"optimizer.lr": [0.1, 0.01, 0.001]}, diverged=lost)
    (sweep,) = page.figures.sweeps
    assert "Not drawn: 0.1, where every trial diverged." in sweep.hint
    points = sweep.drawn["views"]["val_loss"]["series"][1]["points"]
    assert [point["mean"] is None for point in points] == [False, False, True]


def test_the_gap_is_drawn_against_parameters_where_networks_differ_in_size():
    vary = {"model.hidden": [[8], [64]], "optimizer.lr": [0.1, 0.01]}
    levels = {f"model.hidden=[{w}], optimizer.lr={lr}": 75 * w + 10 for w in (8, 64) for lr in (0.1, 0.01)}
    page, _ = page_of(vary, parameters=levels)
    sweep = page.figures.capacity
    assert sweep.views[0].key == "gap_loss"
    assert sweep.lines == ("lr 0.1", "lr 0.01")
    assert [text for _, text in sweep.drawn["ticks"]] == ["610", "4,810"]
    assert at(sweep, "model.hidden=[64], optimizer.lr=0.1") == pytest.approx(math.log10(4810))
    assert sweep.views[0].rows[0][0] == "model.hidden=[8], optimizer.lr=0.1 (610)"


def test_networks_of_about_one_size_have_no_chart_of_capacity():
    page, _ = page_of({"optimizer.lr": [0.1, 0.01]}, parameters={"0.1": 1000, "0.01": 1050})
    assert page.figures.capacity is None
    run, assessment = made({"optimizer.lr": [0.1, 0.01]})
    assert 'id="capacity"' not in render_report(run, assessment)
