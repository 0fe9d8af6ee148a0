"""Claims: sentences about a study that data can support or contradict."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ceteris.spec.base import Spec

Take = Literal["last", "best", "change", "fluctuation", "epochs_until"]


class Equal(Spec):
    """Two or more levels that differ by no more than ``margin`` (two one-sided tests, each pair)."""

    levels: Annotated[tuple[str, ...], Field(min_length=2)]
    margin: Annotated[float, Field(gt=0)]


class Within(Spec):
    """Levels whose mean lies between ``low`` and ``high`` (either may be left out)."""

    levels: tuple[str, ...] = ()
    """Empty: all levels."""
    low: float | None = None
    high: float | None = None


class Interaction(Spec):
    """A difference of differences: (a1 - a2) at b1 minus (a1 - a2) at b2, for two factors."""

    factors: dict[str, tuple[str, str]]
    """Two factors, each with two of its levels: {a: [a1, a2], b: [b1, b2]}."""
    sign: Literal["positive", "negative", "any"] = "any"


class Claim(Spec):
    """One claim: a quantity of each trial, and exactly one relation between levels."""

    text: str

    metric: str
    """A recorded measurement (`val_loss`, `train_accuracy`, `grad_norm`, `std/head.weight`, ...), or
    `gap_loss` (validation minus training) or `gap_accuracy` (training minus validation)."""

    at: Take = "last"
    """Which number of the curve: the `last` epoch, the `best` epoch (lowest for losses, highest
    otherwise), the `change` from the first epoch to the last, the `fluctuation` (standard deviation
    of the differences between adjacent epochs), or `epochs_until` the metric reaches `reach`."""

    reach: float | None = None

    factor: str | None = None
    """The factor whose levels are compared; may be left out where the study has one factor."""

    where: dict[str, str] = Field(default_factory=dict)
    """Levels of other factors to which the claim is restricted; else averaged over."""

    order: Annotated[tuple[str, ...], Field(min_length=2)] | None = None
    """Rising from the first level to the last: all adjacent pairs."""
    greater: tuple[str, str] | None = None
    """The first level's quantity is greater than the second's."""
    less: tuple[str, str] | None = None
    differ: Annotated[tuple[str, ...], Field(min_length=2)] | None = None
    """At least one pair of these levels differs."""
    equal: Equal | None = None
    within: Within | None = None
    interaction: Interaction | None = None


RELATIONS = ("order", "greater", "less", "differ", "equal", "within", "interaction")
