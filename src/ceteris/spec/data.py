"""Which data a trial reads, how its rows are split, and how its inputs are prepared."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ceteris.spec.base import Spec

ScaleName = Literal["unit", "none", "standardize", "symmetric"]


class DataSpec(Spec):
    """The data of an experiment. ``data: fashion-mnist`` is short for ``data: {source: fashion-mnist}``."""

    source: str
    """A named source (`digits`, `mnist`, `fashion-mnist`) or the path of an `.npz` file with arrays `x` and `y`."""

    scale: ScaleName | Annotated[float, Field(gt=0)] = "unit"
    """How inputs are scaled. `unit`: into [0, 1] by the largest value that the source's type or
    documentation allows (by the training rows' minimum and maximum where there is none); `none`;
    a number: divided by it; `standardize`: mean 0, standard deviation 1 per feature, estimated on
    the training rows; `symmetric`: `unit`, then (x - 0.5) / 0.5."""

    split: Literal["per-seed", "fixed"] = "per-seed"
    """Whether each seed draws its own train/validation split, or all seeds share one."""

    validation: Annotated[int, Field(gt=0)] | Annotated[float, Field(gt=0, lt=1)] | None = None
    """Validation rows, as a count or a share of the training rows. Default: 10,000 for the two
    MNISTs, a fifth elsewhere."""

    rows: Annotated[int, Field(gt=0)] | None = None
    """Use only so many of the training rows that are left after the split (drawn by seed)."""

    label_noise: Annotated[float, Field(ge=0, le=1)] = 0.0
    """The share of training labels replaced by another class, drawn by seed. Validation labels stay."""

    content: str | None = None
    """SHA-256 of the data that a record was made with; checked when it is repeated."""
