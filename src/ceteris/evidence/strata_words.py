"""What a claim comes to within the levels of other factors that it averages over, in words."""

from __future__ import annotations

import math

from ceteris.evidence.claims import Question
from ceteris.evidence.contrasts import Contrast
from ceteris.evidence.verdicts import Comparison, Judgement, Ruling
from ceteris.evidence.wording import listing, number, numbers, percent

RULINGS: tuple[Ruling, ...] = ("supported", "contradicted", "not established")
MOST_TOLD = 6
"""Of more combinations of levels than this the numbers are left out, and of the rest only some are named."""


def averaged_words(question: Question, judgement: Judgement) -> str:
    """Say what the numbers are averaged over, and what the claim comes to within each of its levels."""
    over = f"averaged over the levels of {listing(question.averaged)}"
    if question.noisiest and judgement.ruling == "not established" and not judgement.depends:
        over += f", where nearly all the spread is that of {question.noisiest}"
    found = {ruling: _told(question, judgement, ruling) for ruling in RULINGS}
    kinds = {ruling: told for ruling, told in found.items() if told}
    if not kinds or all(each.decisive is None for _, each in judgement.within):
        return over
    if judgement.by_each:
        over += (
            f", between which its effect differs; tested alone, it is {judgement.ruling} within each of "
            "them, as it has to be then"
        )
    together = "; with the error budget shared between them (Holm) it is " if judgement.by_each else ""
    if len(kinds) == 1:
        ((ruling, told),) = kinds.items()
        if ruling == "not established":
            if judgement.by_each:
                return f"{over}{together}established within none{_numbers_of(told)}"
            return f"{over}; within none of them alone is it established{_numbers_of(told)}"
        return f"{over}; within each of them it is {ruling}{' too' * (ruling == judgement.ruling)}"
    parts = [f"{ruling} with {_named(told)}" for ruling, told in kinds.items()]
    return f"{over}{together or '; within them it is '}{', '.join(parts[:-1])}, but {parts[-1]}"


def _numbers_of(told: list[str]) -> str:
    return f": {_named(told)}" if len(told) <= MOST_TOLD else ""


def _named(told: list[str]) -> str:
    """List combinations of levels, which may hold commas themselves."""
    if len(told) > MOST_TOLD:
        told = [*told[: MOST_TOLD - 1], f"{len(told) - MOST_TOLD + 1} more"]
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"


def _told(question: Question, judgement: Judgement, ruling: Ruling) -> list[str]:
    few = len(judgement.within) <= MOST_TOLD
    found = []
    for (name, each), (_, asked) in zip(judgement.within, question.strata, strict=True):
        if each.ruling == ruling:
            size = _size(asked, each) if few else ""
            found.append(f"{name} ({size})" if size else name)
    return found


def _size(question: Question, judgement: Judgement) -> str:
    """Say how large the effect of a claim's only comparison is: ``0.05 lower, 97.5% 0.04 to 0.06``."""
    if len(question.contrasts) > 1 or judgement.decisive is None:
        return ""
    contrast, comparison = question.contrasts[0], judgement.comparisons[0]
    if comparison.low is None or comparison.high is None or comparison.confidence is None:
        return _without_interval(contrast)
    bounds = (comparison.low, comparison.high)
    effect = comparison.effect or 0.0
    turned = contrast.second is not None and not comparison.ratio and effect < 0
    if turned:
        bounds = (-bounds[1], -bounds[0])
    size, low, high = _written(contrast, abs(effect) if turned else effect, *bounds)
    word = _word(question, contrast, comparison)
    if effect == 0 and contrast.second is not None and not comparison.ratio:
        size, word = "the same", ""
    return f"{size}{word}, {percent(comparison.confidence)} {low} to {high}"


def _written(contrast: Contrast, *values: float) -> tuple[str, ...]:
    return tuple(map(number, values)) if contrast.log else numbers(*values)


def _word(question: Question, contrast: Contrast, comparison: Comparison) -> str:
    if contrast.second is None:
        return ""
    if comparison.ratio:
        return " times"
    rising = (comparison.effect or 0.0) >= 0
    if question.claim.interaction is not None:
        return " larger" if rising else " smaller"
    return " higher" if rising else " lower"


def _without_interval(contrast: Contrast) -> str:
    if contrast.method == "ranks" and not math.isfinite(contrast.effect):
        return {1: "ranks higher", -1: "ranks lower", 0: "ranks alike"}[contrast.direction]
    return ""
