"""The effect plot and the table behind it: paired differences between levels with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ceteris.evidence.assessment import Assessment
from ceteris.evidence.pairs import Pair
from ceteris.evidence.summaries import LevelEvidence
from ceteris.report.answer import level_words
from ceteris.report.numbers import MINUS, p_value, rounded, with_interval
from ceteris.report.titles import direction_of, ordered, short_label, title_of
from ceteris.spec.metrics import Direction


@dataclass(frozen=True)
class EffectRow:
    """One difference in words: the pair, the effect with its interval, and how sure it is."""

    pair: str
    text: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class EffectView:
    """All differences in one metric."""

    metric: str
    title: str
    caption: str
    rows: tuple[EffectRow, ...]


@dataclass(frozen=True)
class Effects:
    """The section on differences: a view for each metric, and what the chart draws of them."""

    reference: str
    hint: str
    columns: tuple[str, ...]
    views: tuple[EffectView, ...]
    drawn: dict[str, list[dict[str, Any]]]


RANKS = " Where trials diverged, ranks decide: the point is a median, and there is no interval."
COLUMNS = ("p (Holm)", "p (sign flips, unadjusted)", "Pairs", "Correlation")


def effects(assessment: Assessment, *, same_rows: bool = True) -> Effects | None:
    """Collect the differences between levels; None where there is nothing to compare.

    ``same_rows``: all levels of a seed read the same rows in the same order.
    """
    labels = [level.level for level in assessment.levels]
    known = [pair for pair in assessment.pairs if pair.effect is not None or pair.p is not None]
    metrics = ordered(list(dict.fromkeys(pair.metric for pair in known)))
    if len(labels) < 2 or not metrics:
        return None
    names = {level.level: _short(level) for level in assessment.levels}
    by_metric = {metric: [pair for pair in known if pair.metric == metric] for metric in metrics}
    star = _against_first(assessment.pairs, labels)
    drawn = {
        metric: _drawn([pair for pair in pairs if pair.second == labels[0] or not star], labels, names)
        for metric, pairs in by_metric.items()
    }
    views = tuple(_view(metric, pairs, assessment.better(metric)) for metric, pairs in by_metric.items())
    reference = level_words(assessment.levels[0]) if star else "the level before it"
    hint = _hint(reference, assessment, same_rows) + _missing(assessment, drawn)
    return Effects(reference, hint, COLUMNS, views, drawn)


def _short(level: LevelEvidence) -> str:
    """Name a level of several factors by the last word of each: ``lr 0.1, batch_size 32``."""
    return level.level if len(level.coordinates) < 2 else short_label(level.coordinates)


def _missing(assessment: Assessment, drawn: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Say which levels are compared and yet in no chart, because none of their differences is a number."""
    places = {row["level"] for rows in drawn.values() for row in rows}
    lost = [
        level.level
        for place, level in enumerate(assessment.levels)
        if level.diverged and not level.finished and place not in places and place > 0
    ]
    return f" Not drawn: {', '.join(lost)}, where every trial diverged." if lost else ""


def _against_first(pairs: Sequence[Pair], labels: Sequence[str]) -> bool:
    """Tell whether every level was compared with the first one (with many levels only neighbours are)."""
    return len(labels) == 2 or any(pair.second == labels[0] and pair.first != labels[1] for pair in pairs)


def _drawn(pairs: Sequence[Pair], labels: Sequence[str], names: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "level": labels.index(pair.first),
            "name": names[pair.first],
            "effect": _number(pair.effect),
            "low": _number(pair.low),
            "high": _number(pair.high),
            "text": effect_text(pair),
        }
        for pair in pairs
        if pair.effect is not None
    ]


def _number(value: float | None) -> float | None:
    return None if value is None else rounded(value, 6)


def effect_text(pair: Pair) -> str:
    """Write a difference with its interval; say so where there is none."""
    if pair.identical:
        return "identical bit for bit"
    if pair.method == "ranks":
        return f"{with_interval(pair.effect, None, None, signed=True)} in the median, {p_value(pair.p)}"
    return with_interval(pair.effect, pair.low, pair.high, signed=True)


def _view(metric: str, pairs: Sequence[Pair], known: Direction | None) -> EffectView:
    better = direction_of(known)
    title = title_of(metric)
    caption = f"Difference in {title[:1].lower()}{title[1:]} after the last epoch, first minus second"
    rows = tuple(
        EffectRow(f"{pair.first} against {pair.second}", effect_text(pair), effect_cells(pair))
        for pair in pairs
    )
    return EffectView(metric, f"{title} ({better})" if better else title, caption, rows)


def effect_cells(pair: Pair) -> tuple[str, ...]:
    """Return p, the p of sign flips, how many pairs, and their correlation."""
    return (
        p_value(pair.p),
        p_value(pair.sign_flip_p),
        f"{pair.n} {pair.unit}",
        "–" if pair.correlation is None else f"{pair.correlation:.2f}".replace("-", MINUS),
    )


def _hint(reference: str, assessment: Assessment, same_rows: bool) -> str:
    pairs, one = assessment.pairs, assessment.unit[:-1]
    if max((pair.n for pair in pairs), default=0) < 2:
        return (
            f"Each level minus {reference}, on the same {one}. One {one} gives no interval: "
            "these differences may be chance."
        )
    split = "split" if assessment.folds == 1 else "folds"
    shared = f": the same {split}, the same rows, the same draws" if same_rows else ""
    return (
        f"Each level minus {reference}, {one} by {one}{shared}. "
        "The interval of a filled point does not contain zero, so a difference is shown; "
        "the interval of an open one does. Corrected for the number of pairs (Holm)."
    ) + (RANKS if any(pair.method == "ranks" for pair in pairs) else "")
