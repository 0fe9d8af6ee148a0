"""Verdicts in plain words."""

from __future__ import annotations

import math

from ceteris.evidence.claims import Question
from ceteris.evidence.contrasts import Contrast
from ceteris.evidence.power import SEEDS_CAP, Seeds
from ceteris.evidence.quantities import quantity_words
from ceteris.evidence.verdicts import Comparison, Judgement
from ceteris.evidence.wording import listing, number, numbers, p_words, percent, units
from ceteris.spec.claim import Claim


def explain(question: Question, judgement: Judgement) -> str:
    """Say what was found, how sure it is, and what it would take, in one sentence."""
    if question.problem:
        return f"nothing can be established: {question.problem}"
    index = judgement.decisive
    if index is None:
        return _untested(question)
    contrast, comparison = question.contrasts[index], judgement.comparisons[index]
    sentence = (
        f"{_introduction(question, judgement)}{finding(question.claim, contrast)} "
        f"({certainty(comparison, judgement.p, contrast)}){_place(question.claim, comparison)}"
    )
    if judgement.ruling != "not established":
        return sentence
    if judgement.depends:
        return f"{sentence}: not established, because {_dependence(question)}"
    outlook = "" if contrast.identical else f"; {seeds_words(contrast, judgement.seeds)}"
    return f"{sentence}: not established{outlook}"


def _dependence(question: Question) -> str:
    """Say on which averaged factors the effect depends; only that combinations differ where none shows."""
    if question.dividing:
        return f"it depends on {listing(question.dividing)}"
    return f"it differs between the combinations of {listing(question.averaged)}"


def finding(claim: Claim, contrast: Contrast) -> str:
    """Say what one comparison measured: "with 1000 the validation loss is 0.132 higher than with 32"."""
    name = quantity_words(claim.metric, claim.at, claim.reach, claim.between)
    if contrast.identical:
        return f"the trials with {contrast.first} and with {contrast.second} are identical bit for bit"
    if claim.interaction is not None:
        return _interaction_finding(claim, name, contrast)
    if contrast.method == "counts":
        minus = f" minus that with {contrast.second}" if contrast.second else ""
        counted = f"in {contrast.inside} of {units(contrast.n, contrast.unit)}"
        return f"{counted} the {name} with {contrast.first}{minus} lies as claimed"
    if contrast.second is None:
        mean = f"{number(contrast.shown(contrast.effect))}{' in the geometric mean' if contrast.log else ''}"
        return f"with {contrast.first} the {name} is {mean}"
    return f"with {contrast.first} the {name} {_difference(contrast)} with {contrast.second}"


def _difference(contrast: Contrast) -> str:
    if contrast.method == "ranks" and not math.isfinite(contrast.effect):
        verb = "counts as" if contrast.by_rates else "ranks"
        return {1: f"{verb} higher than", -1: f"{verb} lower than", 0: "ranks like that"}[contrast.direction]
    if contrast.effect == 0:
        return "is the same as"
    median = "in the median " if contrast.method == "ranks" else ""
    if contrast.log:
        return f"is {median}{number(contrast.shown(contrast.effect))} times that"
    word = "higher" if contrast.effect > 0 else "lower"
    return f"is {median}{number(abs(contrast.effect))} {word} than"


def _interaction_finding(claim: Claim, name: str, contrast: Contrast) -> str:
    effect = contrast.effect
    assert claim.interaction is not None
    (_, (a1, a2)), (_, (b1, b2)) = claim.interaction.factors.items()
    if not math.isfinite(effect):
        return f"{a1} minus {a2} in the {name} cannot be compared between {b1} and {b2}"
    if contrast.log:
        times = number(contrast.shown(effect))
        return f"the ratio of the {name}, {a1} to {a2}, is with {b1} {times} times that with {b2}"
    word = "larger" if effect > 0 else "smaller"
    size = f"{number(abs(effect))} {word} with" if effect else "the same with"
    return f"the difference in the {name}, {a1} minus {a2}, is {size} {b1} than with {b2}"


def certainty(comparison: Comparison, p: float | None, contrast: Contrast) -> str:
    """Say how sure a claim's comparison is: "95% interval 0.101 to 0.163, 5 seeds, p = 0.0004".

    The interval is that of the difference as the sentence words it: "0.132 lower" has one above zero.
    """
    parts = [units(comparison.n, comparison.unit)]
    if comparison.low is not None and comparison.high is not None and comparison.confidence is not None:
        bounds, effect = (comparison.low, comparison.high), comparison.effect or 0.0
        if comparison.second is not None and effect < 0:
            bounds = (-bounds[1], -bounds[0])
        # Limits of a geometric mean may be orders of magnitude apart.
        low, high = map(number, bounds) if contrast.log else numbers(*bounds, effect)[:2]
        parts.insert(0, f"{percent(comparison.confidence)} interval {low} to {high}")
    if comparison.method in ("ranks", "counts"):
        rates = "Fisher's exact test on how many diverged or never got there"
        parts.insert(0, rates if contrast.by_rates else f"exact test on {comparison.method}")
    if p is not None:
        parts.append(p_words(p))
    return ", ".join(parts)


