"""The speed at which rows are fetched, in memory and from disk, against the clock."""

from __future__ import annotations

import time

import numpy as np

from ceteris.data import Preparation, arrays, fetching
from ceteris.data.fetching import fetched_rows_per_second
from ceteris.spec.data import DataSpec

ROWS = arrays(np.random.default_rng(0).normal(size=(3000, 20)), np.arange(3000) % 2)


def prepared():
    return Preparation(ROWS).prepare(DataSpec(source="arrays", scale="none"), 0)


def test_every_training_row_is_fetched_once(monkeypatch):
    seen = []
    own = prepared()
    take = np.take
    monkeypatch.setattr(
        fetching.np, "take", lambda x, rows, **more: (seen.extend(rows), take(x, rows, **more))[1]
    )
    begin = time.perf_counter()
    speed = fetched_rows_per_second(own)
    seconds = time.perf_counter() - begin
    assert speed >= len(own.split.train) / seconds
    assert sorted(seen) == list(own.split.train)


def test_a_slow_disk_is_told_and_ends_in_time(monkeypatch):
    take = np.take

    def slowly(x, rows, **more):
        time.sleep(0.01)
        return take(x, rows, **more)

    monkeypatch.setattr(fetching.np, "take", slowly)
    monkeypatch.setattr(fetching, "MOST_SECONDS", 0.05)
    assert 0 < fetched_rows_per_second(prepared()) <= 32 / 0.01


def test_rows_on_disk_are_fetched_too(monkeypatch):
    monkeypatch.setenv("CETERIS_MEMORY_MIB", "0")
    assert fetched_rows_per_second(prepared()) > 0
