from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from ceteris.data import fetch, list_sources, load, load_test
from ceteris.data.mnist import MNIST
from ceteris.errors import CeterisError


def message(source: str) -> str:
    with pytest.raises(CeterisError) as caught:
        load(source)
    return str(caught.value)


def test_an_unknown_source_is_told_with_the_nearest_name():
    assert message("fashon-mnist") == (
        "experiment.data.source: there is no data source `fashon-mnist`; did you mean `fashion-mnist`? "
        "(known: digits, mnist, fashion-mnist, iris, wine, breast-cancer, diabetes, linnerud, house-prices, "
        "linear-regression, sine, polynomial, high-dimensional, xor, separable, labelled-points, blobs); "
        "or the path of an .npz file, a table or a folder"
    )
    assert "did you mean" not in message("qqq")


@pytest.mark.parametrize("source", ["table.xlsx", "folder/rows", "data.npy"])
def test_other_files_are_told_what_is_read(source):
    assert message(source) == (
        f"experiment.data.source: `{source}` is neither a named source nor an .npz file "
        "with arrays `x` and `y` nor a table (.csv, .tsv, .parquet)"
    )


def test_the_list_says_what_there_is_and_where(no_data_folder, tmp_path):
    entries = {entry.name: entry for entry in list_sources(tmp_path)}
    assert list(entries)[:3] == ["digits", "mnist", "fashion-mnist"]
    assert entries["digits"].place == "bundled with scikit-learn"
    assert entries["mnist"].place is None
    for file in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / f"{file}-ubyte.gz").touch()
    assert {entry.name: entry.place for entry in list_sources(tmp_path)}["mnist"] == str(tmp_path)


def test_what_is_bundled_needs_no_fetching():
    assert fetch("digits") == "bundled with scikit-learn"


def test_test_rows_are_not_in_a_data_set():
    dataset, (x_test, _) = load("iris"), load_test("iris")
    assert len(dataset.x) == 120
    assert len(x_test) == 30
    assert not hasattr(dataset, "test")


def test_the_data_floor_brings_no_heavy_packages():
    """The command line imports it before it knows whether it needs it."""
    code = (
        "import sys, ceteris.data\n"
        "heavy = {'torch', 'numba', 'sklearn', 'pooch', 'requests', 'platformdirs'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


@pytest.mark.real_data
def test_fetch_finds_what_the_user_has(real_data):
    assert fetch("mnist") == str(real_data / MNIST.name)


@pytest.mark.real_data
def test_fashion_mnist_loads_with_its_official_names(real_data):
    dataset = load("fashion-mnist")
    assert dataset.classes[0] == "T-shirt/top"
    assert dataset.classes[9] == "Ankle boot"
    assert dataset.origin == str(real_data / "fashion-mnist")
    assert dataset.content.startswith("63b7f9c9c227b6a3")
    assert np.bincount(dataset.y).tolist() == [6000] * 10
