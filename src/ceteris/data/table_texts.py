"""Columns of a table as texts: how each value reads, and which different ones there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Coded:
    """The texts of a column, each different one once."""

    codes: NDArray[np.int64]
    """(N,) places in ``texts``; -1 where a value is missing."""
    texts: tuple[str, ...]
    """In the order in which they first come."""

    @property
    def counts(self) -> NDArray[np.int64]:
        """How often each text comes, (texts,)."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.texts))

    @property
    def first_rows(self) -> NDArray[np.int64]:
        """The row, from 0, in which each text first comes, (texts,)."""
        known = np.flatnonzero(self.codes >= 0)[::-1]
        rows = np.zeros(len(self.texts), dtype=np.int64)
        rows[self.codes[known]] = known  # of several rows the last that is written stays: the first
        return rows

    def counted(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return how often each text comes, and the data row, from 1, in which it first does."""
        counts = dict(zip(self.texts, map(int, self.counts), strict=True))
        return counts, dict(zip(self.texts, map(int, self.first_rows + 1), strict=True))

    def mapped(self, places: dict[str, int], missing: int, unknown: int = -1) -> NDArray[np.int64]:
        """Return for each row the place of its text, (N,)."""
        table = np.array([*(places.get(text, unknown) for text in self.texts), missing], dtype=np.int64)
        return table[self.codes]


def coded(values: Any) -> Coded:
    """Return the texts of a column (a pandas series) by code; each different value is read once."""
    import pandas

    if pandas.api.types.is_object_dtype(values.dtype) and not _is_text(values):
        values = pandas.Series(as_texts(values), dtype=object)  # 1 and true are equal, and read differently
    codes, found = pandas.factorize(values)
    texts = [_read(value) for value in found]
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    own = Coded(np.asarray(codes, dtype=np.int64), tuple(texts))
    return own if len(places) == len(texts) else Coded(own.mapped(places, -1), tuple(places))


def as_texts(values: Any) -> list[str | None]:
    """Return the values of a column as they read; None where one is missing."""
    missing = values.isna().to_numpy()
    return [None if lacks else _read(value) for value, lacks in zip(values, missing, strict=True)]


def _is_text(values: Any) -> bool:
    import pandas

    return pandas.api.types.infer_dtype(values, skipna=True) in ("string", "empty")


def _read(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | np.bool_) else str(value)
