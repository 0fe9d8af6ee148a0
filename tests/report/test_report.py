"""What stands on the page, without a browser."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from ceteris.report.curves import MOST_SINGLE, thinned
from ceteris.report.fragment import report_fragment
from ceteris.report.page import make_page, render_report, write_report
from tests.report.sample import CLASSIFICATION, made_assessment, made_run, made_study

HOSTILE = """</script><script>alert(1)</script> "a" 'b' & \u2028 学习率"""
SECTIONS = [
    "claims",
    "levels",
    "effects",
    "sweeps",
    "curves",
    "further",
    "equal",
    "varied",
    "notes",
    "facts",
    "again",
]


class Structure(HTMLParser):
    """Collects tags, section names in order, texts, and every attribute that could load something."""

    def __init__(self, html):
        super().__init__()
        self.sections, self.loads, self.scripts, self.open, self.text = [], [], 0, [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.sections += [attributes["id"]] if tag == "section" else []
        self.loads += [v for k, v in attrs if k in ("src", "href", "srcset", "data", "action", "poster")]
        self.scripts += tag == "script"
        self.open += [] if tag in ("meta", "input", "br") else [tag]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, text):
        if "script" not in self.open and "style" not in self.open:
            self.text.append(text)


def made(study=None, **run_changes):
    study = study or made_study()
    run = made_run(study, **run_changes)
    return run, made_assessment(run, study)


def structure_of(run, assessment):
    return Structure(render_report(run, assessment))


def data_of(html):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', html).group(1))


def test_the_sections_stand_in_their_order_and_nothing_is_loaded_from_anywhere():
    page = structure_of(*made())
    assert page.sections == SECTIONS
    assert page.loads == []
    assert page.scripts == 3
    assert page.open == []


def test_a_report_is_one_complete_file_below_a_megabyte(tmp_path):
    study = made_study(seeds=10, vary={"optimizer.lr": [0.3, 0.1, 0.03, 0.01, 0.003, 0.001]}, claims=[])
    study = study.model_copy(update={"experiment": study.experiment.model_copy(update={"epochs": 50})})
    path = write_report(*made(study), tmp_path / "new" / "report.html")
    assert path.stat().st_size < 1_000_000
    assert path.read_text(encoding="utf-8").endswith("</html>")
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_a_report_that_cannot_be_finished_leaves_the_old_one(tmp_path, monkeypatch):
    path = write_report(*made(), tmp_path / "report.html")
    before = path.read_bytes()

    def full(self, target):
        raise OSError("no space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="no space"):
        write_report(*made(), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_claims_carry_their_verdicts_in_words():
    run, assessment = made()
    page = make_page(run, assessment)
    assert [(claim.verdict, claim.style) for claim in page.claims] == [
        ("supported", "supported"),
        ("contradicted", "contradicted"),
        ("not established", "open"),
    ]
    assert page.answer.startswith("The mean validation accuracy ends highest with lr 0.1, at 0.95")
    assert page.answer.endswith("of 3 claims, 1 is supported, 1 is contradicted and 1 is not established.")
    assert re.search(r"take between \d+ and \d+ seeds", page.claims[2].sentence)


def test_every_mean_of_several_seeds_stands_with_its_interval():
    page = make_page(*made())
    cells = [cell for row in page.levels.rows for cell in row.cells]
    assert len(cells) == 12
    assert all(re.fullmatch(r"\[\d\.\d+, \d\.\d+\]", cell.interval) for cell in cells)
    assert all(re.search(r"\[.+\]", row.text) for view in page.effects.views for row in view.rows)


def test_the_numbers_of_the_table_are_those_of_the_trials():
    run, assessment = made()
    ends = [t.curves["val_accuracy"][-1] for t in run.trials if t.level == "0.01"]
    cell = make_page(run, assessment).levels.rows[1].cells[0]
    assert float(cell.mean) == pytest.approx(np.mean(ends), abs=1e-4)


def test_the_charts_hold_the_curves_that_were_recorded():
    run, assessment = made()
    data = data_of(render_report(run, assessment))
    trials = [t for t in run.trials if t.level == "0.1"]
    np.testing.assert_allclose(data["seeds"]["grad_norm"][0][3], trials[3].curves["grad_norm"], rtol=1e-3)
    mean = np.mean([t.curves["val_loss"] for t in trials], axis=0)
    np.testing.assert_allclose(data["curves"]["val_loss"]["mean"][0], mean, rtol=1e-4)
    assert np.all(np.array(data["curves"]["val_loss"]["low"][0]) < mean)
    assert [
        (row["level"], row["low"] < row["effect"] < row["high"]) for row in data["effects"]["val_loss"]
    ] == [
        (1, True),
        (2, True),
    ]


def test_what_was_held_equal_and_how_alike_that_made_the_levels():
    page = make_page(*made())
    equal = {setting.path for group in page.settings.equal.values() for setting in group}
    assert page.settings.varied == ("optimizer.lr",)
    assert {"batch_size", "model.hidden", "data.source", "epochs"} <= equal
    assert page.sharing[0].startswith("Each seed draws its own train/validation split")
    assert re.search(r"paired correlation .* is 0\.\d\d \(median of 3 pairs", page.sharing[-1])


def test_how_to_run_it_again():
    again = make_page(*made()).again
    assert "ceteris resume 20261122-084512-learning-rate-3f2a" in again.commands
    assert re.search(r"--seeds \d+", again.commands)
    assert "ceteris run digits/learning-rate" in again.commands
    assert "ceteris.load_run('20261122-084512-learning-rate-3f2a')" in again.python
    assert ("torch", "2.13.0") in again.facts
    assert ("Seeds", "0, 1, 2, 3, 4") in again.facts
    assert "optimizer.lr" in again.study


def test_strings_of_the_user_are_text_wherever_they_stand():
    study = made_study(
        title=HOSTILE,
        vary={HOSTILE: {HOSTILE: {"optimizer.lr": 0.1}, "其他": {"optimizer.lr": 0.01}}},
        claims=[{"text": HOSTILE, "metric": "val_loss", "less": [HOSTILE, "其他"]}],
    )
    run, assessment = made(study, facts={"name": HOSTILE, "classes": ["猫", "</script>"]}, study_name=HOSTILE)
    html = render_report(run, assessment)
    page = Structure(html)
    assert page.scripts == 3
    assert "<script>alert" not in html
    assert data_of(html)["levels"][0]["label"] == HOSTILE
    assert "猫, </script>" in "".join(page.text)
    assert "<script" not in report_fragment(run, assessment)


def test_diverged_trials_are_named_with_their_step():
    page = make_page(*made(diverged={("0.1", 2): 150}))
    assert "1 of 15 trials diverged" in page.warnings[0]
    assert "0.1: diverged at optimisation step 150, counted from 0." in page.notes
    assert page.levels.rows[0].trials == "4 finished, 1 diverged"
    assert "over the 4 of 5 seeds that did not diverge" in page.answer
    assert "ranks decide" in page.effects.hint
    assert re.search(r"in the median, p [=<] [01]", page.effects.views[0].rows[0].text)


def test_a_study_in_which_everything_diverged_shows_no_number_and_still_opens():
    everywhere = {(level, seed): 100 for level in ("0.1", "0.01", "0.001") for seed in range(5)}
    run, assessment = made(diverged=everywhere)
    page = make_page(run, assessment)
    assert page.answer == "Every trial that ended diverged; none of the 3 claims is established."
    assert all(cell.mean == "–" for row in page.levels.rows for cell in row.cells)
    assert structure_of(run, assessment).open == []


def test_one_seed_has_no_interval_and_says_so():
    run, assessment = made(made_study(seeds=1))
    page = make_page(run, assessment)
    assert page.answer.startswith("With one seed nothing can be established")
    assert "One seed has no interval" in page.levels.hint
    assert data_of(render_report(run, assessment))["curves"]["val_loss"]["low"] is None


def test_levels_that_do_not_differ_are_not_ranked_as_if_they_did():
    study = made_study(vary={"model.bias": [False, True]}, claims=[])
    run = made_run(study)
    first = {t.seed: t.curves for t in run.trials if t.level == "false"}
    noise = np.random.default_rng(0)
    curves = {s: {m: c + 0.01 * noise.standard_normal(len(c)) for m, c in first[s].items()} for s in first}
    run = replace(
        run, trials=tuple(replace(t, curves=curves[t.seed]) if t.level == "true" else t for t in run.trials)
    )
    page = make_page(run, made_assessment(run, study))
    assert re.search(
        r"with bias (true|false), .* but no difference between these two is established\.$", page.answer
    )


def test_one_level_has_no_effects_and_no_claims():
    run, assessment = made(made_study(vary={}, claims=[]))
    absent = ("claims", "effects", "sweeps")
    assert structure_of(run, assessment).sections == [s for s in SECTIONS if s not in absent]
    assert re.match(r"The validation accuracy ends at 0\.\d+ \[", make_page(run, assessment).answer)


def test_regression_has_no_accuracy():
    study = made_study(claims=[])
    page = make_page(*made(study, metrics=("train_loss", "val_loss", "lr")))
    assert page.levels.metrics == ("Validation loss", "Training loss")
    assert [row.kind for row in page.curves.rows] == ["loss"]
    assert page.answer.startswith("The mean validation loss ends lowest with lr 0.1")


def test_a_metric_of_the_users_own_has_charts_beside_each_other():
    study = made_study(claims=[])
    page = make_page(*made(study, metrics=(*CLASSIFICATION, "train_f1", "val_f1")))
    assert page.curves.rows[-1].panels == (("train_f1", "Training f1"), ("val_f1", "Validation f1"))


def test_two_factors_tell_theirs_apart_by_colour_and_dash():
    study = made_study(vary={"optimizer.lr": [0.1, 0.01], "batch_size": [32, 64, 128]}, claims=[])
    data = data_of(render_report(*made(study)))
    assert [(level["color"], level["dash"]) for level in data["levels"]] == [
        (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)
    ]  # fmt: skip


def test_twenty_levels_are_compared_with_their_neighbours():
    study = made_study(vary={"optimizer.lr": [round(0.01 * k, 2) for k in range(1, 21)]}, claims=[], seeds=3)
    page = make_page(*made(study))
    assert "Each level minus the level before it" in page.effects.hint
    assert len({(level["color"], level["dash"]) for level in page.curves.data["levels"]}) == 20


def test_an_unfinished_run_is_called_provisional():
    run, _ = made()
    part = tuple(replace(t, status="pending", curves={}) if t.seed > 2 else t for t in run.trials)
    run = replace(run, trials=part, status="stopped")
    page = make_page(run, made_assessment(run, made_study()))
    assert page.warnings[0].startswith("Provisional: this run stopped before its end")
    assert page.levels.rows[0].trials == "3 finished, 2 to come"


def test_an_extended_run_says_that_it_was_looked_at_twice():
    page = make_page(*made(looks=1, first_seeds=3))
    assert any("first had 3 seeds; it was extended" in note for note in page.notes)
    assert page.notes[-1].startswith("The test rows took no part")


def test_long_curves_are_thinned_to_what_a_page_can_hold():
    study = made_study(claims=[])
    study = study.model_copy(update={"experiment": study.experiment.model_copy(update={"epochs": 2000})})
    page = make_page(*made(study))
    data = page.curves.data
    assert data["seed_epochs"][0] == 1
    assert data["seed_epochs"][-1] == 2000
    assert len(data["seed_epochs"]) * 15 * 8 <= MOST_SINGLE
    assert len(page.data) < 2_000_000
    assert any("leave out some epochs" in note for note in page.notes)


def test_thinning_keeps_both_ends_and_the_limit():
    for epochs in (1, 2, 7, 100):
        for most in (0, 2, 3, 50):
            at = thinned(epochs, most)
            assert len(at) <= max(2, most)
            assert (at[0], at[-1]) == (0, epochs - 1)


def test_the_fragment_has_the_answer_the_verdicts_and_the_table_and_no_script():
    html = report_fragment(*made())
    assert "<script" not in html
    assert html.count("<tr>") == 4
    for words in ("ends highest with lr 0.1", "contradicted", "Validation accuracy", "5 finished"):
        assert words in html
    assert Structure(html).open == []


def test_folds_are_told_wherever_a_mean_is_and_among_what_was_held_equal():
    run, assessment = made(made_study(seeds=3, folds={"k": 4, "kind": "stratified"}))
    page = make_page(run, assessment)
    assert "3 levels × 3 seeds × 4 folds" in page.overline
    assert "Mean over 3 seeds, each the mean of its 4 folds, after the last epoch" in page.levels.hint
    assert "Line: mean over the seeds, their folds averaged." in page.curves_hint
    assert "seed by seed: the same folds, the same rows" in page.effects.hint
    equal = {setting.path: setting.value for setting in page.settings.equal["Data"]}
    assert (equal["folds.k"], equal["folds.kind"]) == ("4", "stratified")
    assert page.sharing[0] == (
        "Each seed deals the rows into 4 folds of its own (stratified); every row validates in one of them. "
        "Every level of a seed and fold learns from the same rows."
    )
    assert "the training rows of each fold" in page.sharing[1]
    assert "Single folds" in render_report(run, assessment)


def test_the_folds_of_one_seed_are_not_called_seeds():
    run, assessment = made(made_study(seeds=1, folds={"k": 5, "kind": "time"}))
    page = make_page(run, assessment)
    assert "3 levels × 1 seed × 5 folds" in page.overline
    assert "Mean over 5 folds of one seed after the last epoch" in page.levels.hint
    assert "fold by fold: the same folds" in page.effects.hint
    assert "Line: mean over the folds. Band" in page.curves_hint
    assert page.sharing[0] == (
        "All seeds share the same 5 folds (time, in the order of the rows); each validates on the block of "
        "rows that follows its training rows, and the first block is never validated. Every level of a seed "
        "and fold learns from the same rows."
    )
    assert "Intervals are paired over folds" in render_report(run, assessment)


def test_without_folds_nothing_is_said_of_folds():
    text = " ".join(structure_of(*made()).text).replace("folder", "")
    assert "fold" not in text
