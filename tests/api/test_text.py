"""Tables of levels in a terminal: names of levels are folded between words, not within them."""

from dataclasses import replace

from ceteris.api.text import as_text, level_table, metric_tables
from ceteris.evidence.assessment import assess
from tests.evidence.made import study, trial
from tests.report.sample import made_assessment, made_run, made_study

LONG = (
    "model.hidden=[128,128,128,128], optimizer.lr=0.01",
    "model.hidden=[128,128,128,128], optimizer.lr=1000",
)


def tables(labels: tuple[str, ...], spread: float) -> list[tuple[str, ...]]:
    """The metrics of each table of a study whose two metrics vary so much over three seeds."""
    found = [
        trial(label, seed, {name: [1 + spread * seed] for name in ("val_loss", "val_accuracy")})
        for label in labels
        for seed in range(3)
    ]
    levels = assess(study({"lr": labels}), found, validation_rows=None).levels
    split = list(metric_tables(levels))
    assert all(level_table(levels, metrics).row_count == len(labels) for metrics in split)
    return split


def test_two_metrics_share_a_table_where_the_names_fit_beside_them() -> None:
    assert tables(("a", "b"), spread=0.01) == [("val_loss", "val_accuracy")]


def test_a_metric_has_a_table_alone_where_two_would_break_a_word() -> None:
    assert tables(("a, b", "a, c"), spread=1.0) == [("val_loss", "val_accuracy")]
    assert tables(LONG, spread=0.01) == [("val_loss",), ("val_accuracy",)]


def test_a_run_without_an_ended_trial_says_so_once() -> None:
    made = made_study()
    run = made_run(made)
    run = replace(run, trials=tuple(replace(trial, status="pending") for trial in run.trials))
    text = as_text(run, made_assessment(run, made))
    assert text.splitlines()[2:] == ["", "No trial has ended, so nothing can be said yet."]


def test_what_holds_for_several_levels_is_said_once() -> None:
    made = made_study()
    run = made_run(made)
    run = replace(run, trials=tuple(t if t.seed == 0 else replace(t, status="pending") for t in run.trials))
    text = as_text(run, made_assessment(run, made))
    assert text.count(": provisional: 1 of 5 seeds finished") == 1
    assert "all levels: provisional: 1 of 5 seeds finished" in text
