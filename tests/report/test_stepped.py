"""Figures that are stepped through by epoch: their numbers, and what slider and button do."""

from __future__ import annotations

import numpy as np
import pytest

from ceteris.records.probed import Histogram, Probed
from ceteris.report.confusion import confusion_figure
from ceteris.report.extras import Extras, Fit, FitRows
from ceteris.report.fits import MOST_NUMBERS, MOST_ROWS, MOST_SEEDS, fitted
from ceteris.report.histograms import histogram_figure
from ceteris.report.page import render_report
from tests.report.sample import made_assessment, made_run, made_study

LEVELS = ["0.1", "0.01", "0.001"]
X = np.linspace(0.0, 1.0, 5)


def fit(level="0.1", seed=0, epoch=0, slope=1.0):
    return Fit(level, seed, epoch, X, slope * X)


def probed(value, level="0.1", kind="parameter", name="head.weight", epoch=1, seed=0):
    return Probed(level, seed, 0, f"{level}{seed}", kind, name, epoch, value)


def histogram(low, high, counts, lost=0):
    counts = np.array(counts)
    return Histogram(np.linspace(low, high, len(counts) + 1), counts, lost)


def confusion(counts, **where):
    return probed(np.array(counts), kind="confusion", name="", **where)


def test_every_epoch_has_the_curves_of_its_seeds():
    found = fitted([fit(epoch=e, seed=s, slope=e + s) for s in (0, 1) for e in (0, 5)], None, LEVELS)
    assert found.epochs == (0, 5)
    (level,) = found.drawn["levels"]
    assert [(seed["seed"], [curve["epoch"] for curve in seed["curves"]]) for seed in level["seeds"]] == [
        (0, [0, 5]),
        (1, [0, 5]),
    ]
    assert level["seeds"][1]["curves"][1]["points"][-1] == [1.0, 6.0]


def test_seeds_epochs_and_rows_are_limited_with_the_last_epoch_kept():
    epochs = MOST_NUMBERS // (len(X) * MOST_SEEDS) + 50
    fits = [fit(seed=seed, epoch=epoch) for seed in range(8) for epoch in range(epochs)]
    rows = FitRows(0, np.arange(2000.0), np.arange(2000.0))
    found = fitted(fits, rows, LEVELS)
    assert len(found.drawn["levels"][0]["seeds"]) == MOST_SEEDS
    assert len(found.epochs) * len(X) * MOST_SEEDS <= MOST_NUMBERS
    assert (found.epochs[0], found.epochs[-1]) == (0, epochs - 1)
    assert len(found.drawn["rows"]) == MOST_ROWS


def test_trials_of_a_level_share_a_histogram_whose_area_is_one():
    own = [histogram(0, 2, [1, 1]), histogram(1, 3, [4, 4])]
    found = histogram_figure([probed(one, seed=seed) for seed, one in enumerate(own)], LEVELS)
    (view,) = found.drawn["views"].values()
    (step,) = view["levels"][0]["steps"]
    assert (step["low"], step["high"]) == (0, 3)
    # edges 0, 1.5, 3: of the first one 1.5 and 0.5, of the second 2 and 6
    assert step["shares"] == pytest.approx([0.35, 0.65])


def test_the_table_tells_where_the_numbers_lie_after_the_last_epoch():
    early, late = histogram(0, 1, [1] * 10), histogram(-1, 1, [10] * 10, lost=3)
    found = histogram_figure([probed(early, epoch=1), probed(late, epoch=9)], LEVELS)
    assert found.views[0].title == "Parameters of head.weight"
    assert found.views[0].rows == (("0.1", ("−1", "−0.9", "0", "0.9", "1", "3")),)


def test_parameters_come_first_and_a_spike_starts_on_a_logarithmic_axis():
    spiky = probed(histogram(0, 1, [100, 1, 2]), kind="activation", name="hidden.0")
    found = histogram_figure([spiky, probed(histogram(0, 1, [1, 2, 1]))], LEVELS)
    assert [view.key for view in found.views] == ["parameter head.weight", "activation hidden.0"]
    assert [view["log"] for view in found.drawn["views"].values()] == [False, True]


