"""A study: a base experiment, its factors, seeds and claims."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from ceteris.spec.base import Spec
from ceteris.spec.claim import Claim
from ceteris.spec.experiment import Experiment

PatchValue = Any


class Level(Spec):
    """A label and a patch of the experiment: {dotted path: value, ...}."""

    label: str
    patch: dict[str, PatchValue]


class Factor(Spec):
    """A named list of levels."""

    name: str
    levels: Annotated[tuple[Level, ...], Field(min_length=1)]


class Study(Spec):
    """A base experiment, its factors, seeds, and claims."""

    title: str = ""
    source: str = ""
    """Where the question comes from."""
    experiment: Experiment
    vary: tuple[Factor, ...] = ()
    """In YAML a mapping: factor -> list of values, or factor -> {label: {path: value}}."""

    combine: Literal["cross", "zip"] | tuple[dict[str, str], ...] = "cross"
    """How factors are combined: `cross`ed, `zip`ped level by level, or a list of {factor: level}."""

    seeds: Annotated[int, Field(ge=1)] | tuple[Annotated[int, Field(ge=0)], ...] = 5
    """How many seeds (0, 1, ...), or which."""

    claims: tuple[Claim, ...] = ()
