"""Verdicts on the claims of a study: supported, contradicted, not established.

Two families share the study's 5%. Within a claim its comparisons are adjusted by Holm's procedure, which
gives the claim one p value: the level at which its verdict would just be given. Across the study, Holm's
procedure runs over these p values, since a verdict is what a reader takes away. A claim of which no
verdict would be true is given one at level a with chance a at most, because that takes a wrong decision
on one of its comparisons; so the chance that a study gives any such verdict is at most 5%. Each claim is
thereby judged at a level of its own, and each of its comparisons at one again (`holm_levels`): these are
the levels of the printed intervals. Claims that cannot be tested give no verdict and take no share.

A claim that averages over levels of another factor is judged within each of them too (`strata`). What is
told of them is a family of its own, Holm at the claim's level, since any one of them may be read. Where the
effect differs between them, the claim has the ruling that all of them give, each tested alone at the claim's
level, or none: that all of them are wrong is no likelier than that one is, so nothing is adjusted for it.

The direction is read off with the decision. A wrong direction for an effect that is not zero has at most
half the chance of a false alarm (Shaffer 1980, Annals of Statistics 8:1342-1347, on Holm's procedure).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from ceteris.evidence.claims import Question
from ceteris.evidence.contrasts import Contrast, Method, Values
from ceteris.evidence.multiplicity import (
    ALPHA,
    adjust_inside,
    adjust_to,
    holm_adjust,
    holm_levels,
    level_after,
)
from ceteris.evidence.observations import Unit
from ceteris.evidence.power import Seeds

Ruling = Literal["supported", "contradicted", "not established"]


@dataclass(frozen=True)
class Comparison:
    """One comparison of a claim; None where a number does not exist."""

    first: str
    second: str | None
    """None where one level is compared with bounds."""
    method: Method
    n: int
    unit: Unit
    effect: float | None
    """A mean or a difference; with ``scale: log`` a geometric mean, or a ``ratio`` of two."""
    low: float | None
    high: float | None
    confidence: float | None
    """Of the interval, such as 0.95; higher where comparisons share the error budget."""
    p: float | None
    """Adjusted, so that below 0.05 means decided."""
    p_unadjusted: float | None
    sign_flip_p: float | None
    """Exact, not adjusted: beside the t test, not deciding."""
    side: int
    """+1 as claimed, -1 against the claim."""
    seeds: Seeds | None
    """What would decide an effect of this size with power 0.8; None where decided or undefined."""
    ratio: bool = False


@dataclass(frozen=True)
class Judgement:
    """A claim's ruling with the comparisons behind it; ``decisive`` is the one that the ruling rests on."""

    ruling: Ruling
    p: float | None
    comparisons: tuple[Comparison, ...]
    decisive: int | None
    seeds: Seeds | None = None
    within: tuple[tuple[str, Judgement], ...] = ()
    """What the claim comes to within each combination of the levels that it averages over."""
    by_each: bool = False
    """The ruling is that of all of ``within``, each tested alone; told together they do not all show it."""
    depends: bool = False
    """What is averaged differs, so there is no ruling; nor a p value where the average would give one."""


def judge(questions: Sequence[Question], looks: int = 0) -> tuple[Judgement, ...]:
    """Judge all claims of a study together."""
    return _judge_at(questions, level_after(looks))


def _judge_at(questions: Sequence[Question], alpha: float) -> tuple[Judgement, ...]:
    """Judge a family of claims that may give a false verdict with chance ``alpha``."""
    decisive = [_decisive(question) for question in questions]
    family = [i for i, found in enumerate(decisive) if found is not None]
    p = [found[0] for found in decisive if found is not None]
    levels, adjusted = holm_levels(p, alpha), adjust_to(p, alpha)
    place = {i: k for k, i in enumerate(family)}

    def compared(i: int) -> tuple[Comparison, ...]:
        inside = partial(adjust_inside, p, place[i], level=alpha)
        return _compare_at(questions[i].contrasts, float(levels[place[i]]), inside)

    return tuple(
        _within_strata(
            question,
            _judgement(question, found[1], float(adjusted[place[i]]), compared(i)),
            float(levels[place[i]]),
        )
        if found is not None
        else _within_strata(question, _untested(question), alpha)
        for i, (question, found) in enumerate(zip(questions, decisive, strict=True))
    )


