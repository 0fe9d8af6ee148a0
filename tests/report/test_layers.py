"""What was measured of layers, over the layers: which are drawn, their means, and when there is nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from ceteris.records.views import RunRecord
from ceteris.report.curves import MOST_MEANS, with_room
from ceteris.report.layers import LEAST, MOST_NUMBERS, layer_figure
from ceteris.report.page import render_report
from ceteris.spec.probes import OF_LAYERS
from tests.report.sample import made_assessment, made_run, made_study

LEVELS = ("0.1", "0.01", "0.001")


def run_with(layers: int, family: str = "activation_var", **changes: object) -> RunRecord:
    """A run whose variance at layer k of seed s is 10^(-k - s) at first and ten times that at last."""
    run = made_run(made_study(claims=[]), **changes)
    trials = []
    for trial in run.trials:
        own = {
            f"{family}/hidden.{k}": 10.0 ** (-k - trial.seed) * np.array([1.0, 5.0, 10.0])
            for k in range(layers)
        }
        trials.append(replace(trial, curves={**trial.curves, **own}))
    return replace(run, trials=tuple(trials))


def test_networks_of_few_layers_have_no_such_figure() -> None:
    assert layer_figure(run_with(LEAST - 1), LEVELS) is None
    assert layer_figure(run_with(LEAST), LEVELS) is not None


def test_variances_are_averaged_by_their_logarithms_at_both_ends() -> None:
    figure = layer_figure(run_with(6), LEVELS)
    assert figure is not None
    view = figure.drawn["views"]["activation_var"]
    assert view["log"]
    assert [own["level"] for own in view["levels"]] == [0, 1, 2]
    for own in view["levels"]:
        assert [place for place, _ in own["first"]] == [1, 2, 3, 4, 5, 6]
        np.testing.assert_allclose([v for _, v in own["first"]], 10.0 ** -np.arange(2, 8), rtol=1e-2)
        np.testing.assert_allclose([v for _, v in own["last"]], 10.0 ** -np.arange(1, 7), rtol=1e-2)
    level, cells = figure.views[0].rows[0]
    assert (level, cells) == ("0.1", ("6", "0.01", "1.0e−07", "0.1", "1.0e−06"))


def test_other_measurements_are_averaged_as_they_are() -> None:
    figure = layer_figure(run_with(5, "zeros"), LEVELS)
    assert figure is not None
    view = figure.drawn["views"]["zeros"]
    assert not view["log"]
    assert view["levels"][0]["first"][0][1] == pytest.approx(np.mean(10.0 ** -np.arange(5)), rel=1e-2)


def test_what_is_of_the_start_alone_is_drawn_once() -> None:
    figure = layer_figure(run_with(5, "start_activation_var"), LEVELS)
    assert figure is not None
    assert all(own["last"] == [] for own in figure.drawn["views"]["start_activation_var"]["levels"])


def test_a_level_that_diverged_has_a_first_epoch_alone() -> None:
    figure = layer_figure(run_with(5, diverged={("0.1", seed): 100 for seed in range(5)}), LEVELS)
    assert figure is not None
    first, *_ = figure.drawn["views"]["activation_var"]["levels"]
    assert len(first["first"]) == 5
    assert first["last"] == []


def test_many_layers_are_thinned_and_both_ends_stay() -> None:
    figure = layer_figure(run_with(9000), LEVELS)
    assert figure is not None
    drawn = figure.drawn["views"]["activation_var"]["levels"]
    assert sum(len(own["first"]) + len(own["last"]) for own in drawn) <= MOST_NUMBERS
    assert (drawn[0]["first"][0][0], drawn[0]["first"][-1][0]) == (1, 9000)
    assert "some layers are left out" in figure.hint


def test_the_page_has_the_section_and_its_numbers_are_json() -> None:
    run = run_with(5)
    page = render_report(run, made_assessment(run, made_study(claims=[])))
    assert '<section id="layers"' in page
    figure = layer_figure(run, LEVELS)
    assert figure is not None
    json.dumps(figure.drawn)
    plain = made_run(made_study(claims=[]))
    assert '<section id="layers"' not in render_report(plain, made_assessment(plain, made_study(claims=[])))


def test_deep_networks_leave_a_page_of_bounded_size() -> None:
    """Of a thousand curves of layers those have charts that fit, the first and the last among them."""
    metrics = [f"{family}/hidden.{k}" for family in OF_LAYERS for k in range(200)]
    kept = with_room(("val_loss", *metrics), 48)
    assert len(kept) * 48 * 6 <= MOST_MEANS
    assert kept[0] == "val_loss"
    for family in OF_LAYERS:
        assert {f"{family}/hidden.0", f"{family}/hidden.199"} <= set(kept)
    assert with_room(("val_loss", *metrics[:9]), 48) == ("val_loss", *metrics[:9])
