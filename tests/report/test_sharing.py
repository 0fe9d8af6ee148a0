"""What the report says was held equal is derived from what was varied."""

from dataclasses import replace

import pytest

from ceteris.report.page import _breakable, _marked, make_page, render_report
from tests.report.sample import made_assessment, made_run, made_study


def page_of(vary, **changes):
    study = made_study(vary=vary, claims=[], **changes)
    run = made_run(study)
    return make_page(run, made_assessment(run, study))


def words(vary, **changes):
    return " ".join(page_of(vary, **changes).sharing)


def test_where_the_data_is_not_varied_everything_is_shared():
    told = words({"optimizer.lr": [0.1, 0.01]})
    assert (
        "draws its own train/validation split, and every level of a seed learns from the same rows." in told
    )
    assert "Within a seed all levels read the rows in the same order" in told
    assert "Not equal" not in told
    assert (
        "the same split, the same rows, the same draws" in page_of({"optimizer.lr": [0.1, 0.01]}).effects.hint
    )


def test_a_study_without_validation_rows_is_not_said_to_split_or_to_measure_them():
    study = made_study(vary={"optimizer.lr": [0.1, 0.01]}, claims=[])
    run = made_run(study)
    run = replace(run, facts={**run.facts, "validation_rows": 0, "rows_by_level": {}})
    told = " ".join(make_page(run, made_assessment(run, study)).sharing)
    assert told.startswith(
        "No row is kept to validate on, and every level of a seed learns from the same rows."
    )
    assert "A fixed slice of training rows is measured in evaluation mode" in told
    assert "split" not in told


def test_settings_stand_as_code_in_sentences_and_all_else_is_escaped():
    study = made_study(vary={"data.scale": ["none", "standardize"]}, claims=[])
    run = made_run(study)
    page = render_report(run, made_assessment(run, study))
    assert "Not equal: <code>data.scale</code> is varied" in page
    assert _marked("<b> `a` is `b<` &") == "&lt;b&gt; <code>a</code> is <code>b&lt;</code> &amp;"


def test_names_of_levels_may_be_broken_after_words_and_not_within_numbers():
    assert _breakable("model.dropout=0.25, hidden=[8,<4]") == (
        "model.<wbr>dropout=<wbr>0.25, hidden=<wbr>[8,<wbr>&lt;4]"
    )


@pytest.mark.parametrize(
    ("vary", "told"),
    [
        ({"data.rows": [100, 1000]}, "those of a smaller level are among those of a larger one"),
        (
            {"data.source": ["digits", "wine"]},
            "`data.source` is varied, so levels that differ in it train and",
        ),
        (
            {"data.split": ["per-seed", "fixed"]},
            "with fixed all share one. Not equal: `data.split` is varied",
        ),
        ({"data.validation": [100, 200]}, "Their validation numbers are not about the same rows."),
    ],
)
def test_levels_with_different_rows_are_not_said_to_share_them(vary, told):
    found = words(vary)
    assert told in found
    assert "learns from the same rows" not in found
    assert "all levels read the rows in the same order" not in found
    assert f"levels that agree in `{next(iter(vary))}` read the rows in the same order" in found
    assert "the same rows" not in page_of(vary).effects.hint


def test_levels_with_different_labels_are_told_apart():
    found = words({"data.label_noise": [0, 0.2]})
    assert "some training rows have other labels at one level than at another" in found
    assert "all levels read the rows in the same order" in found


def test_with_folds_levels_with_different_rows_do_not_share_them():
    found = words({"data.rows": [100, 1000]}, folds=3, seeds=2)
    assert "into 3 folds of its own" in found
    assert "learns from the same rows" not in found
