"""Cross-validation: how the rows of a study are dealt into folds."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from ceteris.spec.base import Spec, Whole, wrong
from ceteris.spec.labels import shown

FoldKind = Literal["stratified", "plain", "grouped", "time"]


class Folds(Spec):
    """Folds of a study: one trial per level, seed and fold. ``folds: 5`` is short for ``folds: {k: 5}``.

    Every row is in exactly one validation fold, and no row is dropped. With `time` the window expands:
    the rows are cut into k + 1 blocks in the order in which they stand, fold i trains on the blocks
    before block i + 1 and validates on it, so the first block is never validated.
    Folds are drawn anew for every seed, or once for all, as the data's `split` says; those in the
    order of time are the same for every seed.
    """

    k: Annotated[Whole, Field(ge=2, le=1_000, title="number of folds")]

    kind: Annotated[FoldKind | None, Field(title="kind of folds")] = None
    """`stratified`: each fold holds the classes in their proportions; `plain`: at random; `grouped`:
    rows of one group stay together; `time`: each validation block comes after its training rows.
    Default: `stratified` for classes, `plain` for numbers to predict, `grouped` where `groups` is given."""

    groups: Annotated[str | None, Field(min_length=1, title="name of an array")] = None
    """The array of the `.npz` file that names the group of each row."""

    @model_validator(mode="after")
    def _groups_belong_to_grouped_folds(self) -> Self:
        if self.kind == "grouped" and self.groups is None:
            raise wrong("grouped folds need `groups`, the name of the array that holds each row's group")
        if self.groups is not None and self.kind not in (None, "grouped"):
            raise wrong(f"{self.kind} folds have no groups; remove this, or use `kind: grouped`", "groups")
        return self

    def kind_for(self, task: str) -> FoldKind:
        """Return the kind that is meant for data of a task (``classification`` or ``regression``)."""
        if self.kind is not None:
            return self.kind
        if self.groups is not None:
            return "grouped"
        return "stratified" if task == "classification" else "plain"

    def resolved(self, task: str) -> Folds:
        """Return the folds with their kind filled in."""
        return self.model_copy(update={"kind": self.kind_for(task)})


def _number_only(value: object) -> object:
    """Expand the short form: ``5`` means ``{k: 5}``."""
    if value is None or isinstance(value, Folds | Mapping):
        return value
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise wrong(f"{shown(value)} is not a number of folds; give one, or a mapping with `k` and `kind`")
    return {"k": value}


FoldsSpec = Annotated[Folds | None, BeforeValidator(_number_only), Field(title="number of folds")]
