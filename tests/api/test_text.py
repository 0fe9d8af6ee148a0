"""Tables of levels in a terminal: names of levels are folded between words, not within them."""

from ceteris.api.text import level_table, metric_tables
from ceteris.evidence.assessment import assess
from tests.evidence.made import study, trial

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
