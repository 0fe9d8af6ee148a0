"""From the claims of a study to the comparisons that decide them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ceteris.errors import unknown_name
from ceteris.evidence.contrasts import Contrast, interaction_contrast, level_contrast, pair_contrast
from ceteris.evidence.layout import Layout
from ceteris.evidence.observations import Group, Observations, observe
from ceteris.evidence.quantities import (
    metric_curve,
    metric_names,
    metric_words,
    needs_direction,
    quantity,
    resolution,
    worst_value,
)
from ceteris.evidence.ranges import ANY, metric_range
from ceteris.evidence.regions import ABOVE_ZERO, BELOW_ZERO, NOT_ZERO, Region
from ceteris.evidence.scales import unlike
from ceteris.evidence.trial_numbers import TRIAL_NUMBERS, YES_OR_NO
from ceteris.evidence.wording import listing
from ceteris.spec.claim import Claim, Scale, Take
from ceteris.spec.metrics import Direction, direction_of_claim, unknown_direction

if TYPE_CHECKING:
    from ceteris.records.views import TrialRecord

Needs = Literal["all", "any"]


@dataclass(frozen=True)
class Question:
    """A claim with the comparisons that decide it."""

    claim: Claim
    contrasts: tuple[Contrast, ...] = ()
    needs: Needs = "all"
    """Whether all comparisons have to come out as claimed, or any one of them."""
    averaged: tuple[str, ...] = ()
    """Factors over whose levels the numbers of a seed are averaged."""
    restricted: tuple[str, ...] = ()
    """Where not all combinations could be compared: the levels of other factors that were, "factor=level"."""
    mixed: bool = False
    """The compared levels were not combined with the same levels of the other factors."""
    strata: tuple[tuple[str, Question], ...] = ()
    """The same question within each combination of the levels that are averaged over, "factor=level"."""
    unlike_p: float | None = None
    """The p value of its effect being the same in all strata; None where nothing is averaged, or tested."""
    dividing: tuple[str, ...] = ()
    """The averaged factors with whose levels alone its effect is shown to change (or the only one)."""
    noisiest: str = ""
    """The stratum that nearly all the spread of the average from seed to seed comes from, if one does."""
    unlike: tuple[str, ...] = ()
    """Why the numbers of the compared levels are not on one scale, in words."""
    problem: str = ""
    """What keeps the claim from being looked at, in words."""

    @property
    def directed(self) -> bool:
        """Whether the claim says more than that something differs, which one stratum alone can show."""
        return not all(contrast.region.but_zero for contrast in self.contrasts)


def measure(
    metric: str,
    at: Take,
    better: Direction | None,
    reach: float | None = None,
    scale: Scale = "linear",
    between: tuple[int, int] | None = None,
) -> Callable[[TrialRecord], float]:
    """Return what takes one number from a trial: worst of all if it diverged, NaN if not defined."""
    if metric in TRIAL_NUMBERS:
        return TRIAL_NUMBERS[metric]

    def number(trial: TrialRecord) -> float:
        if trial.status == "diverged":
            return worst_value(metric, at, better)
        curve = metric_curve(trial.curves, metric)
        return math.nan if curve is None else quantity(curve, at, better, reach, between)

    return number if scale == "linear" else lambda trial: _logarithm(number(trial))


def _logarithm(value: float) -> float:
    """Return the logarithm; a worst value without bound stays that, and NaN stands for what has none."""
    if math.isinf(value):
        return value
    return math.nan if value < 0 or math.isnan(value) else math.log(value) if value else -math.inf


def ask(claim: Claim, layout: Layout, validation_rows: int | None) -> Question:
    """Compare what a claim compares."""
    named, factors = named_groups(claim, layout), compared_factors(claim, layout)
    together = claim.within is not None or layout.zipped or not factors
    groups = named if together else _shared(layout, named, factors)
    problem = _problem(claim, layout, named, groups)
    if problem:
        return Question(claim, problem=problem)
    others = _others(layout, groups, factors)
    step = resolution(claim.metric, claim.at, layout.rows_of_unit(validation_rows))
    contrasts = _Relation(claim, layout, groups, step).contrasts()
    if any(not contrast.region.bounds for contrast in contrasts):
        return Question(
            claim, problem=f"no {metric_words(claim.metric)} can lie outside the bounds of `within`"
        )
    return Question(
        claim,
        contrasts=tuple(replace(c, log=claim.scale == "log") for c in contrasts),
        needs="any" if claim.differ else "all",
        averaged=tuple(f for f in layout.factors if any(len(by[f]) > 1 for by in others if f in by)),
        unlike=() if claim.within else unlike(claim.metric, layout, groups),
        restricted=() if groups == named else _held(layout, groups, factors),
        mixed=claim.within is None and any(by != others[0] for by in others),
    )


@dataclass(frozen=True)
class _Relation:
    """The comparisons of a claim, each over the units that its own groups completed."""

    claim: Claim
    layout: Layout
    groups: Sequence[Group]
    resolution: float

    def contrasts(self) -> tuple[Contrast, ...]:
        """Return one comparison per pair or level that the relation speaks of, in the order of its levels."""
        claim, groups = self.claim, self.groups
        if claim.interaction:
            regions = {"positive": ABOVE_ZERO, "negative": BELOW_ZERO, "any": NOT_ZERO}
            return (self._interaction(regions[claim.interaction.sign]),)
        if claim.within:
            region = Region(
                self._bound(claim.within.low, -math.inf), self._bound(claim.within.high, math.inf)
            )
            return tuple(self._level(group, region) for group in groups)
        if claim.order:
            return tuple(self._pair(b, a, _beyond(claim)) for a, b in itertools.pairwise(groups))
        region = _pair_region(claim)
        return tuple(self._pair(a, b, region) for a, b in itertools.combinations(groups, 2))

    def _see(self, *groups: Group) -> Observations:
        return observe(self.layout, groups, number_of(self.claim, self.layout))

    def _bound(self, value: float | None, default: float) -> float:
        return default if value is None else math.log(value) if self.claim.scale == "log" else value

    def _pair(self, first: Group, second: Group, region: Region) -> Contrast:
        return pair_contrast(self._see(first, second), first.label, second.label, region, self.resolution)

    def _level(self, group: Group, region: Region) -> Contrast:
        claim = self.claim
        return level_contrast(
            self._see(group),
            group.label,
            region,
            self.resolution,
            possible=metric_range(claim.metric, claim.at) if claim.scale == "linear" else ANY,
            yes_or_no=claim.metric in YES_OR_NO,
        )

    def _interaction(self, region: Region) -> Contrast:
        a, b, c, d = (group.label for group in self.groups)
        return interaction_contrast(self._see(*self.groups), (a, b, c, d), region, self.resolution)


def number_of(claim: Claim, layout: Layout) -> Callable[[TrialRecord], float]:
    """Return what takes a claim's number from a trial."""
    better = direction_of_claim(claim, layout.stated)
    return measure(claim.metric, claim.at, better, claim.reach, claim.scale, claim.between)


