"""The report in a real browser: what a click does, and that no case breaks the page."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.report.sample import CLASSIFICATION, made_assessment, made_run, made_study

pytestmark = pytest.mark.browser


def made(study=None, **changes):
    study = study or made_study()
    run = made_run(study, **changes)
    return run, made_assessment(run, study)


def strokes(page, metric):
    """Colours of the curves that are drawn in a chart, as a set."""
    paths = page.locator(f".chart[data-metric='{metric}'] svg path[stroke-width='2']")
    return set(paths.evaluate_all("all => all.map(path => path.getAttribute('stroke'))"))


def axis_labels(page, metric):
    return page.locator(f".chart[data-metric='{metric}'] svg text").all_text_contents()


def legend(page, label):
    return page.get_by_role("button", name=label, exact=True)


def test_a_click_on_the_legend_hides_a_level_in_all_charts_and_another_brings_it_back(opened):
    page = opened(*made())
    before = {metric: strokes(page, metric) for metric in CLASSIFICATION}
    assert {len(colors) for colors in before.values()} == {3}
    legend(page, "0.01").click()
    for metric in CLASSIFICATION:
        assert before[metric] - strokes(page, metric) == {"#bf7c21"}
    assert "0.01" not in page.locator("#effect-chart svg text").all_text_contents()
    assert legend(page, "0.01").get_attribute("aria-pressed") == "false"
    legend(page, "0.01").click()
    assert {metric: strokes(page, metric) for metric in CLASSIFICATION} == before


def test_the_legend_works_from_the_keyboard(opened):
    page = opened(*made())
    legend(page, "0.1").focus()
    page.keyboard.press("Space")
    assert len(strokes(page, "val_loss")) == 2


def test_none_and_all(opened):
    page = opened(*made(made_study(vary={"optimizer.lr": [0.4, 0.3, 0.2, 0.1]}, claims=[])))
    page.get_by_role("button", name="hide all").click()
    assert strokes(page, "val_loss") == set()
    assert page.locator(".chart.nothing").count() == 5
    page.get_by_role("button", name="show all 4").click()
    assert len(strokes(page, "val_loss")) == 4


def test_the_loss_axis_can_be_logarithmic_and_accuracy_stays_linear(opened):
    page = opened(*made())
    accuracy = axis_labels(page, "val_accuracy")
    assert {"0", "1", "2"} <= set(axis_labels(page, "val_loss"))
    page.get_by_role("switch", name="Logarithmic loss axis").click()
    for metric in ("train_loss", "val_loss"):
        assert {"0.25", "0.5", "1", "2"} <= set(axis_labels(page, metric))
        assert "0" not in axis_labels(page, metric)
    assert axis_labels(page, "val_accuracy") == accuracy


PLACES = """chart => {
  const box = node => node.getBoundingClientRect();
  const middle = node => box(node).top + box(node).height / 2;
  const ticks = [...chart.querySelectorAll('svg text')].map(t => [t.textContent, box(t).right, middle(t)]);
  const lines = [...chart.querySelectorAll("svg path[stroke-width='2']")];
  return [ticks, lines.map(line => [box(line).top, box(line).bottom])];
}"""


def values_by_ticks(page, metric):
    """Read a chart as a reader does: the scale by its tick labels, then the extremes of each curve."""
    ticks, lines = page.locator(f".chart[data-metric='{metric}']").evaluate(PLACES)
    edge = min(right for _, right, _ in ticks)
    own = [(top, float(text)) for text, right, top in ticks if abs(right - edge) < 1]
    places, values = np.array(own).T
    scale = np.polynomial.Polynomial.fit(places, values, 1)
    np.testing.assert_allclose(scale(places), values, atol=0.01 * np.ptp(values))
    return [(scale(bottom), scale(top)) for top, bottom in lines], np.ptp(values)


def test_tick_labels_stand_where_their_values_are_also_when_a_level_is_hidden(opened):
    run, assessment = made()
    page = opened(run, assessment)
    curves = [level.curves["val_loss"].mean for level in assessment.levels]
    for shown in (curves, curves[:2]):
        found, span = values_by_ticks(page, "val_loss")
        assert len(found) == len(shown)
        extremes = [(min(curve), max(curve)) for curve in shown]
        np.testing.assert_allclose(sorted(found), sorted(extremes), atol=0.02 * span)
        legend(page, assessment.levels[2].level).click()


def test_single_seeds_are_drawn_on_demand(opened):
    page = opened(*made())
    thin = page.locator(".chart[data-metric='val_loss'] svg path[stroke-width='0.8']")
    assert thin.count() == 0
    page.get_by_role("switch", name="Single seeds").click()
    assert thin.count() == 15


def test_another_measurement_can_be_chosen(opened):
    page = opened(*made())
    chart = page.locator("#further-chart")
    assert chart.get_attribute("data-metric") == "lr"
    page.get_by_role("combobox", name="Measurement").select_option("grad_norm")
    assert chart.get_attribute("data-metric") == "grad_norm"
    assert len(strokes(page, "grad_norm")) == 3


def test_effects_in_another_metric_bring_their_own_table(opened):
    page = opened(*made())
    page.get_by_label("Measured by").select_option("val_loss")
    page.get_by_text("The numbers, and how sure they are").click()
    shown = page.locator("[data-effects]:visible")
    assert shown.count() == 1
    assert "Difference in validation loss" in shown.text_content()
    drawn = page.locator("#effect-chart svg text").all_text_contents()
    written = shown.locator("td.number").first.text_content()
    assert written in drawn


def test_hovering_a_chart_tells_every_level_at_that_epoch(opened):
    page = opened(*made())
    page.locator(".chart[data-metric='val_loss']").hover()
    tip = page.locator(".chart[data-metric='val_loss'] .tip-row")
    assert tip.count() == 3
    assert tip.first.text_content().startswith("0.1")
    assert "[" in tip.first.text_content()


def test_text_of_the_user_is_shown_as_it_is_and_runs_nothing(opened):
    label = "<img src=x onerror=alert(1)> {b|x} 学习率"
    study = made_study(
        title="</script><b>为什么</b>？",
        vary={"rate": {label: {"optimizer.lr": 0.1}, "其他": {"optimizer.lr": 0.01}}},
        claims=[],
    )
    page = opened(*made(study))
    assert page.locator("h1").text_content() == "</script><b>为什么</b>？"
    assert legend(page, label).count() == 1
    page.locator(".chart[data-metric='val_loss']").hover()
    assert page.locator(".tip-row span").first.text_content() == label
    assert "其他" in page.locator("#effect-chart svg text").all_text_contents()
    assert page.locator("img").count() == 0


@pytest.mark.parametrize("width", [400, 1180])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_window(opened, width, scheme):
    study = made_study(
        vary={
            "rate": {
                f"a rather long label, number {k} 很长的标签": {"optimizer.lr": 0.1 / 2**k} for k in range(8)
            }
        },
        claims=[],
        seeds=2,
    )
    page = opened(*made(study), viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def everything_diverged():
    return made(diverged={(level, seed): 100 for level in ("0.1", "0.01", "0.001") for seed in range(5)})


@pytest.mark.parametrize(
    "case",
    [
        lambda: made(made_study(vary={}, claims=[])),
        lambda: made(made_study(seeds=1)),
        lambda: made(made_study(vary={"epochs": [1]}, claims=[])),
        lambda: made(made_study(claims=[]), metrics=("train_loss", "val_loss")),
        lambda: made(diverged={("0.1", 2): 150}),
        lambda: made(made_study(vary={"optimizer.lr": [0.1, 0.01], "batch_size": [32, 64]}, claims=[])),
        lambda: made(
            made_study(vary={"optimizer.lr": [round(0.01 * k, 2) for k in range(1, 21)]}, claims=[], seeds=3)
        ),
    ],
    ids=["one level", "one seed", "one epoch", "regression", "diverged", "two factors", "twenty levels"],
)
def test_every_shape_of_a_study_draws_its_levels(opened, case):
    run, assessment = case()
    page = opened(run, assessment)
    drawn = page.locator(".chart[data-metric='val_loss'] svg path").count()
    assert drawn >= len(assessment.levels)
    page.get_by_role("switch", name="Logarithmic loss axis").click()
    page.locator(".chart[data-metric='val_loss']").hover()


def test_a_study_without_a_single_mean_draws_the_seeds_as_far_as_they_got(opened):
    page = opened(*everything_diverged())
    assert "Every trial that ended diverged" in page.locator("#answer").text_content()
    assert page.locator(".chart[data-metric='val_loss'] svg path[stroke-width='0.8']").count() == 15
    page.get_by_role("switch", name="Single seeds").click()
    assert page.locator(".chart.nothing").count() == 5


def test_on_paper_everything_is_light_and_no_wider_than_the_page(opened):
    page = opened(*made(), color_scheme="dark", viewport={"width": 690, "height": 900})
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert not page.get_by_role("switch", name="Single seeds").is_visible()
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 31, 39)"
    box = page.locator("#levels table").bounding_box()
    assert box["x"] + box["width"] <= 690
    assert strokes(page, "val_loss") == {"#2d47b5", "#bf7c21", "#2ca38d"}
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert strokes(page, "val_loss") == {"#5b7cf0", "#efbf16", "#6fe3c3"}


def test_a_narrow_page_with_everything_unfolded_is_not_wider_than_its_window(opened):
    vary = {"optimizer.lr": [0.1, 0.01], "batch_size": [32, 64]}
    page = opened(*made(made_study(vary=vary, claims=[])))
    page.set_viewport_size({"width": 420, "height": 900})
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    # Charts follow the window a moment later.
    page.wait_for_function("document.documentElement.scrollWidth <= 420", timeout=20_000)


def test_a_long_verdict_stands_beside_its_claim_and_not_on_it(opened):
    study = made_study()
    run = made_run(study)
    run = replace(run, trials=run.trials[:-1])
    page = opened(run, made_assessment(run, study))
    rows = page.locator(".claims li")
    assert "provisional" in rows.first.locator(".badge").text_content()
    for row in rows.all():
        badge, text = (row.locator(part).first.bounding_box() for part in (".badge", ".text"))
        assert badge["x"] + badge["width"] <= text["x"]


def test_with_two_factors_the_names_in_the_chart_of_differences_are_whole(opened):
    vary = {"optimizer.lr": [0.1, 0.01], "batch_size": [32, 64]}
    page = opened(*made(made_study(vary=vary, claims=[])))
    texts = page.locator("#effect-chart svg text").all_text_contents()
    assert "lr 0.01, batch_size 64" in texts
    assert not any("..." in text or "…" in text for text in texts)


def test_a_score_is_drawn_against_the_numbers_of_a_factor(opened):
    page = opened(*made())
    plot = page.locator("[data-sweep='sweep-0']")
    texts = plot.locator("svg text").all_text_contents()
    assert {"0.001", "0.01", "0.1", "optimizer.lr", "Accuracy"} <= set(texts)
    assert plot.locator("svg path[stroke-width='2'][stroke-dasharray]").count() == 1  # training
    page.locator("#sweeps summary").click()
    page.locator("[data-view-for='sweep-0']").select_option("gap_loss")
    assert page.locator("[data-table-of='sweep-0']:visible").count() == 1
    assert "Validation minus training loss" in plot.locator("svg text").all_text_contents()
    plot.hover(position={"x": 200, "y": 100})
    assert "[" in plot.locator(".tip-row").first.text_content()


def test_measurements_of_layers_are_drawn_over_the_layers(opened):
    layers = [f"{family}/hidden.{k}" for family in ("activation_var", "dead") for k in range(5)]
    page = opened(*made(metrics=(*CLASSIFICATION, *layers)))
    wide, thin = (
        page.locator(f"#layer-plot svg path[{style}][fill='none']")
        for style in ("stroke-width='2'", "stroke-opacity='0.55'")
    )
    assert (wide.count(), thin.count()) == (3, 3)
    assert {"1", "3", "5"} <= set(page.locator("#layer-plot svg text").all_text_contents())
    legend(page, "0.01").click()
    assert wide.count() == 2
    page.locator("#layer-view").select_option("dead")
    tables = page.locator("[data-layer-table]")
    assert [tables.nth(k).get_attribute("hidden") is None for k in range(2)] == [False, True]
