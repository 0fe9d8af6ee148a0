"""Tables of an assessment as plain text: rows of strings, and rows aligned for a terminal or a log."""

from __future__ import annotations

from collections.abc import Sequence

from ceteris.evidence.assessment import Assessment, Verdict
from ceteris.evidence.pairs import Pair
from ceteris.evidence.summaries import LevelEvidence, Summary
from ceteris.evidence.wording import number, numbers, p_words, percent

Rows = list[tuple[str, ...]]
"""The first row holds the headings."""


def level_rows(assessment: Assessment, metrics: Sequence[str]) -> Rows:
    """Return one row per level: seeds that finished, and each metric at the end with its interval."""
    rows: Rows = [("level", "seeds", *metrics)]
    for level in assessment.levels:
        rows.append((level.level, _ended(level), *(_cell(level, metric) for metric in metrics)))
    return rows


def _ended(level: LevelEvidence) -> str:
    seeds = f"{level.finished} of {level.planned}"
    return f"{seeds}, {level.diverged} diverged" if level.diverged else seeds


def _cell(level: LevelEvidence, metric: str) -> str:
    return mean_words(level.metrics[metric].last) if metric in level.metrics else "-"


def mean_words(summary: Summary) -> str:
    """Write a mean with its interval: ``0.412 (0.398 to 0.426)``."""
    if summary.low is None or summary.high is None:
        return number(summary.mean)
    mean, low, high = numbers(summary.mean, summary.low, summary.high)
    return f"{mean} ({low} to {high})"


def pair_rows(pairs: Sequence[Pair]) -> Rows:
    """Return one row per pair of levels: difference, interval, p values, and what pairing saved."""
    heads = (
        "metric",
        "difference",
        "effect",
        "interval",
        "p",
        "sign-flip p",
        "correlation",
        "unpaired seeds",
    )
    return [heads, *(_pair_row(pair) for pair in pairs)]


def _pair_row(pair: Pair) -> tuple[str, ...]:
    interval = "-"
    if pair.low is not None and pair.high is not None and pair.confidence is not None:
        interval = " to ".join(numbers(pair.low, pair.high)) + f" ({percent(pair.confidence)})"
    return (
        pair.metric,
        f"{pair.first} - {pair.second}",
        number(pair.effect),
        interval,
        "-" if pair.p is None else p_words(pair.p),
        "-" if pair.sign_flip_p is None else p_words(pair.sign_flip_p),
        "-" if pair.correlation is None else format(pair.correlation, ".2f"),
        "-" if pair.seeds_unpaired is None else str(pair.seeds_unpaired),
    )


def verdict_rows(verdicts: Sequence[Verdict]) -> Rows:
    """Return one row per claim: verdict, claim, effect, interval, p."""
    rows: Rows = [("verdict", "claim", "effect", "interval", "p")]
    for verdict in verdicts:
        interval = "-"
        if verdict.low is not None and verdict.high is not None:
            interval = " to ".join(numbers(verdict.low, verdict.high))
        p = "-" if verdict.p is None else p_words(verdict.p)
        rows.append((verdict.words, verdict.text, number(verdict.effect), interval, p))
    return rows


def verdict_table(verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts as aligned text, each followed by its explanation."""
    head, *lines = aligned(verdict_rows(verdicts)).splitlines()
    told = [f"{line}\n    {verdict.explanation}" for line, verdict in zip(lines, verdicts, strict=True)]
    return "\n".join([head, *told])


def aligned(rows: Rows) -> str:
    """Return rows as text whose columns line up."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
