"""Claims: sentences about a study that data can support or contradict."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ceteris.spec.base import Label, Number, Spec, Whole, wrong
from ceteris.spec.metrics import OF_TRIALS

Scale = Literal["linear", "log"]

Take = Literal[
    "first",
    "last",
    "best",
    "change",
    "largest_change",
    "smallest_change",
    "fluctuation",
    "epochs_until",
]
CHANGES = ("change", "largest_change", "smallest_change")
"""Takes that are differences between epochs, and so may be negative."""
OF_STRETCHES = ("best", *CHANGES, "fluctuation")
"""Takes that look at a stretch of a curve, which may be a part of it."""

Epoch = Annotated[Whole, Field(ge=1)]

Levels = Annotated[tuple[Label, ...], Field(min_length=2, title="list of levels")]
Pair = Annotated[tuple[Label, Label], Field(title="pair of levels")]


def _refuse_repeats(levels: tuple[str, ...], field: str) -> None:
    repeated = [level for level in dict.fromkeys(levels) if levels.count(level) > 1]
    if repeated:
        raise wrong(f"the level `{repeated[0]}` is named twice; a level is not compared with itself", field)


class Equal(Spec):
    """Two or more levels that differ by no more than ``margin`` (two one-sided tests, each pair)."""

    levels: Levels
    """Compared with each other, every pair."""
    margin: Annotated[Number, Field(gt=0, title="margin")]
    """How far apart two of them may be, in the units of the metric; with `scale: log` a factor above 1."""

    @model_validator(mode="after")
    def _different_levels(self) -> Self:
        _refuse_repeats(self.levels, "levels")
        return self


class Within(Spec):
    """Levels whose mean lies between ``low`` and ``high`` (either may be left out)."""

    levels: tuple[Label, ...] = ()
    """Empty: all levels."""
    low: Annotated[Number | None, Field(title="lower bound")] = None
    """What the mean is above."""
    high: Annotated[Number | None, Field(title="upper bound")] = None
    """What the mean is below."""

    @model_validator(mode="after")
    def _has_bounds(self) -> Self:
        if self.low is None and self.high is None:
            raise wrong("there is no bound; give `low`, `high` or both")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise wrong(f"{self.high:g} is not above `low`, which is {self.low:g}", "high")
        _refuse_repeats(self.levels, "levels")
        return self


class Interaction(Spec):
    """A difference of differences: (a1 - a2) at b1 minus (a1 - a2) at b2, for two factors."""

    factors: dict[str, Pair]
    """Two factors, each with two of its levels: {a: [a1, a2], b: [b1, b2]}."""
    sign: Annotated[Literal["positive", "negative", "any"], Field(title="sign")] = "any"
    """Whether that difference is above 0, below 0, or one of the two."""

    @model_validator(mode="after")
    def _two_factors(self) -> Self:
        if len(self.factors) != 2:
            raise wrong(f"an interaction is between 2 factors, not {len(self.factors)}", "factors")
        for factor, levels in self.factors.items():
            _refuse_repeats(levels, f"factors.{factor}")
        return self


class Claim(Spec):
    """One claim: a quantity of each trial, and exactly one relation between levels."""

    text: Annotated[str, Field(min_length=1, title="sentence")]
    """The claim in words, as it is told beside its verdict."""

    metric: Annotated[str, Field(min_length=1, title="metric")]
    """One of the [metrics](#metrics): `val_loss`, `train_accuracy`, `std/head.weight` and others."""

    at: Annotated[Take, Field(title="point of a curve")] = "last"
    """Which number of the curve: see the table above."""

    between: Annotated[tuple[Epoch, Epoch] | None, Field(title="pair of epochs")] = None
    """Two epochs, counted from 1, such as `[50, 100]`: `at` looks at the curve from the one to the other, and
    is `best`, `change`, `largest_change`, `smallest_change` or `fluctuation`. Default: the whole curve. A
    trial that ends before has no such number."""

    reach: Annotated[Number | None, Field(title="value to reach")] = None
    """The value that `at: epochs_until` waits for."""

    coming: Annotated[Literal["up", "down"] | None, Field(title="way to come to a value")] = None
    """Whether the curve comes to `reach` from below (`up`) or from above (`down`). Default: from the side of
    the worse values; to be given where no values are better, as with `lr`."""

    scale: Annotated[Scale, Field(title="scale")] = "linear"
    """`log` compares logarithms, for what spans orders of magnitude (variances, norms, rates): means are
    geometric, differences are ratios, and the margin of `equal` is a factor (1.1 allows a tenth more)."""

    factor: str | None = None
    """The factor whose levels are compared; may be left out where the study has one factor."""

    where: dict[str, Label] = Field(default_factory=dict)
    """Levels of other factors to which the claim is restricted."""
    over: Annotated[Literal["each", "average"], Field(title="way to take other factors")] = "each"
    """What the claim says of other factors that `where` does not hold at a level. The average over their
    levels is tested either way. With `each` it is no verdict where the effect is shown to differ between
    them: then the verdict is the one that all of them give alone, or that none is established and on which
    factors it is shown to depend. With `average` the average decides, whatever they show."""

    order: Levels | None = None
    """Rising from the first level to the last: all adjacent pairs."""
    greater: Pair | None = None
    """The first level's quantity is greater than the second's."""
    less: Pair | None = None
    """The first level's quantity is less than the second's."""
    by: Annotated[Number | None, Field(gt=0, title="difference")] = None
    """The least difference: `order`, `greater` or `less` claim of every pair that it differs by more than
    this (`by: 0.02`: two points of accuracy). With `scale: log` it is a factor above 1. Default: 0."""
    differ: Levels | None = None
    """At least one pair of these levels differs."""
    equal: Equal | None = None
    """These levels differ by no more than a margin: `{levels: [a, b], margin: 0.01}`."""
    within: Within | None = None
    """The mean of each of these levels lies within bounds: `{levels: [a], low: 0.9}`."""
    interaction: Interaction | None = None
    """What one factor does depends on another: `{factors: {a: [a1, a2], b: [b1, b2]}, sign: any}`."""

    @property
    def relation(self) -> str:
        """The name of the one relation that this claim states."""
        return next(name for name in RELATIONS if getattr(self, name) is not None)

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels of ``factor`` that this claim names; empty for an interaction or for all levels."""
        if self.equal is not None:
            return self.equal.levels
        if self.within is not None:
            return self.within.levels
        return self.order or self.greater or self.less or self.differ or ()

    @model_validator(mode="after")
    def _one_relation(self) -> Self:
        given = [name for name in RELATIONS if getattr(self, name) is not None]
        if len(given) != 1:
            found = f"{len(given)}: {', '.join(given)}" if given else "none"
            raise wrong(
                f"a claim has exactly one relation, and this one has {found} (known: {', '.join(RELATIONS)})"
            )
        return self

    @model_validator(mode="after")
    def _by_with_a_direction(self) -> Self:
        if self.by is not None and self.order is None and self.greater is None and self.less is None:
            raise wrong(
                f"`by` belongs to `order`, `greater` or `less`, and this claim says `{self.relation}`", "by"
            )
        return self

    @model_validator(mode="after")
    def _different_levels(self) -> Self:
        for name in ("order", "greater", "less", "differ"):
            _refuse_repeats(getattr(self, name) or (), name)
        return self

    @model_validator(mode="after")
    def _reach_with_epochs_until(self) -> Self:
        if self.at == "epochs_until" and self.reach is None:
            raise wrong("`at: epochs_until` needs the value to `reach`", "reach")
        if self.at != "epochs_until" and self.reach is not None:
            raise wrong(f"`reach` belongs to `at: epochs_until`, and this claim is at `{self.at}`", "reach")
        if self.at != "epochs_until" and self.coming is not None:
            raise wrong(f"`coming` belongs to `at: epochs_until`, and this claim is at `{self.at}`", "coming")
        return self

    @model_validator(mode="after")
    def _between_two_epochs(self) -> Self:
        if self.between is None:
            return self
        if self.at not in OF_STRETCHES:
            stretches = ", ".join(f"`{take}`" for take in OF_STRETCHES)
            raise wrong(f"`between` belongs to {stretches}, and this claim is at `{self.at}`", "between")
        first, last = self.between
        if first >= last:
            raise wrong(
                f"epoch {last} does not come after epoch {first}; name the earlier one first", "between"
            )
        return self

    @model_validator(mode="after")
    def _one_number_has_no_points(self) -> Self:
        if self.metric in OF_TRIALS and self.at != "last":
            raise wrong(f"`{self.metric}` is one number of a trial, not a curve; leave `at` out", "at")
        return self

    @model_validator(mode="after")
    def _logarithms_exist(self) -> Self:
        if self.scale == "linear":
            return self
        if self.at in CHANGES or self.metric in (*SIGNED, *OF_TRIALS):
            name = f"a change of `{self.metric}`" if self.at in CHANGES else f"`{self.metric}`"
            raise wrong(f"{name} may be negative or 0, which has no logarithm; leave `scale` out", "scale")
        bounds = (self.within.low, self.within.high) if self.within else ()
        low = next((bound for bound in bounds if bound is not None and bound <= 0), None)
        if low is not None:
            raise wrong(f"with `scale: log` bounds are above 0, and one is {low:g}", "within")
        if self.by is not None and self.by <= 1:
            raise wrong(f"with `scale: log` it is a factor above 1 such as 2, and it is {self.by:g}", "by")
        if self.equal and self.equal.margin <= 1:
            raise wrong(
                "with `scale: log` the margin is a factor above 1 such as 1.1, "
                f"and it is {self.equal.margin:g}",
                "equal.margin",
            )
        return self

    @model_validator(mode="after")
    def _factor_fits(self) -> Self:
        if self.interaction is not None and self.factor is not None:
            raise wrong("an interaction names its two factors itself; leave `factor` out", "factor")
        compared = set(self.interaction.factors) if self.interaction else {self.factor}
        for name in self.where:
            if name in compared:
                raise wrong(
                    f"the levels of `{name}` are compared, so it cannot be held at one of them", "where"
                )
        return self


SIGNED = ("gap_loss", "gap_accuracy")
"""Metrics that have a sign."""

RELATIONS = ("order", "greater", "less", "differ", "equal", "within", "interaction")
"""The settings of a claim of which exactly one is given."""
