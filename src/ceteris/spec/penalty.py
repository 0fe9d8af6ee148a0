"""Penalties: terms added to the loss that grow with the parameters."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from ceteris.spec.base import KindOnly, Number, Spec, wrong

Strength = Annotated[
    Number,
    Field(ge=0, title="weight of a penalty", description="What the penalty is multiplied by in the loss."),
]
On = Annotated[Literal["weights", "all"], Field(title="choice of parameters")]


class NoPenalty(Spec):
    """The loss alone."""

    kind: Literal["none"] = "none"


class L1(Spec):
    """Absolute values: ``weight * sum over tensors W of f(W)``.

    ``sum``: f(W) = sum |w|, which is the L1 norm of W. ``mean``: f(W) = (sum |w|) / (numbers in W). The
    gradient at w = 0 is 0.
    """

    kind: Literal["l1"] = "l1"
    weight: Strength
    form: Annotated[Literal["sum", "mean"], Field(title="form of an L1 penalty")] = "sum"
    on: On = "weights"
    """`weights`: weight matrices only; `all`: biases and normalisation layers too."""

    @field_validator("form", mode="before")
    @classmethod
    def _norm_is_the_sum(cls, form: Any) -> Any:
        if form == "norm":
            raise wrong("the L1 norm of a tensor is the sum of its absolute values: `form: sum`")
        return form


class L2(Spec):
    """Squares or norms: ``weight * sum over tensors W of f(W)``.

    ``sum``: f(W) = sum w^2, without a factor 1/2: for SGD ``weight`` w acts as a weight decay of 2 w.
    ``mean``: f(W) = (sum w^2) / (numbers in W). ``norm``: f(W) = sqrt(sum w^2), whose gradient W / f(W) has
    length 1 however small W is (0 at W = 0).
    """

    kind: Literal["l2"] = "l2"
    weight: Strength
    form: Annotated[Literal["sum", "norm", "mean"], Field(title="form of an L2 penalty")] = "sum"
    on: On = "weights"
    """`weights`: weight matrices only; `all`: biases and normalisation layers too."""


OnePenalty = Annotated[L1 | L2, Field(discriminator="kind", title="penalty")]


class Several(Spec):
    """The sum of several penalties; a list of them is short for this."""

    kind: Literal["several"] = "several"
    terms: Annotated[tuple[OnePenalty, ...], Field(title="list of penalties")]
    """The penalties that are added up."""

    @field_validator("terms")
    @classmethod
    def _not_empty(cls, terms: tuple[L1 | L2, ...]) -> tuple[L1 | L2, ...]:
        if not terms:
            raise wrong("the list of penalties is empty; `penalty: none` is how to have none")
        return terms


def _listed(value: Any) -> Any:
    return {"kind": "several", "terms": list(value)} if isinstance(value, list | tuple) else value


PenaltySpec = Annotated[
    NoPenalty | L1 | L2 | Several,
    Field(discriminator="kind", title="penalty"),
    KindOnly,
    BeforeValidator(_listed),
]


def penalties_of(spec: NoPenalty | L1 | L2 | Several) -> tuple[L1 | L2, ...]:
    """Return the terms that a penalty consists of; none where it changes nothing."""
    terms = spec.terms if isinstance(spec, Several) else (spec,)
    return tuple(term for term in terms if not isinstance(term, NoPenalty) and term.weight > 0)
