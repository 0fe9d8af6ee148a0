"""A claim that leaves a factor open, looked at within each of that factor's levels.

Such a claim is judged by the average over the other factors' levels (for each seed the mean over them). An
average is a fair summary where the compared factor does about the same everywhere. Where one level failed (a
learning rate whose loss ends at 1e5), or where the effect turns round, it speaks of one level, or of none.
So the claim is asked again within each combination of the other factors' levels (a stratum), and it is
tested whether its effect differs between them: for every stratum the paired t test of its effect minus the
mean effect of the others, seed by seed, adjusted by Holm's procedure. Where they differ, the average is no
verdict by itself (the principle of marginality: Nelder 1977, J. Royal Statistical Society A 140:48-77), and
the claim needs the same ruling within every stratum, each tested at the claim's own level (an
intersection-union test: Berger 1982, Technometrics 24:295-300). This only takes verdicts away, so the chance
of a false one does not grow. Of several other factors, those are named with whose levels alone, averaged over
the rest, the same test shows the effect to change, Holm over the factors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ceteris.evidence.claims import Question, ask, compared_factors, named_groups, number_of
from ceteris.evidence.contrasts import Contrast
from ceteris.evidence.layout import Layout
from ceteris.evidence.multiplicity import ALPHA, holm_adjust
from ceteris.evidence.observations import Group, observe
from ceteris.evidence.quantities import resolution
from ceteris.evidence.student import estimate, p_at_distance, rounding_sd

SIGNS = {1: (1,), 2: (1, -1), 4: (1, -1, -1, 1)}
"""How a comparison of so many groups adds them up."""

NEARLY_ALL = 0.95
"""The share of the spread with which a stratum is named."""

Effects = NDArray[np.float64]
"""(strata, units): what a comparison comes to; infinite where it was lost."""


def stratified(question: Question, layout: Layout, validation_rows: int | None) -> Question:
    """Add to a question what it comes to within each combination of the levels that it averages over.

    Left as it is where nothing is averaged, or where not every group has the same combinations.
    """
    claim = question.claim
    factors = compared_factors(claim, layout)
    if not question.averaged or not factors or question.mixed or question.restricted:
        return question
    groups = named_groups(claim, layout)
    if any(_rests(g, layout, factors) != _rests(groups[0], layout, factors) for g in groups):
        return question
    found = {_name(rest): rest for rest in _rests(groups[0], layout, factors)}
    asked = {
        name: ask(claim.model_copy(update={"where": {**claim.where, **rest}}), layout, validation_rows)
        for name, rest in found.items()
    }
    by_label = {group.label: group for group in groups}
    effects = [_effects(question, c, by_label, tuple(found.values()), layout) for c in question.contrasts]
    step = resolution(claim.metric, claim.at, layout.rows_of_unit(validation_rows))
    least_sd = [rounding_sd(step, 2 * len(contrast.groups)) for contrast in question.contrasts]
    return replace(
        question,
        strata=tuple(asked.items()),
        unlike_p=_unlike_p(effects, layout.dependence, least_sd),
        dividing=_dividing(question.averaged, tuple(found.values()), effects, layout.dependence, least_sd),
        noisiest=_noisiest(effects, tuple(found)),
    )


def _rests(group: Group, layout: Layout, factors: Sequence[str]) -> list[dict[str, str]]:
    """Return the levels of the factors that are not compared, one for each of a group's combinations."""
    return [{n: label for n, label in layout.cells[c].items() if n not in factors} for c in group.cells]


def _name(rest: Mapping[str, str]) -> str:
    return ", ".join(f"{factor}={level}" for factor, level in rest.items())


def _dividing(
    averaged: Sequence[str],
    rests: Sequence[Mapping[str, str]],
    effects: Sequence[Effects],
    dependence: float,
    least_sd: Sequence[float],
) -> tuple[str, ...]:
    """Return the factors with whose levels alone the effects are shown to change; the only one, if one is.

    With each factor in turn the effects are averaged over the others' levels, so that all combinations have
    to be there, and every trial.
    """
    if len(averaged) == 1:
        return tuple(averaged)
    levels = {name: list(dict.fromkeys(rest[name] for rest in rests)) for name in averaged}
    if len(rests) < math.prod(map(len, levels.values())) or not all(np.isfinite(e).all() for e in effects):
        return ()
    found = {}
    for name, labels in levels.items():
        having = [[place for place, rest in enumerate(rests) if rest[name] == label] for label in labels]
        means = [np.array([each[places].mean(axis=0) for places in having]) for each in effects]
        p = _unlike_p(means, dependence, least_sd)
        if p is not None:
            found[name] = p
    adjusted = holm_adjust(list(found.values()))
    return tuple(name for name, p in zip(found, adjusted, strict=True) if p < ALPHA)


def _unlike_p(effects: Sequence[Effects], dependence: float, least_sd: Sequence[float]) -> float | None:
    """Return the p value of the effects being the same in all strata; None where that cannot be tested.

    ``least_sd``: for each comparison the spread that rounding may hide.
    """
    if any(each.shape[1] < 2 for each in effects):
        return None
    if not all(np.isfinite(each).all() for each in effects):  # lost with some levels only, so not alike
        return 0.0
    pairs = zip(effects, least_sd, strict=True)
    found = [p for each, least in pairs for p in _p_of_each(each, dependence, least)]
    return float(holm_adjust(found).min()) if found else None


def _noisiest(effects: Sequence[Effects], names: Sequence[str]) -> str:
    """Return the stratum with at least `NEARLY_ALL` of the strata's variances in every comparison, if any."""
    found = set()
    for each in effects:
        if each.shape[1] < 2 or not np.isfinite(each).all():
            return ""
        variances = np.var(each, axis=1)
        most = int(np.argmax(variances))
        found.add(names[most] if variances[most] >= NEARLY_ALL * variances.sum() > 0 else "")
    return found.pop() if len(found) == 1 else ""


def _effects(
    question: Question,
    contrast: Contrast,
    groups: Mapping[str, Group],
    rests: Sequence[Mapping[str, str]],
    layout: Layout,
) -> Effects:
    """Return what a contrast compares within each stratum; not finite where a trial was lost."""
    parts = [
        Group(f"{label} {place}", tuple(c for c in groups[label].cells if _has(layout, c, rest)))
        for place, rest in enumerate(rests)
        for label in contrast.groups
    ]
    seen = observe(layout, parts, number_of(question.claim, layout))
    values = seen.values.reshape(len(rests), len(contrast.groups), seen.n)
    lost = ~np.isfinite(values)
    signed = np.array(SIGNS[len(contrast.groups)])[:, None] * np.where(lost, 0.0, values)
    both = lost.all(axis=1) & (len(contrast.groups) > 1)  # neither is worse there
    return np.where(lost.any(axis=1) & ~both, np.inf, signed.sum(axis=1))


def _has(layout: Layout, cell: str, rest: Mapping[str, str]) -> bool:
    return all(layout.cells[cell][factor] == level for factor, level in rest.items())


def _p_of_each(effects: Effects, dependence: float, least_sd: float) -> list[float]:
    """Return the p value of each stratum's effect against the mean of the others.

    With two strata both tests are the same one, which is given once.
    """
    count = len(effects)
    others = (effects.sum(axis=0) - effects) / (count - 1)
    apart = [
        estimate(own, extra=dependence, least_sd=least_sd)
        for own in (effects - others)[: 1 if count == 2 else count]
    ]
    return [p_at_distance(abs(each.mean), each) for each in apart]
