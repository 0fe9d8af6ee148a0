"""Features that the folds of a table lack, against a plain count and against what is prepared."""

from pathlib import Path

import numpy as np
import pytest

from ceteris.data import Preparation, load
from ceteris.data.folded_features import features_by_fold
from ceteris.data.folds import fold_parts
from ceteris.spec.data import DataSpec
from ceteris.spec.folds import Folds


@pytest.fixture
def table(tmp_path: Path) -> DataSpec:
    kinds = ["a"] * 20 + ["b"] * 9 + ["c"] * 2 + ["d"]
    odd = ["" if place == 5 else "x" for place in range(len(kinds))]
    lines = [f"{n},{kind},{own},{n / 7}" for n, (kind, own) in enumerate(zip(kinds, odd, strict=True))]
    (tmp_path / "t.csv").write_text("\n".join(["n,kind,odd,y", *lines]) + "\n", encoding="utf-8")
    return DataSpec(source=str(tmp_path / "t.csv"), target="y")


def test_every_fold_has_the_features_of_its_training_rows(table: DataSpec) -> None:
    dataset = load(table.reading)
    found = features_by_fold(dataset, 4)
    assert found is not None
    assert dataset.table is not None
    assert (found.width, found.kind) == (1 + 5 + 2, "plain")
    folds = Folds(k=4)
    for fold, count in enumerate(found.features):
        train, _ = fold_parts(dataset, folds, 0, fold)
        one_hot = (dataset.x[train][:, dataset.table.one_hot] == 1).any(axis=0).sum()
        assert count == 1 + one_hot
        prepared = Preparation(dataset).prepare(table, 0, fold, folds)
        assert count == found.width - len(prepared.absent)


def test_rare_categories_are_named_with_their_rows_and_folds(table: DataSpec) -> None:
    dataset = load(table.reading)
    found = features_by_fold(dataset, 4)
    assert found is not None
    named = {one.feature: one for one in found.rare}
    assert named["kind_d"].rows == 1
    assert len(named["kind_d"].lacking) == 1
    (fold,) = named["kind_d"].lacking
    assert 31 in fold_parts(dataset, Folds(k=4), 0, fold)[1]
    assert "kind_a" not in named
    assert "kind_missing" not in named
    assert found.empty == 1
    assert [one.rows for one in found.rare] == sorted(one.rows for one in found.rare)


def test_rows_that_are_no_table_have_no_such_features() -> None:
    assert features_by_fold(load("digits"), 5) is None


def test_classes_of_few_rows_are_dealt_plainly(tmp_path: Path) -> None:
    lines = [f"{place},{'yes' if place else 'no'}" for place in range(8)]
    (tmp_path / "t.csv").write_text("\n".join(["n,y", *lines]) + "\n", encoding="utf-8")
    found = features_by_fold(load(DataSpec(source=str(tmp_path / "t.csv"), target="y").reading), 4)
    assert found is not None
    assert (found.kind, found.features, found.rare) == ("plain", (1, 1, 1, 1), ())
    np.testing.assert_array_equal(found.to_json()["features"], [1, 1, 1, 1])
