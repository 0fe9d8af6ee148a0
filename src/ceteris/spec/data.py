"""Which data a trial reads, how its rows are split, and how its inputs are prepared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from ceteris.errors import CeterisError
from ceteris.spec.addresses import is_url, plain_checksum, read_file
from ceteris.spec.augment import Augment
from ceteris.spec.base import AnyNumber, Spec, Switch, Whole, wrong
from ceteris.spec.plain import plain_data
from ceteris.spec.synthetic import SYNTHETIC

ScaleName = Literal["unit", "none", "standardize", "symmetric"]
TargetScale = Literal["none", "standardize", "log", "log_standardize"]
Divisor = Annotated[float, AnyNumber, Field(gt=0)]
Count = Annotated[int, AnyNumber, Field(ge=1)]
Validation = Annotated[int, AnyNumber, Field(ge=0)]
Extent = Annotated[int, AnyNumber, Field(ge=1, le=4096)]
Share = Annotated[float, AnyNumber, Field(gt=0, lt=1)]


PARAMETERS = "?"
"""What stands between a source and its parameters in ``DataSpec.reading``."""
REDUCED = "#"
"""What stands before the settings that make other inputs of the rows, in ``DataSpec.reading``."""


TABLE_FILES = (".csv", ".tsv", ".parquet")
"""How the names of files end that are read as tables."""
FRAME = "frame"
"""What an experiment calls a frame in memory that becomes features as a table in a file does."""
NAMED_TABLES = ("house-prices", FRAME)
"""Named sources that are tables."""


def is_table_file(source: str) -> bool:
    """Tell by its name whether a source is a file with a table."""
    return read_file(source).lower().endswith(TABLE_FILES)


def split_parameters(source: str) -> tuple[str, str]:
    """Return a source and its parameters as JSON, or empty: the parts of ``DataSpec.reading``.

    An address may have a `?` of its own, but no brace.
    """
    name, mark, text = source.partition(PARAMETERS + "{")
    return name, mark[1:] + text


class DataSpec(Spec):
    """The data of an experiment. ``data: fashion-mnist`` is short for ``data: {source: fashion-mnist}``."""

    source: Annotated[str, Field(min_length=1, title="source of data")]
    """A name, a path or an address: see the sources above."""

    checksum: Annotated[str | None, Field(title="checksum")] = None
    """MD5, SHA-1 or SHA-256 in hexadecimal digits of the file at an address: what was downloaded and what was
    kept must have it."""

    target: Annotated[str | None, Field(min_length=1, title="name of a column")] = None
    """The column of a table that is predicted."""

    test: Annotated[str | None, Field(min_length=1, title="path of a table")] = None
    """A second table with the columns of the first, `target` included, whose rows are the test rows: a path
    or an address. They take no part in training or choosing; `ceteris test` reads them, and counts how often.
    A category that they alone have counts as none of its column's. Other sources bring test rows of their
    own: an `.npz` file as `x_test` and `y_test`, a folder of images in `test` beside `train`."""

    ids: Annotated[tuple[str, ...], Field(title="list of columns")] = ()
    """Columns of a table that name its rows: written beside predictions, no input to the network."""

    drop: Annotated[tuple[str, ...], Field(title="list of columns")] = ()
    """Columns of a table that are left out: free text, or what is not known when a prediction is wanted."""

    parameters: dict[str, Any] = Field(default_factory=dict, title="mapping of parameters")
    """Parameters of a synthetic source, such as `{n: 1000, noise: 0.1}`: see
    [synthetic data](#synthetic-data)."""

    resize: Annotated[tuple[Extent, Extent] | None, Field(title="size of images")] = None
    """Height and width that images are brought to, before they are scaled: `[16, 8]`. Smaller by means over
    areas, larger by bilinear interpolation: torch's `adaptive_avg_pool2d` and `interpolate`."""

    project: Annotated[Whole | None, Field(ge=1, le=100_000, title="number of inputs")] = None
    """How many inputs a random projection makes of each row: its numbers times weights from N(0, 1/k) for
    k inputs, the same for all rows and seeds."""

    scale: Annotated[ScaleName | Divisor, Field(title="scale")] = "unit"
    """How inputs are scaled. `unit`: into [0, 1] by the largest value that the source's type or
    documentation allows (by the training rows' minimum and maximum where there is none); `none`;
    a number: divided by it; `standardize`: mean 0, standard deviation 1 per feature, estimated on
    the training rows; `symmetric`: `unit`, then (x - 0.5) / 0.5. Tables are standardised unless something
    else is said, with the deviation divided by n - 1."""

    target_scale: Annotated[TargetScale, Field(title="scale of targets")] = "none"
    """How numbers to predict are scaled: `standardize` to mean 0 and standard deviation 1, estimated on the
    training rows; `log`, their natural logarithms; `log_standardize`, both. Losses are those of the scaled
    numbers; metrics such as `rmse` and `log_rmse`, and predictions, are in the numbers' own units."""

    split: Annotated[Literal["per-seed", "fixed"], Field(title="way to split")] = "per-seed"
    """Whether each seed draws its own train/validation split, or all seeds share one."""

    validation: Annotated[Validation | Share | None, Field(title="size of a validation split")] = None
    """Validation rows, as a count or a share of the training rows. Default: 10,000 for the two
    MNISTs, a fifth elsewhere. `0`: none, so that all rows train and nothing is measured on rows that did
    not, as when a network is fitted for use (`ceteris refit`)."""

    validation_balanced: Annotated[Switch, Field(title="choice for the validation split")] = False
    """Whether the validation split holds equally many rows of every class: its size divided by the
    number of classes, rounded down. The slice on which train_loss is measured is then balanced too."""

    rows: Annotated[Whole | None, Field(ge=1, title="number of rows")] = None
    """Use only so many of the training rows that are left after the split (drawn by seed)."""

    label_noise: Annotated[float, AnyNumber, Field(ge=0, le=1, title="share of labels")] = 0.0
    """The share of training labels replaced by another class, drawn by seed. Validation labels stay."""

    balance: Annotated[Literal["none", "oversample"], Field(title="way to balance classes")] = "none"
    """`oversample`: each row of an epoch is drawn anew, first its class, all equally likely, then a row
    of that class. An epoch keeps its length; rows of rare classes are seen more often."""

    augment: Annotated[Augment, Field(title="augmentation")] = Augment()
    """Random changes of training images: `{flip: true, shift: 2}`."""

    content: str | None = None
    """SHA-256 of the data that a record was made with; checked when it is repeated."""

    def __hash__(self) -> int:
        """Hash by the settings as text: parameters are a mapping, which has no hash."""
        return hash(self.model_dump_json())

    @property
    def reading(self) -> str:
        """What is read: the source with its parameters, and what is made of its rows one by one.

        Equal for experiments that read the same rows.
        """
        made = {"project": self.project, "resize": self.resize}
        reduced = {name: value for name, value in made.items() if value is not None}
        after = REDUCED + json.dumps(reduced) if reduced else ""
        own = dict(self.parameters)
        if self.target is not None:
            own |= {"target": self.target, "ids": list(self.ids)}
            own |= {"drop": list(self.drop)} if self.drop else {}
            own |= {"test": self.test} if self.test else {}
        if self.checksum is not None:
            own |= {"checksum": self.checksum}
        return self.source + (PARAMETERS + json.dumps(own, sort_keys=True) if own else "") + after

    @field_validator("source", "test", mode="before")
    @classmethod
    def _path_is_text(cls, path: Any) -> Any:
        return str(path) if isinstance(path, PurePath) else path

    @field_validator("checksum")
    @classmethod
    def _checksum_is_one(cls, checksum: str | None) -> str | None:
        if checksum is None:
            return None
        try:
            return plain_checksum(checksum)
        except ValueError as error:
            raise wrong(
                f"`{checksum}` is no checksum; give the hexadecimal digits of the file's MD5 (32), SHA-1 "
                "(40) or SHA-256 (64)"
            ) from error

    @field_validator("parameters")
    @classmethod
    def _plain(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        copied: dict[str, Any] = plain_data(parameters)
        return copied

    @model_validator(mode="after")
    def _parameters_fit(self) -> Self:
        if not self.parameters:
            return self
        kind = SYNTHETIC.get(self.source)
        if kind is None:
            known = ", ".join(SYNTHETIC)
            raise wrong(f"`{self.source}` has no parameters; {known} have", "parameters")
        try:
            kind(**self.parameters)
        except CeterisError as error:
            first = error.problems[0]
            name = first.where.partition(".")[2]
            raise wrong(first.message, f"parameters.{name}") from error
        return self

    @model_validator(mode="after")
    def _checksum_fits(self) -> Self:
        if self.checksum is not None and not is_url(self.source):
            raise wrong(f"`{self.source}` is not downloaded from an address; leave this out", "checksum")
        return self

    @model_validator(mode="after")
    def _columns_fit(self) -> Self:
        named = {"target": self.target, "ids": self.ids, "drop": self.drop, "test": self.test}
        setting = next((name for name, given in named.items() if given), None)
        if setting is None:
            return self
        if not is_table_file(self.source):
            known = ", ".join(TABLE_FILES)
            raise wrong(f"`{self.source}` is no table of your own ({known}); leave `{setting}` out", setting)
        if self.target is None:
            raise wrong(f"a table with `{setting}` needs a `target`: the column to predict", "target")
        if self.test is not None and not is_table_file(self.test):
            raise wrong(f"`{self.test}` is no table ({', '.join(TABLE_FILES)})", "test")
        if self.test == self.source:
            raise wrong("the test rows are to be others than the training rows; name another file", "test")
        for name, columns in (("ids", self.ids), ("drop", self.drop)):
            if self.target in columns:
                raise wrong(f"`{self.target}` is to be predicted, so it cannot be one of the `{name}`", name)
        if both := [column for column in self.drop if column in self.ids]:
            raise wrong(f"`{both[0]}` is one of the `ids`, which are no inputs; name it once", "drop")
        return self

    @model_validator(mode="before")
    @classmethod
    def _source_only(cls, value: Any) -> Any:
        given = {"source": str(value)} if isinstance(value, str | PurePath) else value
        if not isinstance(given, Mapping) or "scale" in given:
            return given
        source = str(given.get("source", ""))
        table = source in NAMED_TABLES or is_table_file(source)
        return {**given, "scale": "standardize"} if table else given
