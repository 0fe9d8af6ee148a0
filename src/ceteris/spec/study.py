"""A study: a base experiment, its factors, seeds, folds and claims."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from ceteris.spec.base import AnyNumber, Label, Spec, Whole, wrong
from ceteris.spec.claim import Claim
from ceteris.spec.experiment import Experiment
from ceteris.spec.folds import FoldsSpec
from ceteris.spec.plain import plain_data
from ceteris.spec.search import Search

PatchValue = Annotated[Any, BeforeValidator(plain_data)]


class Level(Spec):
    """A label and a patch of the experiment: {dotted path: value, ...}; values are plain data."""

    label: Annotated[Label, Field(min_length=1, title="label")]
    """What the level is called in tables and claims."""
    patch: dict[str, PatchValue]
    """What it changes: dotted paths below `experiment`, each with its value."""


class Factor(Spec):
    """A named list of levels."""

    name: Annotated[str, Field(min_length=1, title="name")]
    """The dotted path of the only setting that it changes, or a name of your own."""
    levels: Annotated[tuple[Level, ...], Field(min_length=1, title="list of levels")]
    """One at least; their labels differ."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the levels, in order."""
        return tuple(level.label for level in self.levels)

    @field_validator("levels")
    @classmethod
    def _labels_differ(cls, levels: tuple[Level, ...]) -> tuple[Level, ...]:
        labels = [level.label for level in levels]
        for label in labels:
            if labels.count(label) > 1:
                raise wrong(f"two levels are called `{label}`; give them labels of their own")
        return levels


Combine = Annotated[
    Literal["cross", "zip"] | tuple[dict[str, Label], ...], Field(title="way to combine factors")
]
SeedCount = Annotated[int, AnyNumber, Field(ge=1, le=10_000)]
Seed = Annotated[int, AnyNumber, Field(ge=0, le=2**31 - 1)]


class Quick(Spec):
    """What `--quick` makes of a study; what is left out is as for every study.

    All numbers of epochs, of levels and schedules too, shrink by the same factor.
    """

    rows: Annotated[Whole | None, Field(ge=1, title="number of rows")] = None
    """Training rows at most. Default: 3,000 of the two MNISTs, all of other data. Of the two MNISTs 2,000
    rows validate, unless the study says how many."""
    epochs: Annotated[Whole | None, Field(ge=1, title="number of epochs")] = None
    """Epochs of the base experiment at most. Default: 3."""
    seeds: Annotated[Whole | None, Field(ge=1, le=10_000, title="number of seeds")] = None
    """Seeds at most. Default: 3."""
    trials: Annotated[Whole | None, Field(ge=2, title="number of candidates")] = None
    """Candidates of a search at most, unless it is a grid. Default: 8."""


class Study(Spec):
    """A base experiment, its factors, seeds, folds and claims."""

    title: Annotated[str, Field(title="title")] = ""
    """The question, which heads tables and report."""
    source: Annotated[str, Field(title="source")] = ""
    """Where the question comes from."""
    note: Annotated[str, Field(title="note")] = ""
    """What a reader of the verdicts has to know: how the comparison differs from the source's own, say, and
    what that one does show. It stands beside the verdicts."""
    experiment: Experiment
    """The base, which levels change."""
    vary: Annotated[tuple[Factor, ...], Field(title="list of factors")] = ()
    """In YAML a mapping: factor -> list of values, or factor -> {label: {path: value}}."""

    combine: Combine = "cross"
    """How factors are combined: `cross`ed, `zip`ped level by level, or a list of {factor: level}."""

    seeds: Annotated[
        SeedCount | Annotated[tuple[Seed, ...], Field(min_length=1, max_length=10_000)],
        Field(title="number or list of seeds"),
    ] = 5
    """How many seeds (0, 1, ...), or which."""

    search: Annotated[Search | None, Field(title="search")] = None
    """Instead of `vary`: a search for good values of settings, see [search](#search)."""

    folds: FoldsSpec = None
    """Cross-validation: a number of folds, or {k, kind, groups}. Folds of one seed are averaged."""

    quick: Annotated[Quick, Field(title="size of a quick look")] = Quick()
    """What `--quick` makes of the study."""

    claims: Annotated[tuple[Claim, ...], Field(title="list of claims")] = ()
    """What the study is to support or contradict; each claim gets a verdict."""

    def __str__(self) -> str:
        """Return the study as the YAML file that says the same."""
        from ceteris.spec.dump import study_to_yaml

        return study_to_yaml(self)

    @field_validator("vary", mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        from ceteris.spec.factors import factors_in_python

        return factors_in_python(value)

    @field_validator("seeds")
    @classmethod
    def _seeds_differ(cls, seeds: int | tuple[int, ...]) -> int | tuple[int, ...]:
        if isinstance(seeds, tuple) and len(set(seeds)) < len(seeds):
            raise wrong("a seed is listed twice; each gives one trial per level")
        return seeds
