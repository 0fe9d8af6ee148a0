from __future__ import annotations

import json

import numpy as np
import pytest

from ceteris.data.facts import class_counts, facts, preparation_facts
from ceteris.data.preparation import Preparation
from ceteris.data.sources import load
from ceteris.data.user_arrays import arrays
from ceteris.spec.data import DataSpec


def test_facts_of_the_digits():
    found = facts(load("digits"))
    assert json.loads(json.dumps(found)) == found
    assert found["rows"] == 1437 == sum(found["counts"].values())
    assert found["shape"] == [8, 8]
    assert (found["type"], found["range"], found["documented_range"]) == ("uint8", [0, 16], [0, 16])
    assert list(found["counts"]) == found["classes"] == list("0123456789")
    assert found["origin"] == "bundled with scikit-learn"
    assert len(found["content"]) == 64


def test_facts_of_numbers_to_predict():
    found = facts(load("diabetes"))
    assert json.loads(json.dumps(found)) == found
    assert (found["classes"], found["counts"], found["documented_range"]) == ([], {}, None)
    assert found["target_range"] == [31, 346]


def test_a_class_without_rows_is_counted():
    dataset = arrays(np.zeros((4, 1)), [0, 0, 2, 2], classes=["a", "b", "c"])
    assert class_counts(dataset) == {"a": 2, "b": 0, "c": 2}


@pytest.mark.parametrize("scale", ["none", "unit", "standardize"])
@pytest.mark.parametrize("source", ["digits", "wine"])
def test_what_the_network_sees_is_what_numpy_says(source, scale):
    prepared = Preparation(load(source)).prepare(DataSpec(source=source, scale=scale), 1)
    x = prepared.x[prepared.split.train].astype(np.float64)
    found = preparation_facts(prepared)
    assert json.loads(json.dumps(found)) == found
    assert found["mean"] == pytest.approx(x.mean(), abs=1e-9)
    assert found["std"] == pytest.approx(x.std())
    assert found["rms"] == pytest.approx(np.sqrt((x**2).mean()))
    assert (found["min"], found["max"]) == (x.min(), x.max())
    assert found["largest_spread"] == pytest.approx(x.std(axis=0).max())
    assert found["median_spread"] == pytest.approx(np.median(x.std(axis=0)))
    assert found["constant_features"] == (np.ptp(x, axis=0) == 0).sum()
    assert found["train_rows"] == len(x)


def test_spreads_stay_exact_far_from_zero():
    x = 1e6 + np.arange(40)[:, None] % 2
    prepared = Preparation(arrays(x, x[:, 0])).prepare(DataSpec(source="x", scale="none"), 0)
    spread = prepared.x[prepared.split.train].astype(np.float64).std()
    assert preparation_facts(prepared)["largest_spread"] == pytest.approx(spread, rel=1e-9)
