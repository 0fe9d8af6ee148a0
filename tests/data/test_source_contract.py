"""What every data source keeps to: the built-ins here; a new one is added to ``sources``."""

from __future__ import annotations

import numpy as np
import pytest

from ceteris.data.bundled import BUNDLED_SOURCES
from ceteris.data.dataset import content_hash, without_test_rows
from ceteris.data.npz import NpzSource
from ceteris.data.synthetic import SYNTHETIC_SOURCES
from ceteris.data.table_source import TableSource
from ceteris.data.table_with_test import TableWithTest

from .conftest import write_files

MADE_HERE = (*BUNDLED_SOURCES, *SYNTHETIC_SOURCES)


@pytest.fixture(params=[*(source.name for source in MADE_HERE), "idx", "npz", "tables"])
def source(request, tmp_path, tiny, contents):
    for bundled in MADE_HERE:
        if bundled.name == request.param:
            return bundled
    if request.param == "idx":
        write_files(tmp_path / "tiny", contents)
        return tiny
    if request.param == "tables":
        text = "size,kind,y\n1.5,flat,a\n2,NA,b\n3,flat,a\n4,house,b\n"
        for name in ("train.csv", "test.csv"):
            (tmp_path / name).write_text(text + "5,flat,a\n" * (name == "test.csv"), encoding="utf-8")
        return TableWithTest(TableSource(tmp_path / "train.csv", "y"), TableSource(tmp_path / "test.csv"))
    path = tmp_path / "mine.npz"
    x = np.arange(24, dtype=np.float32).reshape(12, 2)
    np.savez(path, x=x, y=np.tile([3, 5], 6), x_test=x[:4], y_test=np.array([5, 3, 3, 5]))
    return NpzSource(path)


def test_it_says_what_and_where_it_is_in_one_line(source, tmp_path):
    assert source.name
    assert "\n" not in source.description
    assert source.place(tmp_path)


def test_rows_and_targets_belong_together(source, tmp_path):
    data = source.read(tmp_path, None)
    assert len(data.train.x) == len(data.train.y) > 0
    assert data.test is not None
    assert len(data.test.x) == len(data.test.y) > 0
    assert data.test.x.shape[1:] == data.train.x.shape[1:]
    assert data.test.x.dtype == data.train.x.dtype


def test_labels_are_numbers_of_classes_and_targets_are_finite(source, tmp_path):
    data = source.read(tmp_path, None)
    assert data.test is not None
    for y in (data.train.y, data.test.y):
        if data.task == "classification":
            assert y.dtype == np.int64
            assert y.ndim == 1
            assert set(np.unique(y)) == set(range(len(data.classes)))
        else:
            assert data.classes == ()
            assert y.dtype.kind == "f"
            assert np.isfinite(y).all()


def test_inputs_keep_to_the_documented_range(source, tmp_path):
    data = source.read(tmp_path, None)
    if data.value_range is not None:
        low, high = data.value_range
        assert low <= data.train.x.min() <= data.train.x.max() <= high


def test_the_same_bytes_come_every_time(source, tmp_path):
    first, second = source.read(tmp_path, None), source.read(tmp_path, None)
    assert content_hash(first.train, first.test) == content_hash(second.train, second.test)


def test_a_data_set_knows_its_test_rows_by_their_hash_alone(source, tmp_path):
    data = source.read(tmp_path, None)
    dataset = without_test_rows(data)
    assert len(dataset.x) == len(data.train.x)
    assert dataset.content == content_hash(data.train, data.test) != content_hash(data.train, None)
