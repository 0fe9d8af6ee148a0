"""Text tables of other dialects hold the same rows as those with commas between their fields."""

from pathlib import Path

import numpy as np
import pandas
import pytest

from ceteris.data import load
from ceteris.data.mapped import memory_limit
from ceteris.data.table_dialect import Dialect, dialect_of
from ceteris.data.tables import read_table
from ceteris.spec.data import DataSpec

RNG = np.random.default_rng(0)
FRAME = pandas.DataFrame(
    {
        "Fläche (m²)": RNG.normal(50, 10, 40).round(2),
        "Stadt": np.resize(["Trier, Mosel", "Köln; Süd", 'zum "Anker"', None], 40),
        "Zimmer": RNG.integers(1, 5, 40),
        "Miete": RNG.normal(500, 90, 40).round(2),
    }
)
FRAME.loc[::7, "Fläche (m²)"] = np.nan


def written(folder: Path, name: str = "t.csv", **options: str) -> Path:
    FRAME.to_csv(folder / name, index=False, **options)
    return folder / name


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("t.csv", {}, Dialect(",", ".")),
        ("t.csv", {"sep": ";", "decimal": ",", "encoding": "utf-8-sig"}, Dialect(";", ",")),
        ("t.csv", {"sep": ";"}, Dialect(";", ".")),
        ("t.csv", {"sep": "\t"}, Dialect("\t", ".")),
        ("t.csv", {"sep": "|", "decimal": ","}, Dialect("|", ",")),
        ("t.tsv", {"sep": "\t", "decimal": ","}, Dialect("\t", ",")),
    ],
)
def test_every_dialect_holds_the_same_rows(
    tmp_path: Path, name: str, options: dict[str, str], expected: Dialect
) -> None:
    path = written(tmp_path, name, **options)
    assert dialect_of(path) == expected
    pandas.testing.assert_frame_equal(read_table(path), FRAME.astype({"Stadt": object}), check_dtype=False)


def test_a_large_table_is_read_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, sep=";", decimal=",")
    reading = DataSpec.model_validate({"source": str(path), "target": "Miete"}).reading
    whole = load(reading)
    monkeypatch.setattr("ceteris.data.table_stream.memory_limit", lambda: 4)
    assert memory_limit() > 4
    assert load(reading).content == whole.content


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"a;b",c\n1,2\n', Dialect(",", ".")),
        ("a\n1\n", Dialect(",", ".")),
        ("a;b\n1,5;2.5\n", Dialect(";", ".")),
        ("a;b\n1.234,5;2\n", Dialect(";", ".")),
        ("a;b\n01.02.2024;2,5\n", Dialect(";", ",")),
        ("\n\n", Dialect(",", ".")),
    ],
)
def test_only_the_header_and_plain_numbers_decide(tmp_path: Path, text: str, expected: Dialect) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    assert dialect_of(tmp_path / "t.csv") == expected
