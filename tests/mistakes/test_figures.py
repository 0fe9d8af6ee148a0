"""Mistake 18 of the catalogue: figures that are drawn while training, and figures that lie."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from html import unescape
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

import ceteris
from ceteris.api.result import Result
from ceteris.data import Preparation, load
from ceteris.functions.activations import ACTIVATIONS
from ceteris.functions.entry import sampled
from ceteris.functions.page import figure_of, functions_of
from ceteris.train.loop import train_cohort
from ceteris.train.messages import EpochMeasured, Message
from tests.train.runs import Outcome, cohorts, plan

from .conftest import Run

DRAWING = ("ceteris.report", "ceteris.functions", "ceteris.web", "jinja2", "matplotlib")


def what_draws() -> Callable[..., float]:
    """Return a metric that counts what draws in the process that trains; it travels there by value."""

    def drawing(outputs: torch.Tensor, targets: torch.Tensor) -> float:
        return float(sum(name.startswith(DRAWING) for name in sys.modules))

    return drawing


@pytest.fixture(scope="module")
def result(run: Run) -> Result:
    """A study of two rates with figures of every kind; its workers are started and import what they need."""
    asked = {"histograms": "all", "confusion": "all"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ceteris.lab.crew.subprocess", subprocess)
        return run({"optimizer.lr": [0.1, 0.01]}, probes=asked, metrics=[what_draws()])


@pytest.fixture(scope="module")
def page(result: Result) -> str:
    return result.report().read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def drawn(page: str) -> dict[str, Any]:
    """The numbers that the page draws."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert found is not None
    numbers: dict[str, Any] = json.loads(found[1])
    return numbers


def test_18_what_trains_cannot_draw(result: Result) -> None:
    assert all((trial.curves["val_drawing"] == 0).all() for trial in result.trials)


def test_18_the_seconds_of_a_trial_hold_nothing_of_who_looks_on() -> None:
    digits, outcome = Preparation(load("digits")), Outcome()
    (cohort,) = cohorts([plan("t", data={"source": "digits", "rows": 100})], digits)

    def look(message: Message) -> None:
        outcome.messages.append(message)
        time.sleep(0.4 if isinstance(message, EpochMeasured) else 0)

    begin = time.perf_counter()
    train_cohort(cohort, digits, emit=look)
    assert outcome.ended["t"].seconds < time.perf_counter() - begin - 0.8


def test_18_a_report_changes_no_seconds(result: Result, page: str) -> None:
    seconds = [trial.seconds for trial in result.run.trials]
    result.report()
    again = ceteris.load_run(result.id, runs_dir=result.run.folder.parent)
    assert [trial.seconds for trial in again.run.trials] == seconds


def test_18_every_chart_is_called_by_the_metric_that_it_draws(
    result: Result, page: str, drawn: dict[str, Any]
) -> None:
    figures = re.findall(r"<figure><figcaption>(.*?)</figcaption>.*?data-metric=\"(.*?)\"", page, re.S)
    titles = {metric: unescape(title) for title, metric in figures}
    words = {"train_loss": "Training loss", "val_loss": "Validation loss"}
    words |= {"train_accuracy": "Training accuracy", "val_accuracy": "Validation accuracy"}
    assert titles.items() >= words.items()
    assert len(set(titles.values())) == len(titles)
    assert drawn["epochs"] == [1, 2, 3]
    for place, level in enumerate(result.levels):
        assert drawn["levels"][place]["label"] == level.level
        own = [trial for trial in result.trials if trial.level == level.level]
        for metric in words:
            mean = np.mean([trial.curves[metric] for trial in own], axis=0)
            np.testing.assert_allclose(drawn["curves"][metric]["mean"][place], mean, rtol=1e-3)


def test_18_histograms_hold_every_number_once_and_equal_areas(result: Result, drawn: dict[str, Any]) -> None:
    counted = result.histograms()
    parameters = counted[(counted.kind == "parameter") & (counted.level == "0.1") & (counted.epoch == 3)]
    sizes = parameters.groupby(["name", "seed"])["count"].sum()
    for (name, seed), count in sizes.items():
        assert count == result.trial(0.1, seed).weights()[name].size
    views = drawn["histograms"]["views"]
    shares = [sum(step["shares"]) for v in views.values() for own in v["levels"] for step in own["steps"]]
    assert shares
    np.testing.assert_allclose(shares, 1, atol=5e-3)


def test_18_confusion_counts_are_of_all_validation_rows_in_the_order_of_the_classes(
    result: Result, drawn: dict[str, Any]
) -> None:
    rows = result.run.facts["validation_rows"] * 2  # of two seeds
    for place, own in enumerate(drawn["confusion"]["levels"]):
        last = np.array(own["steps"][-1]["counts"])
        accuracies = [
            t.metrics["val_accuracy"] for t in result.trials if t.level == result.levels[place].level
        ]
        assert last.sum() == rows
        assert np.trace(last) / rows == pytest.approx(np.mean(accuracies))


@pytest.mark.parametrize("kind", ["activations", "losses"])
def test_18_ticks_of_the_figures_of_functions_stand_where_their_values_are(kind: Any) -> None:
    """Read as a reader does: positions of tick labels give the scale, by which points give values back."""
    space = {"svg": "http://www.w3.org/2000/svg"}
    root = ElementTree.fromstring(figure_of(kind, -4.0, 4.0))
    panels = root.findall("svg:g", space)
    functions = functions_of(kind)
    assert len(panels) == len(functions)
    for panel, one in zip(panels, functions, strict=True):
        title, *labels = panel.findall("svg:text", space)
        assert title.text == one.name
        up = [t for t in labels if t.get("text-anchor") == "end"]
        across = [t for t in labels if t.get("text-anchor") == "middle"]
        x_of = scale([(float(t.get("x", "")), float(t.text or "")) for t in across])
        # A label's baseline stands 4 below the line that it belongs to.
        y_of = scale([(float(t.get("y", "")) - 4, float(t.text or "")) for t in up])
        points = panel.findall("svg:polyline", space)[0].get("points", "")
        found = np.array([[float(n) for n in pair.split(",")] for pair in points.split()])
        curve = sampled(one, -4.0, 4.0)
        np.testing.assert_allclose(x_of(found[:, 0]), curve.x, atol=0.01 * np.ptp(curve.x))
        np.testing.assert_allclose(y_of(found[:, 1]), curve.y, atol=0.01 * max(np.ptp(curve.y), 1))


def scale(pairs: list[tuple[float, float]]) -> Any:
    """Return the straight line through (position, value), which all of them have to lie on."""
    places, values = np.array(pairs).T
    line = np.polynomial.Polynomial.fit(places, values, 1)
    np.testing.assert_allclose(line(places), values, atol=0.01 * np.ptp(values))
    return line


@pytest.mark.parametrize("one", ACTIVATIONS, ids=lambda one: one.name)
def test_18_no_function_is_normalised_over_the_grid_that_it_is_drawn_on(one: Any) -> None:
    wide, narrow = sampled(one, -8.0, 8.0, 17), sampled(one, -1.0, 1.0, 3)
    np.testing.assert_array_equal(wide.y[7:10], narrow.y)