def _pair_region(claim: Claim) -> Region:
    if claim.equal:
        margin = math.log(claim.equal.margin) if claim.scale == "log" else claim.equal.margin
        return Region(-margin, margin)
    return _beyond(claim) if claim.greater or claim.less else NOT_ZERO


def _beyond(claim: Claim) -> Region:
    """Return the differences that a claim about more or less means; an order rises."""
    by = 0.0 if claim.by is None else math.log(claim.by) if claim.scale == "log" else claim.by
    return Region(high=-by) if claim.less else Region(low=by)


def compared_factors(claim: Claim, layout: Layout) -> tuple[str, ...]:
    """Return the factors whose levels a claim compares; none where it takes combinations as they are."""
    if claim.interaction:
        return tuple(claim.interaction.factors)
    if claim.factor:
        return (claim.factor,)
    return layout.factors if len(layout.factors) == 1 else ()


def named_groups(claim: Claim, layout: Layout) -> tuple[Group, ...]:
    """Return the groups that a claim names, in its order."""
    factors = compared_factors(claim, layout)
    if claim.interaction:
        (a, (a1, a2)), (b, (b1, b2)) = claim.interaction.factors.items()
        corners = [(a1, b1), (a2, b1), (a1, b2), (a2, b2)]
        return tuple(_group(f"{x}, {y}", layout, {a: x, b: y, **claim.where}) for x, y in corners)
    if factors:
        levels = claim.levels or _levels(layout, factors[0], claim.where)
        return tuple(_group(level, layout, {factors[0]: level, **claim.where}) for level in levels)
    possible = layout.cells_with(claim.where)
    return tuple(Group(cell, tuple(c for c in possible if c == cell)) for cell in claim.levels or possible)


