"""Arrays of epochs: kept in every bit, dropped with the epochs that are trained again, checked when read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from sqlalchemy import update

from ceteris.errors import CeterisError
from ceteris.records.arrays import pack_array, unpack_array
from ceteris.records.curves import DamagedBlobError
from ceteris.records.probed import Histogram, common_edges, confusions, fitted_curves, histograms
from ceteris.records.schema import arrays as table
from ceteris.records.store import Store

from .plans import ended, new_run, planned, record_epochs

FIRST, SECOND, *_ = [trial.identity for trial in planned()]
SHAPES = array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)


@given(arrays(np.float64, SHAPES) | arrays(np.int64, SHAPES))
def test_every_bit_comes_back(array: np.ndarray) -> None:
    back = unpack_array(pack_array(array))
    assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert not back.flags.writeable


@given(st.data())
def test_a_changed_byte_is_noticed(data: st.DataObject) -> None:
    blob = bytearray(pack_array(np.arange(6.0).reshape(2, 3)))
    place = data.draw(st.integers(0, len(blob) - 1).filter(lambda at: at != 3))  # a byte that means nothing
    blob[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DamagedBlobError):
        unpack_array(bytes(blob))
    with pytest.raises(DamagedBlobError):
        unpack_array(bytes(blob[: data.draw(st.integers(0, len(blob) - 1))]))


def a_histogram(low: float, counts: list[int], lost: int = 0) -> np.ndarray:
    edges = np.arange(low, low + len(counts) + 1)
    return np.stack([edges, np.array([*counts, lost], dtype=np.float64)])


def recorded(store: Store, epochs: int = 2) -> str:
    """Begin a run of whose first two trials arrays are on record, of epochs 0 to ``epochs``."""
    run = new_run(store)
    store.begin(run)
    store.mark_running(run, [FIRST, SECOND])
    record_epochs(store, run, [FIRST, SECOND], epochs)
    for epoch in range(epochs + 1):
        own = {
            ("parameter", "head.weight"): a_histogram(epoch, [1, 2, 3], lost=epoch),
            ("confusion", ""): np.array([[epoch, 0], [1, 2]]),
        }
        other = {("grid", ""): np.array([[0.0, 1.0], [epoch, 5.0], [7.0, 8.0]])}
        store.record_arrays(run, epoch, {FIRST: own, SECOND: other})
    return run


def test_arrays_are_read_by_trial_name_and_epoch(store: Store) -> None:
    record = store.load_run(recorded(store))
    found = histograms(record)
    assert [(own.identity, own.kind, own.name, own.epoch) for own in found] == [
        (FIRST, "parameter", "head.weight", epoch) for epoch in range(3)
    ]
    assert (found[2].level, found[2].seed, found[2].fold) == ("0.1", 0, 0)
    assert found[2].value.edges.tolist() == [2, 3, 4, 5]
    assert found[2].value.counts.tolist() == [1, 2, 3]
    assert found[2].value.not_finite == 2
    curves = fitted_curves(record)
    assert [(own.identity, own.epoch) for own in curves] == [(SECOND, 0), (SECOND, 1), (SECOND, 2)]
    assert curves[1].value.x.tolist() == [0.0, 1.0]
    assert curves[1].value.y.tolist() == [[1.0, 7.0], [5.0, 8.0]]
    assert confusions(record)[1].value.tolist() == [[1, 0], [1, 2]]


def test_what_is_there_stays(store: Store) -> None:
    run = recorded(store)
    store.record_arrays(run, 2, {FIRST: {("confusion", ""): np.zeros((2, 2), np.int64)}})
    assert confusions(store.load_run(run))[2].value.tolist() == [[2, 0], [1, 2]]
    store.end_trials(run, [ended(FIRST)])
    store.record_arrays(run, 3, {FIRST: {("confusion", ""): np.zeros((2, 2), np.int64)}})
    assert len(confusions(store.load_run(run))) == 3


@pytest.mark.parametrize(("kept", "left"), [(0, []), (1, [0, 1])])
def test_a_restart_drops_what_is_measured_again(store: Store, kept: int, left: list[int]) -> None:
    run = recorded(store)
    store.restart_trials(run, [FIRST], {FIRST: kept})
    record = store.load_run(run)
    assert [own.epoch for own in confusions(record)] == left
    assert [own.epoch for own in histograms(record)] == left
    assert [own.epoch for own in fitted_curves(record)] == [0, 1, 2]


def test_a_damaged_array_is_named(store: Store) -> None:
    run = recorded(store)
    with store._database.write() as connection:
        connection.execute(update(table).where(table.c.kind == "confusion").values(block=b"\x01\x02\x02\x00"))
    record = store.load_run(run)
    assert len(histograms(record)) == 3
    with pytest.raises(CeterisError, match=r"seed 0\) in run .* after epoch 0 \(confusion\) is damaged"):
        confusions(record)


def test_a_run_without_arrays(store: Store) -> None:
    record = store.load_run(new_run(store))
    assert (histograms(record), fitted_curves(record), confusions(record)) == ((), (), ())


def test_counts_are_shared_out_by_overlap() -> None:
    one = Histogram(np.array([0.0, 1.0, 2.0]), np.array([4, 2]), 0)
    other = Histogram(np.array([1.0, 3.0, 5.0]), np.array([6, 2]), 0)
    edges = common_edges([one, other], bins=5)
    assert edges.tolist() == [0, 1, 2, 3, 4, 5]
    assert one.on(edges).tolist() == [4, 2, 0, 0, 0]
    assert other.on(edges).tolist() == [0, 3, 3, 1, 1]
