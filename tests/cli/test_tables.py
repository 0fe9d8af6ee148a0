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
    columns = json.loads(done.stdout)["columns"]
    assert sum(column["features"] for column in columns) == 331