def _group(label: str, layout: Layout, where: Mapping[str, str]) -> Group:
    return Group(label, layout.cells_with(where))


def _levels(layout: Layout, factor: str, where: Mapping[str, str]) -> tuple[str, ...]:
    cells = layout.cells_with(where)
    return tuple(dict.fromkeys(layout.cells[cell][factor] for cell in cells if factor in layout.cells[cell]))


def _shared(layout: Layout, groups: Sequence[Group], factors: Sequence[str]) -> tuple[Group, ...]:
    """Leave in each group the cells whose levels of the other factors are in every group."""
    found = [{_rest(layout, cell, factors): cell for cell in group.cells} for group in groups]
    common = set.intersection(*map(set, found)) if found else set()
    return tuple(
        Group(group.label, tuple(cell for rest, cell in cells.items() if rest in common))
        for group, cells in zip(groups, found, strict=True)
    )


def _rest(layout: Layout, cell: str, factors: Sequence[str]) -> tuple[str, ...]:
    """Return a cell's levels of the factors that are not compared."""
    return tuple(f"{name}={level}" for name, level in layout.cells[cell].items() if name not in factors)


def _held(layout: Layout, groups: Sequence[Group], factors: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(", ".join(_rest(layout, cell, factors)) for cell in groups[0].cells))


def _problem(claim: Claim, layout: Layout, named: Sequence[Group], groups: Sequence[Group]) -> str:
    """Say what the claim names that the study or its trials do not have; empty if nothing.

    ``groups`` are those ``named`` without what cannot be compared like with like.
    """
    empty = [group.label for group in named if not group.cells]
    if empty or not named:
        return f"the study trains nothing with {empty[0]}" if empty else "the study trains no such levels"
    if not groups[0].cells:
        labels = listing([group.label for group in groups])
        return f"{labels} were never combined with the same levels of the other factors"
    ended = layout.ended([c for g in groups for c in g.cells])
    finished = [t for t in ended if t.status == "finished"]
    names = list(dict.fromkeys(name for trial in finished for name in metric_names(trial.curves)))
    measured = claim.metric in TRIAL_NUMBERS or any(
        metric_curve(trial.curves, claim.metric) is not None for trial in finished
    )
    if finished and not measured:
        return unknown_name("measurement", claim.metric, names)
    better = direction_of_claim(claim, layout.stated)
    if better is None and needs_direction(claim.at):
        return unknown_direction(claim.metric)
    ranked = claim.metric in TRIAL_NUMBERS or not math.isnan(worst_value(claim.metric, claim.at, better))
    if len(finished) < len(ended) and not ranked:
        return f"trials that diverged cannot be ranked: {unknown_direction(claim.metric)}"
    return ""


def _others(
    layout: Layout, groups: Sequence[Group], factors: Sequence[str]
) -> list[dict[str, frozenset[str]]]:
    """Return for each group the levels of the factors that are not compared: {factor: levels}."""
    others = [name for name in layout.factors if factors and name not in factors]
    return [
        {name: frozenset(layout.cells[cell][name] for cell in group.cells) for name in others}
        for group in groups
    ]
