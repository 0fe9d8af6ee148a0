"""The data sets that scikit-learn brings along: nothing to download.

None of them has official test rows. A fifth (rounded up) is carved out first, by a key that
depends on nothing but the data set's name, stratified by class, and is test data for all
experiments: of the 1,797 digits 360 are test rows and 1,437 training rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Rows, SourceData, Task
from ceteris.data.download import Report
from ceteris.data.stratify import stratified_order
from ceteris.draws import stream_key

TEST_SHARE = 0.2
ORIGIN = "bundled with scikit-learn"


@dataclass(frozen=True)
class BundledSource:
    """One of scikit-learn's ``load_*`` data sets; satisfies ``Source``."""

    name: str
    description: str
    loader: str
    task: Task = "classification"
    shape: tuple[int, ...] | None = None
    """Shape of a row where it is not a plain list of features."""
    value_range: tuple[float, float] | None = None

    def place(self, folder: Path | None) -> str | None:
        """Always there."""
        return ORIGIN

    def read(self, folder: Path | None, report: Report | None) -> SourceData:
        """Return all rows, the carved test rows apart."""
        x, y, classes = self._arrays()
        train, test = carve_test_rows(Rows(x, y), self.name, self.task)
        return SourceData(
            name=self.name,
            task=self.task,
            train=train,
            test=test,
            classes=classes,
            value_range=self.value_range,
            origin=ORIGIN,
        )

    def _arrays(self) -> tuple[NDArray[Any], NDArray[Any], tuple[str, ...]]:
        from sklearn import datasets

        # scikit-learn scales `diabetes` by all its rows unless told not to; that would break law 5
        options = {"scaled": False} if self.name == "diabetes" else {}
        bunch = getattr(datasets, self.loader)(**options)
        x: NDArray[Any] = np.asarray(bunch.data, dtype=np.float64)
        if self.shape is not None:
            x = x.astype(np.uint8).reshape(len(x), *self.shape)
        if self.task == "regression":
            return x, np.asarray(bunch.target, dtype=np.float64), ()
        return x, np.asarray(bunch.target, dtype=np.int64), tuple(str(name) for name in bunch.target_names)


def carve_test_rows(rows: Rows, name: str, task: Task) -> tuple[Rows, Rows]:
    """Return (training, test) rows, always the same for the same name and rows."""
    key = stream_key(0, "test-rows", name)
    order = stratified_order(rows.y, key, stratify=task == "classification")
    size = math.ceil(TEST_SHARE * len(order))
    test, train = np.sort(order[:size]), np.sort(order[size:])
    return Rows(rows.x[train], rows.y[train]), Rows(rows.x[test], rows.y[test])


BUNDLED_SOURCES = (
    BundledSource(
        "digits",
        "handwritten digits, 1,437 grey images of 8 x 8 in 10 classes (and 360 test rows)",
        "load_digits",
        shape=(8, 8),
        value_range=(0.0, 16.0),
    ),
    BundledSource(
        "iris", "iris flowers, 120 rows of 4 measures in 3 classes (and 30 test rows)", "load_iris"
    ),
    BundledSource(
        "wine", "wines, 142 rows of 13 chemical measures in 3 classes (and 36 test rows)", "load_wine"
    ),
    BundledSource(
        "breast-cancer",
        "tumours, 455 rows of 30 measures in 2 classes (and 114 test rows)",
        "load_breast_cancer",
    ),
    BundledSource(
        "diabetes",
        "regression: progression of diabetes from 10 measures, 353 rows (and 89 test rows)",
        "load_diabetes",
        task="regression",
    ),
    BundledSource(
        "linnerud",
        "regression: 3 measures of the body from 3 exercises, 16 rows (and 4 test rows)",
        "load_linnerud",
        task="regression",
    ),
)
