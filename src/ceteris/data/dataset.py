"""What a data set is once it has been read: arrays with their facts, the test rows kept apart."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ceteris.data.download import Report
from ceteris.data.kept_layout import LAYOUT, layout_array
from ceteris.data.one_input import OneInput
from ceteris.data.table_layout import Layout

Task = Literal["classification", "regression"]
DEFAULT_VALIDATION = 0.2


@dataclass(frozen=True, eq=False)
class Rows:
    """Inputs and targets of the same rows: ``x`` is (N, *shape), ``y`` is (N,) or (N, outputs)."""

    x: NDArray[Any]
    y: NDArray[Any]
    ids: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """What names test rows of a table, (N,) by column."""
    notes: tuple[str, ...] = ()
    """What a reader of test rows has to know, one sentence each: categories that no training row has."""


@dataclass(frozen=True, eq=False)
class SourceData:
    """All that a source holds, test rows included. It does not leave ``ceteris.data``."""

    name: str
    task: Task
    train: Rows
    test: Rows | None
    classes: tuple[str, ...]
    value_range: tuple[float, float] | None
    origin: str
    default_validation: int | float = DEFAULT_VALIDATION
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    truth: Mapping[str, Any] = field(default_factory=dict)
    table: Layout | None = None
    one_input: OneInput | None = None
    test_origin: str = ""
    layout_kept: bool = False
    """Whether the layout of a table stands beside its rows, and so is a part of their content: a frame's."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """The training rows of a source and what is known about them. Test rows are not in here (law 4)."""

    name: str
    task: Task
    x: NDArray[Any]
    """(N, *shape), in the source's own type and scale."""
    y: NDArray[Any]
    """(N,) int64 labels, or floats (N,) or (N, outputs)."""
    classes: tuple[str, ...]
    """Names of the labels 0, 1, ...; empty for regression."""
    value_range: tuple[float, float] | None
    """Smallest and largest input that the source's type or documentation allows, where there is one."""
    content: str
    """SHA-256 over names, shapes, types and bytes of the training and test arrays."""
    origin: str = ""
    """Where the rows were found: a folder, a file, a package, or `memory`."""
    test_origin: str = ""
    """The file that the test rows of a table were found in; empty where they are not apart."""
    default_validation: int | float = DEFAULT_VALIDATION
    """Validation rows where the experiment does not say: a count or a share."""
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Further arrays with one value per row, (N,), by name: what rows may be grouped by."""
    truth: Mapping[str, Any] = field(default_factory=dict)
    """What drawn rows were drawn from, as plain JSON: ``weights``, ``bias``, ``noise``, ..."""
    table: Layout | None = None
    """How the columns of a table became the features of ``x``, which is NaN where a number is missing."""
    one_input: OneInput | None = None
    """The number that several features of a row are computed from; ``ceteris.data.one_input`` knows more."""
    before: Dataset | None = None
    """The data set that these inputs were made of, where each row was resized or projected."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row's input."""
        return tuple(self.x.shape[1:])

    @property
    def features(self) -> int:
        """Numbers per row once it is flattened."""
        return int(np.prod(self.shape, dtype=np.int64))


class Source(Protocol):
    """A place that data comes from. Every source passes ``tests/data/test_source_contract.py``."""

    @property
    def name(self) -> str:
        """What an experiment calls it."""

    @property
    def description(self) -> str:
        """One line for the list of sources."""

    def place(self, folder: Path | None) -> str | None:
        """Say where its files lie, or None if they would have to be downloaded; reads no data."""

    def read(self, folder: Path | None, report: Report | None) -> SourceData:
        """Return everything, downloading what is missing. Raises CeterisError."""


def content_hash(train: Rows, test: Rows | None, columns: Mapping[str, NDArray[Any]] | None = None) -> str:
    """Return the SHA-256 of the arrays by which a record recognises its data (law 9)."""
    digest = hashlib.sha256()
    named: Mapping[str, NDArray[Any]] = {"x": train.x, "y": train.y}
    if test is not None:
        named = {**named, "x_test": test.x, "y_test": test.y}
    named = {**named, **dict(sorted((columns or {}).items()))}
    for name, array in named.items():
        digest.update(f"{name}|{array.shape}|{array.dtype.str}|".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def without_test_rows(data: SourceData) -> Dataset:
    """Make the data set that an experiment sees."""
    kept = {LAYOUT: layout_array(data.table)} if data.table is not None and data.layout_kept else {}
    hashed = {**data.columns, **kept}
    return Dataset(
        name=data.name,
        task=data.task,
        x=data.train.x,
        y=data.train.y,
        classes=data.classes,
        value_range=data.value_range,
        content=content_hash(data.train, data.test, hashed),
        origin=data.origin,
        test_origin=data.test_origin,
        default_validation=data.default_validation,
        columns=data.columns,
        truth=data.truth,
        table=data.table,
        one_input=data.one_input,
    )
