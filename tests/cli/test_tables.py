"""Tables on the command line: what is told of their columns."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.cli.test_json import check


@pytest.mark.real_data
def test_the_columns_of_the_house_prices_are_shown(ceteris: Command) -> None:
    import os

    folder = os.environ.get("CETERIS_DATA")
    if not folder:
        pytest.skip("CETERIS_DATA names no folder with the real rows")
    shown = ceteris("data", "show", "house-prices", "--data-dir", folder)
    assert shown.returncode == 0, shown.stderr
    lines = {line.split()[0]: line.split() for line in shown.stdout.splitlines() if line.split()}
    assert lines["LotFrontage"] == ["LotFrontage", "numbers", "17.7%", "-", "1"]
    assert lines["Alley"] == ["Alley", "categories", "93.8%", "2", "3"]
    done = ceteris("data", "show", "house-prices", "--json", "--data-dir", str(Path(folder)))
    check(done.stdout, "dataset")
    told = json.loads(done.stdout)
    assert sum(column["features"] for column in told["columns"]) == 331 == told["folds"]["width"]
    counts = ", ".join(map(str, told["folds"]["features"]))
    assert f"features: 331; in the training rows of 5 plain folds: {counts}\n" in shown.stdout
    assert lines["Utilities_NoSeWa"][1] == "1"


def test_a_table_of_ones_own_is_shown_by_its_target(ceteris: Command, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,kind,y\n1,x,0.5\n2,NA,1.5\n3,z,2.5\n", encoding="utf-8")
    shown = ceteris("data", "show", "t.csv", "--target", "y")
    assert shown.returncode == 0, shown.stderr
    assert "kind" in shown.stdout
    assert "33.3%" in shown.stdout
    assert "did you mean `y`" in ceteris("data", "show", "t.csv", "--target", "yy").stderr
    assert "is no table of your own" in ceteris("data", "show", "digits", "--target", "y").stderr
    assert "features: 4; in the training rows of 3 plain folds: 3, 3, 3\n" in shown.stdout
    unsaid = ceteris("data", "show", "t.csv")
    assert unsaid.returncode == 2
    assert unsaid.stderr == (
        "--target: t.csv is a table: name the column that is to be predicted; it has `a`, `kind`, `y`\n"
    )
    told = json.loads(ceteris("data", "show", "t.csv", "--target", "y", "--folds", "2", "--json").stdout)
    assert len(told["folds"]["features"]) == 2
    assert "must be from 2 to 3" in ceteris("data", "show", "t.csv", "--target", "y", "--folds", "4").stderr
    assert "`digits` is no table" in ceteris("data", "show", "digits", "--folds", "4").stderr


def test_doubts_and_the_truth_of_drawn_rows_stand_in_the_json(ceteris: Command, tmp_path: Path) -> None:
    lines = [f"K{n},DE,{n % 7},{n / 7}" for n in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["who,land,a,y", *lines]), encoding="utf-8")
    told = json.loads(ceteris("data", "show", "t.csv", "--target", "y", "--json").stdout)
    assert [doubt.split("`")[1:4:2] for doubt in told["doubts"]] == [["who", "t.csv"], ["t.csv", "land"]]
    drawn = ceteris("data", "show", "linear-regression", "--json")
    check(drawn.stdout, "dataset")
    assert json.loads(drawn.stdout)["truth"]["weights"] == [2, -3.4]


def test_a_long_path_is_listed_whole(ceteris: Command, tmp_path: Path) -> None:
    folder = tmp_path / ("a-long-name" * 6)
    (folder / "fashion-mnist").mkdir(parents=True)
    done = ceteris("data", "list", "--data-dir", str(folder), COLUMNS="80")
    assert done.returncode == 0, done.stderr
    assert "…" not in done.stdout
