"""The claims of a study with their verdicts, as the report words them."""

from __future__ import annotations

from dataclasses import dataclass

from ceteris.evidence.assessment import Assessment, Verdict
from ceteris.evidence.power import SEEDS_CAP, Seeds
from ceteris.evidence.verdicts import Comparison, Ruling
from ceteris.report.numbers import p_value, with_interval

STYLES = {"supported": "supported", "contradicted": "contradicted", "not established": "open"}
"""Class of the badge of each verdict."""

COLUMNS = ("Effect", "p (adjusted)", "p (sign flips, unadjusted)", "Trials", "Seeds needed")


@dataclass(frozen=True)
class ClaimRow:
    """One claim: its text, its verdict, the finding in a sentence, and the comparisons behind it."""

    text: str
    verdict: str
    style: str
    sentence: str
    summary: str
    comparisons: tuple[tuple[str, tuple[str, ...]], ...]


def claim_rows(assessment: Assessment) -> tuple[ClaimRow, ...]:
    """Word every claim of the assessment."""
    return tuple(_row(verdict) for verdict in assessment.verdicts)


def _row(verdict: Verdict) -> ClaimRow:
    comparisons = tuple((_pair(found), _cells(found)) for found in verdict.comparisons)
    comparisons += tuple(
        (f"{_pair(found)}, with {each.level}", _cells(found))
        for each in verdict.within
        for found in each.comparisons
    )
    count = len(comparisons)
    return ClaimRow(
        text=verdict.text,
        verdict=verdict.words,
        style=STYLES[verdict.verdict],
        sentence=sentence(verdict.explanation),
        summary="The comparison in numbers" if count == 1 else f"The {count} comparisons in numbers",
        comparisons=comparisons,
    )


def sentence(words: str) -> str:
    """Make a clause a sentence: a capital at its start, a full stop at its end."""
    ended = words if words.endswith((".", "!", "?", "。")) or not words else f"{words}."
    return ended[:1].upper() + ended[1:]


def _pair(found: Comparison) -> str:
    return found.first if found.second is None else f"{found.first} against {found.second}"


def _cells(found: Comparison) -> tuple[str, ...]:
    signed = found.second is not None and not found.ratio
    effect = with_interval(found.effect, found.low, found.high, signed=signed)
    return (
        f"{effect} times" if found.ratio else effect,
        p_value(found.p),
        p_value(found.sign_flip_p),
        f"{found.n} {found.unit}",
        _seeds(found.seeds),
    )


def _seeds(seeds: Seeds | None) -> str:
    """Write a number of seeds, or the range of it: ``7 to 42``, ``37 to > 1000``."""
    if seeds is None or (seeds.low is None and seeds.needed is None):
        return "–" if seeds is None else f"> {SEEDS_CAP}"
    if seeds.low is None:
        return str(seeds.needed)
    return f"{seeds.low} to {f'> {SEEDS_CAP}' if seeds.high is None else seeds.high}"


def tally(assessment: Assessment) -> str:
    """Count the verdicts: "2 of 3 claims are supported, 1 is not established"; empty without."""
    counted = _tally([verdict.verdict for verdict in assessment.verdicts])
    return f"provisionally, {counted}" if counted and assessment.provisional else counted


def _tally(verdicts: list[Ruling]) -> str:
    counts = [(verdicts.count(name), name) for name in STYLES if name in verdicts]
    if len(verdicts) == 1:
        return f"the claim is {verdicts[0]}"
    if len(counts) == 1:
        every, name = counts[0]
        return (
            f"none of the {every} claims is established"
            if name == "not established"
            else f"all {every} claims are {name}"
        )
    parts = [f"{count} {'is' if count == 1 else 'are'} {name}" for count, name in counts]
    return f"of {len(verdicts)} claims, {_listing(parts)}" if parts else ""


def _listing(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
