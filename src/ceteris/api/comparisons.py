"""Levels compared with each other, for the terminal and for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from ceteris.evidence.assessment import Assessment
    from ceteris.evidence.pairs import Pair

MEASURED = ("train_", "val_", "gap_")
"""What differences are told in: metrics of both splits and their gaps; curves hold the rest."""

FIELDS = ("metric", "first", "second", "n", "effect", "low", "high", "confidence", "p", "sign_flip_p")
HINT = (
    "Difference at the end of training [interval], {one} by {one}; p: paired t test{count}; "
    "sign-flip p: exact, not adjusted; r: correlation of the two levels over {unit}."
)


def comparison_objects(assessment: Assessment) -> list[dict[str, Any]]:
    """Return every comparison of two levels as plain values."""
    return [_object(pair, assessment) for pair in assessment.pairs if _is_measured(pair.metric)]


def _is_measured(metric: str) -> bool:
    return metric.startswith(MEASURED) and not metric.endswith("_running")


def _object(pair: Pair, assessment: Assessment) -> dict[str, Any]:
    told = {name: getattr(pair, name) for name in FIELDS}
    return told | {
        "correlation": pair.correlation,
        "identical": pair.identical,
        "sampling_error": sampling_error(assessment, pair.metric, (pair.first, pair.second)),
    }


def sampling_error(assessment: Assessment, metric: str, levels: Sequence[str]) -> float | None:
    """Return the largest standard error that a metric of these levels has from its rows being a sample."""
    summaries = [level.metrics.get(metric) for level in assessment.levels if level.level in levels]
    errors = [one.last.sampling_error for one in summaries if one is not None]
    return max((error for error in errors if error is not None), default=None)


def comparison_parts(assessment: Assessment, metrics: Sequence[str]) -> Iterator[RenderableType]:
    """Yield a table of differences for each metric, and what its columns are; nothing without any."""
    from rich.text import Text

    by_metric = {name: shown_pairs(assessment, name) for name in metrics}
    shown = {name: pairs for name, pairs in by_metric.items() if pairs}
    for metric, pairs in shown.items():
        yield ""
        yield _table(metric, pairs)
    if not shown:
        return
    yield ""
    yield Text(_hint(assessment, shown), "dim")
    error = sampling_error(assessment, "val_accuracy", [level.level for level in assessment.levels])
    if error is not None and "val_accuracy" in shown:
        yield Text(
            "The validation rows are a sample too: for that alone val_accuracy has a standard error of "
            f"up to {error:.2g}, most of which cancels from differences, because levels share the rows.",
            "dim",
        )


def _hint(assessment: Assessment, shown: Mapping[str, Sequence[Pair]]) -> str:
    metric = next(iter(shown))
    count = sum(pair.metric == metric and pair.p is not None for pair in assessment.pairs)
    pairs = f", adjusted for all {count} pairs of a metric (Holm)" if count > 1 else ""
    return HINT.format(one=assessment.unit[:-1], count=pairs, unit=assessment.unit)


def shown_pairs(assessment: Assessment, metric: str) -> list[Pair]:
    """Return the differences of each level from the first; with many levels, from the one before it."""
    found = [pair for pair in assessment.pairs if pair.metric == metric and pair.effect is not None]
    labels = [level.level for level in assessment.levels]
    compared = {(pair.first, pair.second) for pair in assessment.pairs}
    if all((label, labels[0]) in compared for label in labels[1:]):
        return [pair for pair in found if pair.second == labels[0]]
    return found


def _table(metric: str, pairs: Sequence[Pair]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("compared", overflow="fold")
    table.add_column(f"difference in {metric}", overflow="fold")
    for heading in ("p", "sign-flip p", "r"):
        table.add_column(heading, justify="right", no_wrap=True)
    for pair in pairs:
        table.add_row(*map(Text, _cells(pair)))
    return table


def _cells(pair: Pair) -> tuple[str, ...]:
    from ceteris.report.effects import effect_text
    from ceteris.report.numbers import MINUS

    return (
        f"{pair.first} against {pair.second}",
        effect_text(pair),
        _p(pair.p),
        _p(pair.sign_flip_p),
        "-" if pair.correlation is None else f"{pair.correlation:.2f}".replace("-", MINUS),
    )


def _p(value: float | None) -> str:
    from ceteris.report.numbers import p_value

    return p_value(value).removeprefix("p ").removeprefix("= ").replace("–", "-")
