"""Tables that are read some rows at a time: the same data set, and the same refusals, as at once."""

from __future__ import annotations

import numpy as np
import pandas
import pytest

from ceteris.data import Preparation, load, table_layout, table_stream, tables
from ceteris.spec.data import DataSpec

from .conftest import refusal

ROWS = 90


@pytest.fixture
def pieces(monkeypatch):
    """Read every table in pieces of 7 rows."""

    def begin() -> None:
        monkeypatch.setenv("CETERIS_MEMORY_MIB", "0")
        monkeypatch.setattr(tables, "BATCH_ROWS", 7)

    return begin


def frame() -> pandas.DataFrame:
    random = np.random.default_rng(0)
    return pandas.DataFrame(
        {
            "id": [f"{n:04d}" for n in range(ROWS)],
            "whole then broken": [*range(40), *(n + 0.1 for n in range(50))],
            "late text": [*("7" for _ in range(60)), *random.choice(["7", "None", "x"], 30)],
            "truth": [*("true" for _ in range(20)), *random.choice(["true", "False"], 70)],
            "truth and numbers": [*("true" for _ in range(45)), *("1" for _ in range(45))],
            "gaps": np.where(random.random(ROWS) < 0.4, np.nan, random.normal(size=ROWS).round(3)),
            "mostly missing": [*(np.nan for _ in range(80)), *("a" for _ in range(10))],
            "empty": np.nan,
            "kind": random.choice(["flat", "house", ""], ROWS),
            "price": random.normal(size=ROWS),
        }
    )


def reading(path, target="price", ids=("id",)) -> str:
    return DataSpec.model_validate({"source": str(path), "target": target, "ids": list(ids)}).reading


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
@pytest.mark.parametrize("target", ["price", "kind", "whole then broken", "truth"])
def test_a_table_in_pieces_is_the_same_data_set(tmp_path, pieces, suffix, target):
    path, table = tmp_path / f"t{suffix}", frame()
    if target == "kind":
        table["kind"] = table["kind"].replace("", "hut")
    if suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    whole = load(reading(path, target))
    pieces()
    ours = load(reading(path, target))
    assert ours.table == whole.table
    assert ours.content == whole.content
    np.testing.assert_array_equal(ours.x, whole.x)
    assert ours.classes == whole.classes
    spec = DataSpec.model_validate({"source": str(path), "target": target, "ids": ["id"]})
    there = Preparation(ours).prepare(spec, 0)
    assert there.key == Preparation(whole).prepare(spec, 0).key


BAD = {
    "missing target": (
        "a,price\n1,2\n3,NA\n4,5\n",
        "`price` is to be predicted and has no value in data row 2",
    ),
    "slip": (
        "a,price\n" + "".join(f"{n},1.5\n" for n in range(30)) + "x,2\n",
        "has the text `x` in data row 31",
    ),
    "too large": ("a,price\n" + "1,2\n" * 20 + "1e300,2\n", "has 1e+300 in data row 21"),
    "ragged": ("a,price\n1,2\n3\n", "line 3: there are 1 fields, and the header names 2 columns"),
    "not utf-8": (b"a,price\n1,2\n\xff,3\n", "line 3: this is not UTF-8 text"),
    "unknown target": ("a,prise\n1,2\n3,4\n", "there is no column `price`; did you mean `prise`?"),
    "nothing left": ("price\n1\n2\n3\n", "has no column left to predict from"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_tables_are_refused_in_the_same_words(tmp_path, pieces, name):
    text, told = BAD[name]
    path = tmp_path / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    whole = refusal(lambda: load(reading(path, ids=())))
    pieces()
    assert refusal(lambda: load(reading(path, ids=()))) == whole
    assert told in (whole or "")
    assert "\n" not in (whole or "")


def test_too_many_categories_are_refused_before_they_fill_memory(tmp_path, pieces, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_text("name,price\n" + "".join(f"n{n},1.5\n" for n in range(40)))
    monkeypatch.setattr(table_stream, "MOST_CATEGORIES", 20)
    monkeypatch.setattr(table_layout, "MOST_FEATURES", 20)
    pieces()
    assert "would make more than 20 features of `name`; leave that column out" in (
        refusal(lambda: load(reading(path, ids=()))) or ""
    )
