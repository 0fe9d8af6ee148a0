"""Frames with text and missing values become what the same table in a file becomes."""

from __future__ import annotations

import numpy as np
import pandas
import pytest
from pyarrow import Table

from ceteris.data import Preparation, arrays, load
from ceteris.data.kept_layout import LAYOUT
from ceteris.data.npz import save_arrays
from ceteris.data.sources import load_test_rows
from ceteris.data.user_arrays import held_test_rows
from ceteris.spec.data import DataSpec

from .conftest import refusal

RNG = np.random.default_rng(0)
VALUES = {
    "who": [f"p{n}" for n in range(60)],
    "size": [None if n % 9 == 0 else n / 4 for n in range(60)],
    "rooms": [n % 5 for n in range(60)],
    "kind": [["old", "new", None][n % 3] for n in range(60)],
    "lift": [n % 2 == 0 for n in range(60)],
    "rent": [n * 10 + 0.5 for n in range(60)],
}
FRAME = pandas.DataFrame(VALUES)


class Column:
    """A column as other libraries have it: it yields Python values, None where one is missing."""

    def __init__(self, values: list) -> None:
        self.values = values

    def __iter__(self):
        return iter(self.values)


class OtherFrame:
    """What polars' frames offer, of which none is installed where tests run."""

    def __init__(self, values: dict) -> None:
        self._values = values

    @property
    def columns(self) -> list[str]:
        return list(self._values)

    @property
    def shape(self) -> tuple[int, int]:
        return len(next(iter(self._values.values()))), len(self._values)

    def __getitem__(self, name: str) -> Column:
        return Column(self._values[name])


def typed() -> pandas.DataFrame:
    """Return the frame in pandas' own types for categories, text, whole numbers and missing values."""
    kinds = {"kind": "category", "who": "string", "rooms": "Int64", "lift": "boolean", "size": "Float64"}
    return FRAME.astype(kinds).set_index(np.arange(60)[::-1])


@pytest.mark.parametrize(
    "frame", [FRAME, FRAME.astype(object), typed(), OtherFrame(VALUES), Table.from_pydict(VALUES)]
)
def test_a_frame_is_the_table_of_its_file(tmp_path, frame):
    FRAME.to_csv(tmp_path / "t.csv", index=False)
    own = {"source": str(tmp_path / "t.csv"), "target": "rent", "ids": ["who"]}
    file = load(DataSpec.model_validate(own).reading)
    found = arrays(frame, "rent", ids=["who"])
    assert (found.table.columns, found.table.target) == (file.table.columns, "rent")
    np.testing.assert_array_equal(found.x, file.x)
    np.testing.assert_array_equal(found.y, file.y)
    np.testing.assert_array_equal(found.columns["who"], file.columns["who"])
    spec = DataSpec(source="frame")
    assert spec.scale == "standardize"
    prepared, expected = (Preparation(data).prepare(spec, 0) for data in (found, file))
    np.testing.assert_array_equal(prepared.x, expected.x)


def test_what_is_kept_is_the_same_data_set(tmp_path):
    test = FRAME[:10].assign(kind="barn")
    found = arrays(FRAME[10:], "rent", ids=["who"], test=test)
    rows = held_test_rows(found)
    assert rows.notes[0].startswith("Column `kind` has `barn` in 10 rows, which no training row has")
    again = load(str(save_arrays(found, tmp_path / "kept.npz")))
    assert (again.content, again.table, again.task) == (found.content, found.table, "regression")
    np.testing.assert_array_equal(again.columns["who"], found.columns["who"])
    kept = load_test_rows(str(tmp_path / "kept.npz"))
    np.testing.assert_array_equal(kept.x, rows.x)
    assert kept.notes == rows.notes


def test_the_names_of_columns_belong_to_the_content():
    assert arrays(FRAME, "rent").content != arrays(FRAME.rename(columns={"kind": "sort"}), "rent").content
    assert arrays(FRAME, "rent").content == arrays(OtherFrame(VALUES), "rent").content


