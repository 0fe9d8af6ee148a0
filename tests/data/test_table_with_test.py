"""A second file as test rows: laid out by the training rows alone, and refused where it does not fit them."""

from __future__ import annotations

import numpy as np
import pandas
import pytest

from ceteris.data import load, load_test, tables
from ceteris.data.sources import load_test_rows
from ceteris.spec.data import DataSpec

from .conftest import refusal

TRAIN = pandas.DataFrame(
    {
        "flat": [f"{n:03d}" for n in range(24)],
        "size": [30.0, None, 50.0, 61.5] * 6,
        "zip": ["01", "02", "0A"] * 8,
        "lift": [True, False] * 12,
        "kind": ["old", "new", None] * 8,
        "rent": [300.5, 410, 500, 615] * 6,
        "dear": ["no", "yes", "yes"] * 8,
    }
)
TEST = TRAIN.iloc[:6].assign(
    flat=[f"{n:03d}" for n in range(20, 26)],
    zip=["01", "02"] * 3,  # reads as whole numbers, were it not for the training rows
    kind=["loft", "loft", "new", None, "old", "barn"],
)[["rent", "lift", "kind", "dear", "size", "zip", "flat"]]


@pytest.fixture
def folder(tmp_path):
    TRAIN.to_csv(tmp_path / "train.csv", index=False)
    TEST.to_csv(tmp_path / "test.csv", index=False)
    return tmp_path


def reading(folder, test="test.csv", target="rent", drop="dear", source="train.csv") -> str:
    own = {"source": str(folder / source), "target": target, "test": str(folder / test)}
    return DataSpec.model_validate({**own, "ids": ["flat"], "drop": [drop]}).reading


def test_features_stand_in_the_order_of_the_training_rows(folder):
    x, y = load_test(reading(folder))
    names = [name for column in load(reading(folder)).table.columns for name in column.feature_names]
    found = pandas.DataFrame(x, columns=names)
    np.testing.assert_array_equal(found["size"], TEST["size"])
    np.testing.assert_array_equal(found["zip_02"], TEST["zip"] == "02")
    np.testing.assert_array_equal(found["lift_true"], TEST["lift"])
    np.testing.assert_array_equal(found["kind_missing"], TEST["kind"].isna())
    assert not found[["kind_new", "kind_old", "kind_missing"]].iloc[[0, 1, 5]].to_numpy().any()
    np.testing.assert_array_equal(y, TEST["rent"])


def test_what_names_the_rows_and_new_categories_are_told(folder):
    rows = load_test_rows(reading(folder))
    assert list(rows.ids["flat"]) == list(TEST["flat"])
    assert rows.notes == (
        "Column `kind` has `loft` and 1 more in 3 rows, which no training row has: it counts as none of the "
        "column's categories.",
    )


@pytest.mark.parametrize(("first", "other"), [("no", "yes"), (0, 1), (True, False), ("1", "x")])
def test_classes_are_those_of_the_training_rows(folder, first, other):
    for name, frame in (("train.csv", TRAIN), ("test.csv", TEST)):
        own = frame.assign(dear=np.where(frame["dear"] == "no", first, other))
        own.to_csv(folder / name, index=False)
    classes = load(reading(folder, target="dear", drop="rent")).classes
    _, y = load_test(reading(folder, target="dear", drop="rent"))
    expected = [str(first if value == "no" else other) for value in TEST["dear"]]
    assert [classes[label] for label in y] == [own.lower() for own in expected]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_large_file_in_pieces_is_the_same(folder, monkeypatch, suffix):
    test = TEST.assign(size=[*TEST["size"][:4], 1, 2])
    for name, frame in (("train", TRAIN), ("test", test)):
        writer = frame.to_csv if suffix == ".csv" else frame.to_parquet
        writer(folder / f"{name}{suffix}", index=False)
    own = {"test": f"test{suffix}", "source": f"train{suffix}"}
    whole = load_test_rows(reading(folder, **own))
    content = load(reading(folder, **own)).content
    monkeypatch.setenv("CETERIS_MEMORY_MIB", "0")
    monkeypatch.setattr(tables, "BATCH_ROWS", 4)
    pieces = load_test_rows(reading(folder, **own))
    np.testing.assert_array_equal(pieces.x, whole.x)
    np.testing.assert_array_equal(pieces.y, whole.y)
    assert list(pieces.ids["flat"]) == list(whole.ids["flat"])
    assert pieces.notes == whole.notes
    assert load(reading(folder, **own)).content == content


def test_they_belong_to_the_content_and_to_nothing_that_is_trained_on(folder):
    plain = load(reading(folder).replace("test.csv", "train.csv"))
    tested = load(reading(folder))
    assert tested.content != plain.content
    np.testing.assert_array_equal(tested.x, plain.x)
    assert tested.table == plain.table
    assert tested.test_origin == str(folder / "test.csv")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            TEST.rename(columns={"kind": "knd"}),
            [
                "there is no column `kind`; did you mean `knd`? (known: rent, lift, knd,",
                "test.csv has a column `knd`, which",
            ],
        ),
        (TEST.assign(kind=3), ["column `kind` holds categories in", "here it holds numbers such as `3`"]),
        (TEST.assign(size="big"), ["test.csv: column `size` holds numbers, and here it has `big`"]),
        (TEST.drop(columns="rent"), ["has no column `rent`, which is to be predicted (test rows need their"]),
        (
            TEST.assign(rent=[1, 2, None, 4, 5, 6]),
            ["column `rent` has no value in data row 3; leave rows without one out"],
        ),
        (TEST.iloc[:0], ["test.csv has a header and no rows"]),
    ],
)
def test_what_does_not_fit_is_told(folder, changed, told):
    changed.to_csv(folder / "test.csv", index=False)
    message = refusal(lambda: load(reading(folder)))
    assert all(part in message for part in told), message
    assert all(line.startswith("experiment.data.test: ") for line in message.splitlines())


def test_a_class_that_no_training_row_has_is_refused(folder):
    TEST.assign(dear=["no", "yess"] * 3).to_csv(folder / "test.csv", index=False)
    message = refusal(lambda: load(reading(folder, target="dear", drop="rent")))
    assert message.endswith("has the class `yess`, which no training row has; did you mean `yes`?")


def test_columns_that_are_no_inputs_may_be_missing(folder):
    TEST.drop(columns=["flat", "dear"]).to_csv(folder / "test.csv", index=False)
    rows = load_test_rows(reading(folder))
    assert rows.ids == {}
    assert len(rows.y) == len(TEST)


def test_a_file_that_is_not_there_is_told_with_its_neighbours(folder):
    assert "beside it lie test.csv, train.csv" in refusal(lambda: load(reading(folder, test="tset.csv")))


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"source": "digits", "test": "test.csv"}, "`digits` is no table of your own"),
        ({"source": "a.csv", "target": "y", "test": "rows.npz"}, "`rows.npz` is no table (.csv, .tsv"),
        ({"source": "a.csv", "target": "y", "test": "a.csv"}, "name another file"),
        ({"source": "a.csv", "test": "b.csv"}, "a table with `test` needs a `target`"),
    ],
)
def test_settings_that_do_not_fit_are_told(own, told):
    with pytest.raises(ValueError, match=r"test|target") as caught:
        DataSpec.model_validate(own)
    assert told in str(caught.value)
