"""The section on a search: candidates ranked, what the best score is worth, and a picture of the space."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from ceteris.evidence.quantities import metric_words
from ceteris.evidence.searched import Candidate, SearchSummary, Share
from ceteris.evidence.wording import units
from ceteris.report.numbers import counted, with_interval
from ceteris.report.search_figure import search_svg
from ceteris.spec.labels import format_label

METHODS = {"random": "drawn at random", "bayesian": "proposed from what the earlier ones came to"}
METHODS |= {"grid": "on a grid"}

NOTHING = 1e-12
"""What rounding leaves of a difference that is none."""


@dataclass(frozen=True)
class SearchSection:
    """Everything that the section shows, worded."""

    hint: str
    sentences: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    """Candidate's number, and its cells."""
    picture: Markup


def search_section(summary: SearchSummary | None, study: Mapping[str, Any]) -> SearchSection | None:
    """Word what a search found; None where there was none.

    Args:
        summary: what it found.
        study: the recorded study.
    """
    if summary is None:
        return None
    return SearchSection(
        hint=hint(summary),
        sentences=tuple(sentence[:1].upper() + sentence[1:] + "." for sentence in sentences(summary)),
        columns=columns(summary),
        rows=tuple((str(candidate.number), cells(summary, candidate)) for candidate in summary.ranked()),
        picture=Markup(search_svg(summary, study["search"]["space"])),
    )


def hint(summary: SearchSummary) -> str:
    """Say what the candidates are and on what they were compared."""
    full = sum(candidate.full for candidate in summary.candidates)
    early = len(summary.candidates) - full
    left = f" after {counted(early, 'small training')} of halving, trained in full" if early else ""
    of = "" if early or full >= summary.planned else f" of {summary.planned:,}"
    return (
        f"{full:,}{of} candidates {METHODS[summary.method]}{left}, all on the same "
        f"{units(summary.units, summary.unit)}, ranked by their mean {metric_words(summary.metric)} "
        f"({summary.better} is better). The test rows took no part."
    )


def sentences(summary: SearchSummary) -> Iterator[str]:
    """Yield what was found, how sure the choice is, and by how much its score flatters it."""
    ranked, one = summary.ranked(), summary.unit[:-1]
    if summary.best is None:
        yield "every candidate was lost: try smaller learning rates"
        return
    best = ranked[0]
    yield f"the best is candidate {best.number} ({best.level}) with {share(best.score)}"
    if summary.units > 1:
        yield (
            f"{best.chosen_by} of {counted(summary.units, one)} would have chosen it by {_its(summary)} own "
            "rows alone" + ("" if best.chosen_by == summary.units else f"; another {one} chooses another")
        )
    if summary.optimism is not None:
        yield from _flattery(summary, len(ranked), one)
    elif summary.units == 1:
        yield f"one {one} cannot say by how much its choice flatters itself; use several seeds, or folds"
    lost = sum(candidate.lost > 0 for candidate in summary.candidates)
    if lost:
        yield f"{counted(lost, 'candidate')} diverged and count{'s' if lost == 1 else ''} as worst"


def _flattery(summary: SearchSummary, count: int, one: str) -> Iterator[str]:
    """Yield by how much a score that chose reads better than one that did not."""
    yield (
        f"the choice of one {one} alone among {count}, as by a single validation split, reads "
        f"{share(summary.alone)} better there than on the other {one}s: the more candidates are tried, the "
        "more the best score flatters"
    )
    found = summary.optimism
    if found is not None and is_nothing(found):
        yield (
            f"whichever {one} is left out, the others choose the same candidate: the best score above is not "
            "seen to flatter"
        )
    elif found is not None:
        yield (
            f"the choice of all {one}s but one reads {share(found)} better there than on the one left out: "
            "by about that the best score above flatters"
        )


def is_nothing(found: Share) -> bool:
    """Tell whether a difference is none, but for rounding."""
    return max(map(abs, (found.mean, found.low or 0, found.high or 0))) < NOTHING


def _its(summary: SearchSummary) -> str:
    return "its" if summary.units == 1 else "their"


def columns(summary: SearchSummary) -> tuple[str, ...]:
    """Return the headings of the ranking, without that of the candidate's number."""
    paths = tuple(summary.candidates[0].values)
    chosen = ("chosen by",) if summary.units > 1 else ()
    return (*paths, summary.metric, "behind the best", *chosen)


def cells(summary: SearchSummary, candidate: Candidate) -> tuple[str, ...]:
    """Return the cells of a candidate in the ranking."""
    values = tuple(format_label(value) for value in candidate.values.values())
    score = share(candidate.score) if candidate.score is not None else f"diverged in {candidate.lost}"
    behind = "best" if candidate.level == summary.best else share(candidate.behind)
    chosen = (str(candidate.chosen_by or ""),) if summary.units > 1 else ()
    return (*values, score, behind, *chosen)


def share(found: Share | None) -> str:
    """Write a mean with its interval."""
    return "–" if found is None else with_interval(found.mean, found.low, found.high)