@pytest.mark.parametrize("test", ["frame", "named", "apart"])
def test_test_rows_are_found_by_names(test):
    given = FRAME[:10][["rent", "lift", "kind", "rooms", "size", "who"]]
    apart = (given.drop(columns="rent"), given["rent"])
    found = arrays(
        FRAME[10:].drop(columns="rent") if test == "apart" else FRAME[10:],
        FRAME[10:]["rent"] if test == "apart" else "rent",
        test={"frame": given, "named": (given, "rent"), "apart": apart}[test],
        drop="who",
    )
    rows = held_test_rows(found)
    np.testing.assert_array_equal(rows.x[:, 0], FRAME[:10]["size"].astype(float))
    np.testing.assert_array_equal(rows.y, FRAME[:10]["rent"])
    assert found.table.target == "rent"


def test_targets_by_name_are_told_as_those_of_a_file_and_others_by_their_type():
    assert arrays(FRAME.assign(rent=np.arange(60)), "rent").task == "regression"
    assert arrays(FRAME.assign(rent=np.arange(60) % 3), "rent").classes == ("0", "1", "2")
    assert arrays(FRAME, "lift").classes == ("false", "true")
    assert arrays(FRAME, np.arange(60) % 2).table.target == "prediction"
    assert arrays(FRAME, np.arange(60) % 2, ["no", "yes"]).classes == ("no", "yes")


def test_a_frame_of_numbers_alone_stays_an_array():
    frame = pandas.DataFrame(RNG.normal(size=(20, 3)), columns=["a", "b", "c"]).assign(d=True)
    found = arrays(frame, "a")
    assert found.table is None
    np.testing.assert_array_equal(found.x, frame[["b", "c", "d"]].to_numpy(float))
    assert arrays(frame, "a", drop=["b"]).table.columns[0].name == "c"
    assert arrays(Table.from_pandas(frame), "a").content == found.content


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: arrays(FRAME, "rnt"), "arrays: `x`: there is no column `rnt`; did you mean `rent`?"),
        (lambda: arrays(FRAME, "rent", drop=["whoo"]), "arrays: `drop`: there is no column `whoo`; did you"),
        (lambda: arrays(FRAME, "size"), "column `size` is to be predicted and has no value in 7 of 60 rows"),
        (
            lambda: arrays(FRAME.assign(kind=[[1]] * 60), "rent"),
            "`x`: column `kind` holds values of type",
        ),
        (lambda: arrays(FRAME.rename(columns={"who": "kind"}), "rent"), "`x` has two columns `kind`; give"),
        (lambda: arrays(FRAME.rename(columns={"size": "rent"}), "rent"), "`x` has two columns `rent`; give"),
        (
            lambda: arrays(FRAME, "rent", test=FRAME.rename(columns={"size": "rent"})),
            "`x_test` has two columns `rent`; give",
        ),
        (lambda: arrays(FRAME.assign(size=1j), "rent"), "`x`: column `size` holds complex numbers; give"),
        (
            lambda: arrays(FRAME, "rent", test=(RNG.normal(size=(2, 5)), [1.0, 2.0])),
            "`x_test` has no col",
        ),
        (
            lambda: arrays(FRAME, "rent", test=FRAME.drop(columns="kind")),
            "`x_test`: there is no column",
        ),
        (
            lambda: arrays(FRAME, "rent", test=FRAME.assign(size="x")),
            "`x_test`: column `size` holds num",
        ),
        (lambda: arrays(np.eye(4), [0, 1, 0, 1], drop=["a"]), "arrays: only a frame has columns that"),
        (lambda: arrays(FRAME.assign(size="1,5"), "rent"), "`x`: column `size` holds numbers with a comma"),
    ],
)
def test_what_does_not_fit_is_told(call, told):
    message = refusal(call)
    assert message is not None
    assert told in message


@pytest.mark.parametrize(
    "layout", ["{", '{"name": "x"}', '{"name": "x", "target": "y", "ids": [], "columns": []}', "5"]
)
def test_a_layout_that_is_none_is_refused(tmp_path, layout):
    np.savez(tmp_path / "a.npz", x=np.ones((4, 2)), y=[0, 1, 0, 1], **{LAYOUT: np.array([layout])})
    message = refusal(lambda: load(str(tmp_path / "a.npz")))
    assert message is not None
    assert "table" in message
