"""Tables: what is read, what is refused, and features against pandas and scikit-learn."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from ceteris.data import Preparation, facts, load, prepare_rows
from ceteris.data import tables as tables_module
from ceteris.data.checksums import check_file
from ceteris.data.house_prices import TEST, TRAIN, HousePrices
from ceteris.data.sources import find_source
from ceteris.data.table_layout import MANY_CATEGORIES
from ceteris.errors import CeterisError
from ceteris.spec.data import DataSpec
from ceteris.spec.folds import Folds

SMALL = """id,size,kind,street,price
007,1.5,flat,None,100.5
008,NA,house,Pave,220
009,3,,NA,300
010,4.5,flat,Grvl,410
"""


def spec_of(path, target="price", **more) -> DataSpec:
    return DataSpec.model_validate({"source": str(path), "target": target, **more})


def written(tmp_path, text, name="t.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(tmp_path, text, target="price", name="t.csv", **more):
    return load(spec_of(written(tmp_path, text, name), target, **more).reading)


def refused(call) -> str:
    with pytest.raises(CeterisError) as caught:
        call()
    told = str(caught.value)
    assert "\n" not in told
    return told


def test_columns_are_typed_and_only_na_and_nothing_are_missing(tmp_path):
    data = read(tmp_path, SMALL, ids=["id"])
    assert data.task == "regression"
    np.testing.assert_array_equal(data.y, [100.5, 220, 300, 410])
    assert [(c.name, c.numeric, c.missing, c.categories) for c in data.table.columns] == [
        ("size", True, 1, ()),
        ("kind", False, 1, ("flat", "house")),
        ("street", False, 1, ("Grvl", "None", "Pave")),
    ]
    np.testing.assert_array_equal(
        data.x,
        [
            [1.5, 1, 0, 0, 0, 1, 0, 0],
            [np.nan, 0, 1, 0, 0, 0, 1, 0],
            [3, 0, 0, 1, 0, 0, 0, 1],
            [4.5, 1, 0, 0, 1, 0, 0, 0],
        ],
    )
    assert list(data.columns["id"]) == ["007", "008", "009", "010"]


def test_columns_that_are_dropped_are_no_features_and_name_no_rows(tmp_path):
    data = read(tmp_path, SMALL.replace("3,,NA", "three,,NA"), ids=["id"], drop=["street", "size"])
    assert [column.name for column in data.table.columns] == ["kind"]
    assert list(data.columns) == ["id"]
    told = refused(lambda: read(tmp_path, SMALL, drop=["streat"]))
    assert told.startswith("experiment.data.drop: ")
    assert "there is no column `streat`; did you mean `street`?" in told


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"drop": ["price"]}, "`price` is to be predicted, so it cannot be one of the `drop`"),
        ({"drop": ["id"], "ids": ["id"]}, "`id` is one of the `ids`, which are no inputs; name it once"),
    ],
)
def test_a_column_has_one_part_only(wrong, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        spec_of("t.csv", **wrong)


def test_what_is_dropped_is_part_of_what_is_read_and_nothing_is_where_nothing_is_dropped():
    assert '"drop": ["a"]' in spec_of("t.csv", drop=["a"]).reading
    assert "drop" not in spec_of("t.csv").reading


def test_texts_that_no_training_row_has_are_told(tmp_path):
    layout = read(tmp_path, SMALL, ids=["id"]).table
    rows = pandas.DataFrame({"kind": ["flat", "tent", "tent", "boat", None], "street": ["None"] * 5})
    assert layout.unknown_texts(rows) == (
        "Column `kind` has `tent` and 1 more in 3 rows, which no training row has: it counts as none of the "
        "column's categories.",
    )
    assert layout.unknown_texts(rows[:1]) == ()


def test_numbers_with_commas_are_refused_as_text(tmp_path):
    text = "size,price\n" + "".join(f'"1.{n:03},5",{n}\n' for n in range(30))
    told = refused(lambda: read(tmp_path, text))
    assert told.endswith(
        "column `size` holds numbers with a comma such as `1.000,5`, which would be read as text; write "
        "`1234.5`, with a point and nothing between thousands"
    )


def test_a_target_of_numbers_with_a_slip_is_no_target_of_texts(tmp_path):
    text = "size,price\n" + "".join(f"{n},{n}.5\n" for n in range(30)) + "30,n/a\n"
    told = refused(lambda: read(tmp_path, text))
    assert "column `price` has the text `n/a` in data row 31, and numbers elsewhere" in told
    assert told.endswith("correct it, or leave the row out")
    texts = "size,price\n" + "".join(f"{n},about {n}\n" for n in range(60))
    assert "has 60 different texts in 60 rows, too many for classes; numbers to predict must be written" in (
        refused(lambda: read(tmp_path, texts))
    )


def test_tsv_parquet_and_csv_with_a_mark_hold_the_same_rows(tmp_path):
    csv = read(tmp_path, SMALL, ids=["id"])
    tsv = read(tmp_path, SMALL.replace(",", "\t"), ids=["id"], name="t.tsv")
    marked = read(tmp_path, b"\xef\xbb\xbf" + SMALL.encode(), ids=["id"], name="bom.csv")
    frame = pandas.read_csv(
        io.StringIO(SMALL), na_values=["", "NA"], keep_default_na=False, dtype={"id": str}
    )
    frame.to_parquet(tmp_path / "t.parquet")
    parquet = load(spec_of(tmp_path / "t.parquet", ids=["id"]).reading)
    assert csv.content == tsv.content == marked.content == parquet.content


@pytest.mark.parametrize(
    ("column", "task", "classes"),
    [
        (["yes", "no"] * 20, "classification", ("no", "yes")),
        (["True", "False"] * 20, "classification", ("false", "true")),
        ([0, 1] * 20, "classification", ("0", "1")),
        (list(range(100, 140)), "regression", ()),
        ([0.5, 1.0] * 20, "regression", ()),
    ],
)
def test_the_type_of_the_target_decides_the_task(tmp_path, column, task, classes):
    frame = pandas.DataFrame({"a": np.arange(40) / 7, "y": column})
    data = read(tmp_path, frame.to_csv(index=False), target="y")
    assert (data.task, data.classes) == (task, classes)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("a,price\n", "has a header and no rows"),
        ("a,price\n1,2\n", "has one row"),
        ("a,price\n1,2\n3,4,5\n", "line 3: there are 3 fields, and the header names 2 columns"),
        ('a,price\n"x\ny",2\n3\n', "line 4: there are 1 fields"),
        (b"a,price\n1,2\ncaf\xe9,3\n", "line 3: this is not UTF-8 text"),
        (b"a,price\n1,2\n3,4\xc3", "it was cut off"),
        ("a,a,price\n1,2,3\n4,5,6\n", "two columns are called `a`"),
        (",price\n0,3\n1,6\n", "column 1 has no name"),
        ("a,price\n1,3\ninf,6\n", "column `a` has inf in data row 2"),
        ("a,price\n1,3\n2,\n", "column `price` is to be predicted and has no value in data row 2"),
        ("a,price\n1,3\n2,-inf\n", "column `price` has -inf in data row 2"),
        ("a,pricce\n1,3\n2,4\n", "there is no column `price`; did you mean `pricce`?"),
        ("price\n3\n4\n", "has no column left to predict from"),
        (
            "a,price\n" + "".join(f"{n},{n}.5\n" for n in range(20)) + "oops,3\n",
            "column `a` has the text `oops` in data row 21, and numbers elsewhere",
        ),
    ],
)
def test_bad_tables_are_refused_in_one_line(tmp_path, text, told):
    assert told in refused(lambda: read(tmp_path, text))


def test_a_file_over_the_limit_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(tables_module, "LARGEST_BYTES", 10)
    assert "tables of up to" in refused(lambda: read(tmp_path, SMALL))


def test_a_column_with_a_category_per_row_is_refused_where_it_makes_too_many_features(tmp_path, monkeypatch):
    monkeypatch.setattr("ceteris.data.table_layout.MOST_FEATURES", 6)
    told = refused(lambda: read(tmp_path, SMALL, ids=["id"]))
    assert "would make 8 features, 4 of them from `street`" in told


def test_a_damaged_parquet_file_and_a_missing_target_are_told(tmp_path):
    assert "is not a Parquet file" in refused(lambda: read(tmp_path, SMALL, name="t.parquet"))
    path = written(tmp_path, SMALL)
    assert "name the column that is to be predicted; it has `id`, `size`" in refused(lambda: load(str(path)))
    assert "did you mean `kind`" in refused(lambda: load(spec_of(path, ids=["kindd"]).reading))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"source": "digits", "target": "x"}, "`digits` is no table of your own"),
        ({"source": "t.csv", "ids": ["a"]}, "a table with `ids` needs a `target`"),
        ({"source": "t.csv", "target": "a", "ids": ["a"]}, "cannot be one of the `ids`"),
    ],
)
def test_settings_that_do_not_fit_are_refused(fields, told):
    with pytest.raises(ValueError, match=told):
        DataSpec.model_validate(fields)


def test_tables_are_standardised_unless_something_else_is_said(tmp_path):
    assert spec_of("t.csv").scale == "standardize"
    assert DataSpec.model_validate("house-prices").scale == "standardize"
    assert spec_of("t.csv", scale="none").scale == "none"
    data = read(tmp_path, SMALL, ids=["id"])
    for scale, expected in (("none", 1.5), (2, 0.75), ("unit", 0), ("symmetric", -1)):
        spec = spec_of(tmp_path / "t.csv", ids=["id"], scale=scale, validation=0)
        prepared = Preparation(data).prepare(spec, 0)
        assert prepared.x[0, 0] == expected
        assert prepared.x[1, 0] == 0


def frame_of(rows, seed):
    """Numbers with gaps, categories of which some are rare."""
    random = np.random.default_rng(seed)
    size = np.where(random.random(rows) < 0.2, np.nan, random.normal(50, 9, rows))
    kind = random.choice(["a", "b", "rare", None], rows, p=[0.5, 0.3, 0.05, 0.15])
    return pandas.DataFrame({"size": size, "kind": kind, "y": random.normal(size=rows)})


@settings(max_examples=25)
@given(st.integers(12, 60), st.integers(0, 10_000), st.integers(0, 3))
def test_features_of_a_fold_are_those_of_pandas_and_scikit_learn(tmp_path_factory, rows, seed, fold):
    frame, path = frame_of(rows, seed), tmp_path_factory.mktemp("t") / "t.csv"
    frame.to_csv(path, index=False)
    spec = spec_of(path, "y")
    data = load(spec.reading)
    prepared = Preparation(data).prepare(spec, 0, fold, Folds(k=4))
    train = prepared.split.train
    one_hot = pandas.get_dummies(frame["kind"].iloc[train], dummy_na=True, dtype=float)
    one_hot.columns = ["kind_missing" if pandas.isna(c) else f"kind_{c}" for c in one_hot.columns]
    scaler = StandardScaler().fit(frame[["size"]].iloc[train])
    known = int(frame["size"].iloc[train].notna().sum())
    size = scaler.transform(frame[["size"]])[:, 0] * np.sqrt((known - 1) / known)
    np.testing.assert_allclose(prepared.x[:, 0], np.nan_to_num(size), rtol=1e-5, atol=1e-6)
    names = data.table.columns[1].feature_names
    found = pandas.DataFrame(prepared.x[:, 1:], columns=list(names))
    for name in names:
        expected = one_hot[name].to_numpy() if name in one_hot else np.zeros(len(train))
        np.testing.assert_array_equal(found[name].to_numpy()[train], expected)
        if not expected.any():
            assert not found[name].any()


@settings(max_examples=25)
@given(st.integers(12, 40), st.integers(0, 10_000), st.data())
def test_validation_rows_never_change_prepared_training_rows(tmp_path_factory, rows, seed, draw):
    """Law 5: numbers of validation rows are replaced, their categories by others of the file."""
    frame, folder = frame_of(rows, seed), tmp_path_factory.mktemp("t")
    frame.to_csv(folder / "a.csv", index=False)
    spec = spec_of(folder / "a.csv", "y")
    before = Preparation(load(spec.reading)).prepare(spec, 0, 1, Folds(k=3))
    row = draw.draw(st.sampled_from(list(before.split.validation)))
    frame.loc[row, "size"] = draw.draw(st.sampled_from([1e6, -3.0, np.nan]))
    frame.to_csv(folder / "b.csv", index=False)
    spec = spec_of(folder / "b.csv", "y")
    after = Preparation(load(spec.reading)).prepare(spec, 0, 1, Folds(k=3))
    np.testing.assert_array_equal(before.split.train, after.split.train)
    np.testing.assert_array_equal(before.x[before.split.train], after.x[after.split.train])
    assert before.fitted == after.fitted


def test_a_category_of_validation_rows_alone_adds_a_feature_that_stays_zero(tmp_path):
    frame = frame_of(30, 1)
    frame.to_csv(tmp_path / "a.csv", index=False)
    spec = spec_of(tmp_path / "a.csv", "y")
    before = Preparation(load(spec.reading)).prepare(spec, 0, 0, Folds(k=3))
    frame.loc[before.split.validation[0], "kind"] = "b2"
    frame.to_csv(tmp_path / "b.csv", index=False)
    spec = spec_of(tmp_path / "b.csv", "y")
    data = load(spec.reading)
    after = Preparation(data).prepare(spec, 0, 0, Folds(k=3))
    names = list(data.table.columns[1].feature_names)
    new = 1 + names.index("kind_b2")
    assert not after.x[:, new].any()
    train = before.split.train
    np.testing.assert_array_equal(before.x[train], np.delete(after.x[train], new, axis=1))


def test_new_rows_are_prepared_alike_and_unseen_categories_are_zero(tmp_path):
    data = read(tmp_path, SMALL, ids=["id"])
    prepared = Preparation(data).prepare(spec_of(tmp_path / "t.csv", ids=["id"], validation=0), 0)
    table = pandas.DataFrame({"size": [4.5, None], "kind": ["flat", "castle"], "street": ["Grvl", None]})
    rows = prepare_rows(data.table.expand(table), prepared.fitted)
    np.testing.assert_array_equal(rows[0], prepared.x[3])
    np.testing.assert_array_equal(rows[1], [0, 0, 0, 0, 0, 0, 0, prepared.x[2, 7]])
    assert "rows.csv: there is no column `kind`; did you mean `kid`?" in refused(
        lambda: data.table.expand(table.rename(columns={"kind": "kid"}), "rows.csv")
    )
    bad = table.assign(size=["x", "1"])
    assert "column `size` holds numbers, and here it has `x`" in refused(lambda: data.table.expand(bad))


def test_facts_tell_of_each_column(tmp_path):
    many = pandas.DataFrame({"a": [f"c{n}" for n in range(MANY_CATEGORIES + 1)], "y": np.arange(51) / 2})
    told = facts(read(tmp_path, many.to_csv(index=False), target="y"))
    assert told["columns"] == [
        {"name": "a", "kind": "categories", "missing": 0.0, "categories": 51, "features": 52, "many": True}
    ]
    assert facts(read(tmp_path, SMALL))["range"] == [0.0, 10.0]


@pytest.mark.real_data
def test_the_house_prices_have_79_columns_that_make_331_features(real_data):
    data = load("house-prices", real_data)
    assert data.x.shape == (1460, 331)
    assert len(data.table.columns) == 79
    assert sum(column.numeric for column in data.table.columns) == 36
    assert data.task == "regression"
    assert list(data.columns["Id"][:2]) == ["1", "2"]
    frame = pandas.read_csv(
        real_data / "house-prices" / "kaggle_house_pred_train.csv",
        na_values=["", "NA"],
        keep_default_na=False,
    ).drop(columns=["Id", "SalePrice"])
    texts = frame.select_dtypes(exclude="number").columns
    expected = pandas.get_dummies(frame[texts], dummy_na=True)
    assert expected.shape[1] + 36 == 331
    counts = np.concatenate([data.x[:, data.table.one_hot].sum(axis=0)])
    assert sorted(counts) == sorted(expected.sum().to_numpy())
    unlabelled = find_source("house-prices").read_unlabelled(real_data)
    assert data.table.expand(unlabelled).shape == (1459, 331)


def test_a_table_is_not_projected(tmp_path):
    told = refused(lambda: read(tmp_path, SMALL, project=3))
    assert "`t.csv` is a table, whose columns are prepared by the rows of each fold; leave `project`" in told


def test_the_published_sums_are_those_of_the_real_files(real_data):
    found = HousePrices()
    assert not found._damaged(real_data / "house-prices")
    with pytest.raises(CeterisError, match="damaged or another file: its SHA-1 is fa19780a"):
        check_file(real_data / "house-prices" / TEST, found.checksums[TRAIN])