def test_numbers_that_are_all_one_or_not_finite_do_no_harm():
    constant = probed(histogram(0, 0, [0, 8]))
    found = histogram_figure([constant, probed(histogram(0, 1, [0, 0], lost=9), level="0.01")], LEVELS)
    (view,) = found.drawn["views"].values()
    (step,) = view["levels"][0]["steps"]
    assert step["low"] < 0 < step["high"]
    assert step["shares"] == [1.0]
    assert [level for level, _ in found.views[0].rows] == ["0.1"]


def test_confusion_counts_are_summed_over_trials_and_shown_in_percent_of_the_true_class():
    found = confusion_figure(
        [
            confusion([[3, 1], [0, 4]]),
            confusion([[1, 3], [0, 4]], seed=1),
            confusion([[2, 2], [2, 2]], level="0.01"),
        ],
        LEVELS,
        ["猫", "狗"],
    )
    assert found.drawn["levels"][0]["steps"] == [{"epoch": 1, "counts": [[4, 4], [0, 8]]}]
    assert found.rows == (("猫", (("50", 0.5), ("50", 0.5))), ("狗", (("", 0.0), ("100", 1.0))))
    assert found.levels == ((0, "0.1"), (1, "0.01"))


def test_nothing_measured_makes_no_figure():
    assert fitted([], None, LEVELS) is None
    assert histogram_figure([], LEVELS) is None
    assert confusion_figure([], LEVELS, ["a", "b"]) is None
    study = made_study()
    run = made_run(study)
    page = render_report(run, made_assessment(run, study))
    assert not any(f'<section id="{name}"' in page for name in ("fits", "histograms", "confusion"))


EXTRAS = Extras(
    fits=tuple(fit(level, epoch=epoch, slope=epoch) for level in ("0.1", "0.01") for epoch in (0, 2, 7)),
    fit_rows=FitRows(0, X, X),
    histograms=tuple(
        probed(histogram(0, 1 + epoch, [1, 2]), level, epoch=epoch)
        for level in ("0.1", "0.01")
        for epoch in (0, 7)
    ),
    confusions=tuple(
        confusion(np.eye(10, dtype=int) * epoch + 1, level=level, epoch=epoch)
        for level in ("0.1", "0.01")
        for epoch in (0, 990)
    ),
)


def open_page(opened):
    study = made_study()
    run = made_run(study)
    return opened(run, made_assessment(run, study), EXTRAS)


def outline(page, color="#bf7c21"):
    return page.locator(f"#fit-plot svg path[stroke='{color}']").first.get_attribute("d")


@pytest.mark.browser
def test_the_slider_steps_through_epochs_from_the_keyboard(opened):
    page = open_page(opened)
    box = page.locator("[data-stepper='fits']")
    assert box.locator("output").text_content() == "7"
    last = outline(page)
    page.get_by_label("Epoch of fits", exact=True).focus()
    page.keyboard.press("ArrowLeft")
    assert box.locator("output").text_content() == "2"
    assert outline(page) != last
    page.keyboard.press("End")
    assert outline(page) == last
    page.get_by_role("button", name="0.01", exact=True).click()
    assert page.locator("#fit-plot svg path[stroke='#bf7c21']").count() == 0


@pytest.mark.browser
def test_the_button_plays_from_the_start_to_the_end(opened):
    page = open_page(opened)
    box = page.locator("[data-stepper='fits']")
    button = box.get_by_role("button")
    button.click()
    assert box.locator("output").text_content() == "0"
    assert button.text_content() == "Pause"
    box.locator("output", has_text="7").wait_for()
    assert button.text_content() == "Play"


@pytest.mark.browser
def test_histograms_and_confusion_follow_their_own_sliders(opened):
    page = open_page(opened)
    ticks = page.locator("#histogram-plot svg text")
    assert "8" in ticks.all_text_contents()
    page.get_by_label("Epoch of histograms", exact=True).focus()
    page.keyboard.press("Home")
    assert "8" not in ticks.all_text_contents()
    first = page.locator("#confusion-table tbody td").first
    assert first.text_content() == "99"
    page.get_by_label("Epoch of confusion", exact=True).focus()
    page.keyboard.press("Home")
    assert first.text_content() == "10"
    page.locator("#confusion-level").select_option("1")
    assert first.text_content() == "10"
