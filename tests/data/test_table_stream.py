"""Tables that are read some rows at a time: the same data set, and the same refusals, as at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys

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
    assert "would make more than 20 features, most of them from `name`; leave that column out" in (
        refusal(lambda: load(reading(path, ids=()))) or ""
    )


MEASURED = """
import json, sys, threading, time
from ceteris.data import Preparation, load, tables
from ceteris.spec.data import DataSpec

tables.BATCH_BYTES = 1 << 19

def own_bytes():
    lines = open("/proc/self/smaps_rollup").read().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("Anonymous"))

import pandas  # what a library takes is not what a file takes
peak = before = own_bytes()

def watch():
    global peak
    while True:
        peak = max(peak, own_bytes())
        time.sleep(0.002)

threading.Thread(target=watch, daemon=True).start()
spec = DataSpec.model_validate({"source": sys.argv[1], "target": "x0"})
prepared = Preparation(load(spec.reading)).prepare(spec, 0)
print(json.dumps({"rows": len(prepared.x), "bytes": max(peak, own_bytes()) - before}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="private memory is measured as Linux tells it")
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path, suffix):
    """A table of 2 MB and one of 14: a few bytes more for each row, and no more for its 100 columns."""
    block = pandas.DataFrame(
        np.random.default_rng(0).normal(size=(2_500, 100)), columns=[f"x{n}" for n in range(100)]
    ).round(4)
    block["kind"] = np.array(["a", "b", ""])[np.arange(len(block)) % 3]

    def measured(copies: int, mib: int) -> dict[str, int]:
        path = tmp_path / f"{copies}{suffix}"
        if suffix == ".csv":
            header, body = block.to_csv(index=False).split("\n", 1)
            path.write_text(f"{header}\n{body * copies}")
        else:
            # of each column a reader holds a page and the dictionary, whatever the size of the file
            small_pages = {"use_dictionary": False, "data_page_size": 1 << 14}
            pandas.concat([block] * copies).to_parquet(path, index=False, **small_pages)
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, str(path)],
            env={**os.environ, "CETERIS_MEMORY_MIB": str(mib), "XDG_CACHE_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        return dict(json.loads(done.stdout))

    small, large, whole = measured(1, 1), measured(8, 1), measured(8, 4096)
    grown = large["bytes"] - small["bytes"]
    assert grown < 50 * (large["rows"] - small["rows"]) + (6 << 20)
    assert whole["bytes"] > large["bytes"] + (12 << 20)