def _decisive(question: Question) -> tuple[float, int] | None:
    """Return the level at which the claim's verdict would just be given, and the comparison that gives it.

    Where all comparisons have to agree, the strongest that goes against the claim; where none does, the
    weakest. Where one is enough, the strongest.
    """
    tested = [i for i, contrast in enumerate(question.contrasts) if contrast.testable]
    if not tested or (question.needs == "all" and len(tested) < len(question.contrasts)):
        return None
    adjusted = holm_adjust([question.contrasts[i].p for i in tested])
    found = [(float(p), i) for p, i in zip(adjusted, tested, strict=True)]
    against = [(p, i) for p, i in found if question.contrasts[i].side < 0]
    if question.needs == "any" or against:
        return min(against or found, key=lambda each: (each[0], question.contrasts[each[1]].p))
    return max(found, key=lambda each: (each[0], question.contrasts[each[1]].p))


def _judgement(question: Question, decisive: int, p: float, comparisons: tuple[Comparison, ...]) -> Judgement:
    side = comparisons[decisive].side
    if p < ALPHA and side:
        return Judgement("supported" if side > 0 else "contradicted", p, comparisons, decisive)
    return Judgement(
        "not established", p, comparisons, decisive, _seeds_for_claim(question, comparisons, decisive)
    )


def _within_strata(question: Question, judgement: Judgement, level: float) -> Judgement:
    """Add what the claim comes to within each stratum; take a ruling back that they do not share.

    Where the average decides, they are told and decide nothing.
    """
    if not question.strata:
        return judgement
    names, asked = zip(*question.strata, strict=True)
    rulings = _judge_at(asked, level)
    told = replace(judgement, within=tuple(zip(names, rulings, strict=True)))
    if question.claim.over == "average":
        return told
    found = {each.ruling for each in rulings}
    if judgement.ruling == "not established":
        turned = {"supported", "contradicted"} <= found
        return replace(told, depends=True, seeds=None) if turned else told
    unlike = question.unlike_p is not None and question.unlike_p < ALPHA
    if not question.directed or not unlike or found == {judgement.ruling}:
        return told
    if all(_judge_at((each,), level)[0].ruling == judgement.ruling for each in asked):
        return replace(told, by_each=True)
    return replace(told, ruling="not established", p=None, depends=True)


def _seeds_for_claim(question: Question, comparisons: Sequence[Comparison], decisive: int) -> Seeds | None:
    """Return how many seeds would decide what is open; None where one of the numbers does not exist."""
    if question.needs == "any" or comparisons[decisive].side < 0:
        return comparisons[decisive].seeds
    needed = [c.seeds for c in comparisons if c.p is not None and c.p >= ALPHA]
    known = [seeds for seeds in needed if seeds is not None]
    if not known or len(known) < len(needed):
        return None
    return Seeds(*map(_most, zip(*known, strict=True)))


def _most(seeds: Sequence[int | None]) -> int | None:
    known = [one for one in seeds if one is not None]
    return max(known) if len(known) == len(seeds) else None


def _compare_at(
    contrasts: Sequence[Contrast], level: float, adjust: Callable[[Values], Values]
) -> tuple[Comparison, ...]:
    """Adjust the comparisons of a claim that is judged at ``level``, by ``adjust`` for the study's claims."""
    tested = [contrast for contrast in contrasts if contrast.testable]
    p = [contrast.p for contrast in tested]
    adjusted = iter(zip(holm_levels(p, level), adjust(holm_adjust(p)), strict=True))
    return tuple(
        _comparison(contrast, *map(float, next(adjusted))) if contrast.testable else _comparison(contrast)
        for contrast in contrasts
    )


def _comparison(contrast: Contrast, level: float | None = None, p: float = math.nan) -> Comparison:
    low, high = (math.nan, math.nan) if level is None else contrast.limits(level)
    return Comparison(
        first=contrast.first,
        second=contrast.second,
        method=contrast.method,
        n=contrast.n,
        unit=contrast.unit,
        effect=_known(contrast.shown(contrast.effect)),
        low=_known(contrast.shown(low)),
        high=_known(contrast.shown(high)),
        confidence=None if level is None or not contrast.has_interval else 1 - level,
        p=_known(p),
        p_unadjusted=_known(contrast.p),
        sign_flip_p=contrast.sign_flip_p,
        side=contrast.side,
        seeds=None if level is None or p < ALPHA else contrast.seeds(level),
        ratio=contrast.log and contrast.second is not None,
    )


def _untested(question: Question) -> Judgement:
    comparisons = tuple(_comparison(contrast) for contrast in question.contrasts)
    return Judgement("not established", None, comparisons, None)


def _known(number: float) -> float | None:
    return number if math.isfinite(number) else None
