"""Residuals and coefficients: their numbers in closed form, and what is left out."""

from __future__ import annotations

import numpy as np
import pytest

from ceteris.report.extras import Coefficients, Extras, Predicted
from ceteris.report.page import make_page, render_report
from ceteris.report.regression import MOST_POINTS, coefficients, residuals
from tests.report.sample import made_assessment, made_run, made_study

LEVELS = ["0.1", "0.01", "0.001"]


def predicted(level="0.1", n=4, validated=True, offset=0.5):
    targets = np.arange(n, dtype=float)[:, None]
    return Predicted(level, 0, targets, targets - offset, validated)


def made_coefficients(level="0.1", learned=((1.0, 2.0), (3.0, 2.0))):
    return Coefficients(level, ("w1", "b"), np.array([2.5, 2.0]), np.array(learned))


def test_a_residual_is_the_target_minus_the_prediction():
    found = residuals([predicted(offset=0.5)], LEVELS)
    assert found.drawn["series"] == [
        {"level": 0, "points": [[-0.5, 0.5], [0.5, 0.5], [1.5, 0.5], [2.5, 0.5]]}
    ]
    ((level, cells),) = found.rows
    # mean 0.5, spread 0, root mean square 0.5, largest 0.5, R² = 1 - 4 * 0.25 / 5
    assert (level, cells) == ("0.1", ("4", "0.5", "0", "0.5", "0.5", "0.8"))


def test_many_rows_are_thinned_in_the_picture_and_all_in_the_table():
    found = residuals([predicted(n=10_000), predicted("0.01", n=10_000)], LEVELS)
    assert [len(one["points"]) for one in found.drawn["series"]] == [MOST_POINTS // 2] * 2
    assert found.rows[0][1][0] == "10,000"
    assert f"{MOST_POINTS // 2:,} points of a level are drawn" in found.hint
    ends = found.drawn["series"][0]["points"]
    assert (ends[0][0], ends[-1][0]) == (-0.5, pytest.approx(9998.5))


def test_training_rows_are_told_as_such():
    assert "validation rows of seed 0" in residuals([predicted()], LEVELS).hint
    hint = residuals([predicted(validated=False)], LEVELS).hint
    assert "training rows of seed 0" in hint
    assert "a fit flatters itself" in hint


def test_predictions_that_are_no_numbers_are_left_out():
    lost = predicted()
    lost.predictions[0] = np.inf
    assert residuals([lost], LEVELS) is None
    assert residuals([lost, predicted("0.01")], LEVELS).rows[0][0] == "0.01"


def test_coefficients_have_their_truth_mean_and_range():
    found = coefficients([made_coefficients()], LEVELS)
    assert found.drawn["levels"] == [
        {"level": 0, "points": [[0, 2.5, 2.0, 1.0, 3.0], [1, 2.0, 2.0, 2.0, 2.0]]}
    ]
    # errors -1.5, 0, 0.5, 0: root of 2.5 / 4, largest 1.5
    assert found.errors == (("0.1", ("2", "0.7906", "1.5")),)
    assert found.rows == (("w1", ("2.5", "2 ± 1.4")), ("b", ("2", "2 ± 0")))


def test_levels_may_have_different_coefficients_and_truths():
    other = Coefficients("0.01", ("w1",), np.array([4.0]), np.array([[4.5]]))
    found = coefficients([made_coefficients(), other], LEVELS)
    assert found.columns == ("True", "0.1", "0.01")
    assert found.rows[0] == ("w1", ("2.5 or 4", "2 ± 1.4", "4.5"))
    assert found.rows[1] == ("b", ("2", "2 ± 0", "–"))


def test_a_page_without_them_has_no_sections_for_them():
    study = made_study()
    run = made_run(study)
    page = render_report(run, made_assessment(run, study), Extras())
    assert 'id="residuals"' not in page
    assert 'id="coefficients"' not in page


@pytest.mark.browser
def test_the_legend_switches_levels_in_both_charts(opened):
    study = made_study()
    run = made_run(study)
    extras = Extras(
        predicted=(predicted(), predicted("0.01")),
        coefficients=(made_coefficients(), made_coefficients("0.01", ((2.0, 2.0),))),
    )
    assert make_page(run, made_assessment(run, study), extras).figures.residuals.columns[0] == "Rows"
    page = opened(run, made_assessment(run, study), extras)
    dots = {"residuals": "path[fill='#bf7c21']", "coefficients": "[fill='#bf7c21']"}
    for section, dot in dots.items():
        assert page.locator(f"#{section} svg {dot}").count() > 0
    page.get_by_role("button", name="0.01", exact=True).click()
    for section, dot in dots.items():
        assert page.locator(f"#{section} svg {dot}").count() == 0
    assert "Residual (target − prediction)" in page.locator("#residual-plot svg text").all_text_contents()
    assert {"w1", "b"} <= set(page.locator("#coefficient-plot svg text").all_text_contents())