def _place(claim: Claim, comparison: Comparison) -> str:
    """Say where an effect lies relative to a claim's margin or bounds."""
    decided = comparison.p is not None and comparison.p < 0.05
    where = "inside" if comparison.side > 0 else "outside"
    if claim.equal is not None:
        margin = f"the margin of {'a factor of ' if claim.scale == 'log' else ''}{claim.equal.margin:g}"
        return f", {where} {margin}" if decided else f", which does not settle whether it is inside {margin}"
    if claim.within is not None:
        bounds = _bounds(claim.within.low, claim.within.high)
        return f", {where} {bounds}" if decided else f", which does not settle whether it is inside {bounds}"
    if claim.by is not None:
        more = f"more than {_least(claim)} {'lower' if claim.less is not None else 'higher'}"
        if not decided:
            return f", which does not settle whether it is {more}"
        return f", {more} as claimed" if comparison.side > 0 else f", not {more} as claimed"
    return ""


def _least(claim: Claim) -> str:
    return f"{'a factor of ' if claim.scale == 'log' else ''}{claim.by:g}"


def _bounds(low: float | None, high: float | None) -> str:
    if low is None:
        return f"the range below {high:g}"
    return f"the range above {low:g}" if high is None else f"the range {low:g} to {high:g}"


def _introduction(question: Question, judgement: Judgement) -> str:
    """Introduce the decisive comparison where a claim makes several."""
    if judgement.depends:
        return "on average "
    if len(question.contrasts) == 1:
        return ""
    claim, ruling, count = question.claim, judgement.ruling, len(question.contrasts)
    if claim.order:
        up = "goes up" if claim.by is None else f"goes up by more than {_least(claim)}"
        steps = f"each step from {' to '.join(claim.order)} {up}"
        return {
            "supported": f"{steps}; the least certain: ",
            "contradicted": f"at least one step {'goes down' if claim.by is None else 'does not'}: ",
            "not established": f"it is not shown that {steps}; the weakest: ",
        }[ruling]
    if question.needs == "any":
        return (
            "at least one pair differs, most clearly: "
            if ruling == "supported"
            else "no pair is shown to differ; the clearest: "
        )
    return {
        "supported": f"all {count} comparisons agree; the least certain: ",
        "contradicted": "at least one comparison goes against the claim: ",
        "not established": f"not all of the {count} comparisons are settled; the weakest: ",
    }[ruling]


def seeds_words(contrast: Contrast, seeds: Seeds | None) -> str:
    """Say how many seeds it would take, or why that is not known."""
    if contrast.method in ("ranks", "counts", "shares"):
        if seeds is None or seeds.needed is None:
            return "how many seeds it would take is not known"
        return f"{seeds.needed} seeds would do if the others came out like these"
    if contrast.unit == "folds":
        return "more folds of one seed do not help; run more seeds"
    if contrast.side == 0 or seeds is None:
        return "there is no effect from which to tell how many seeds it would take"
    if seeds.low is None:  # where ranks decide another comparison of the claim, that one tells no range
        size = f"more than {SEEDS_CAP}" if seeds.needed is None else f"about {seeds.needed}"
        return f"an effect of this size would take {size} seeds"
    most = f"more than {SEEDS_CAP}" if seeds.high is None else seeds.high
    told = f"between {seeds.low} and {most}" if seeds.low != seeds.high else f"about {most}"
    return f"an effect of this size would take {told} seeds, as far as {contrast.n} tell its spread"


def _untested(question: Question) -> str:
    blocked = next(contrast for contrast in question.contrasts if not contrast.testable)
    reason = _blocked(question, blocked)
    if math.isfinite(blocked.effect):
        return f"{reason}; {finding(question.claim, blocked)} in that seed"
    return reason


def _blocked(question: Question, contrast: Contrast) -> str:
    groups = [contrast.first] + ([contrast.second] if contrast.second else [])
    claim = question.claim
    name = quantity_words(claim.metric, claim.at, between=claim.between)
    if question.claim.interaction is not None and contrast.n > 1:
        return "nothing can be established: an interaction needs a finite number from every trial"
    if contrast.n == 0 and contrast.undefined:
        return f"nothing can be established: the {name} is not defined for {listing(groups)}"
    if contrast.n == 0:
        return f"nothing can be established: no seed has finished with {listing(groups)}"
    if contrast.unit == "folds" or contrast.planned > 1:
        return f"nothing can be established while only {units(contrast.n, contrast.unit)} finished"
    return "with one seed nothing can be established"
