"""A table whose training rows may lack a category: which networks are told to start at its full width."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ceteris.data import arrays
from ceteris.data.dataset import Dataset
from ceteris.data.table_layout import Column, Layout
from ceteris.lab.column_notes import column_notes
from ceteris.spec.combine import combinations
from ceteris.spec.parse import parse_study

NORM_FIRST = {"kind": "sequential", "layers": ["layer_norm", {"linear": 5}]}


def table(category: np.ndarray) -> Dataset:
    """One number and a category of `a`, `b` and missing."""
    x = np.concatenate([np.arange(len(category))[:, None], np.eye(3)[category]], axis=1)
    columns = Column("size", True, 0), Column("kind", False, 0, ("a", "b"))
    return replace(arrays(x, x.sum(axis=1), name="t"), table=Layout("t", columns, "price"))


def notes(dataset: Dataset, *models: dict[str, Any], **study: Any) -> tuple[str, ...]:
    levels = {f"level {n}": {"model": model} for n, model in enumerate(models)}
    experiment = {"data": "t", "model": "linear"}
    parsed = parse_study({"experiment": experiment, "vary": {"network": levels}, **study}).study
    return column_notes(combinations(parsed), {"t": dataset}, [0], parsed.folds, {})


@pytest.mark.parametrize(
    "model", [NORM_FIRST, {"kind": "mlp", "hidden": [4, 4], "residual": True}], ids=["norm", "residual"]
)
def test_a_network_that_does_not_begin_with_a_linear_layer_alone_is_told(model: dict[str, Any]) -> None:
    rare = table(np.r_[np.zeros(20, int), np.ones(9, int), 2])  # one row of the last category
    narrows = {"kind": "mlp", "hidden": [4], "layer_norm": True}
    (note,) = notes(rare, narrows, model, {"kind": "linear"}, folds=3)
    assert note.startswith("The training rows of seed 0, fold ")
    assert "have no `kind" in note
    assert note.endswith("(level 1).")


def test_where_no_column_is_missing_nothing_is_told() -> None:
    assert notes(table(np.arange(30) % 3), NORM_FIRST, folds=3) == ()
    assert notes(arrays(np.eye(9), np.arange(9.0), name="t"), NORM_FIRST, folds=3) == ()
