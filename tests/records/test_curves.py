"""Curves come back bit for bit, and damage never passes for numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from ceteris.errors import CeterisError
from ceteris.records.curves import (
    DamagedBlobError,
    DamagedCurves,
    as_curves,
    join_epochs,
    pack,
    unpack,
    unpack_named,
)

blocks = arrays(np.float64, st.tuples(st.integers(0, 5), st.integers(0, 7)))


@given(blocks)
def test_every_bit_comes_back(block: NDArray[np.float64]) -> None:
    back = unpack(pack(block))
    assert back.shape == block.shape
    assert back.tobytes() == block.tobytes()
    assert back.dtype == np.float64


def test_nan_payload_infinities_and_signed_zero() -> None:
    payload = np.array([0x7FF800000000BEEF], dtype=np.uint64).view(np.float64)[0]
    block = np.array([[payload, np.inf, -np.inf, -0.0, 5e-324]])
    assert unpack(pack(block)).tobytes() == block.tobytes()


def test_blocks_that_are_views_in_other_orders() -> None:
    block = np.arange(12.0).reshape(3, 4).T[::2]
    np.testing.assert_array_equal(unpack(pack(block)), block)


@given(blocks, st.data())
def test_every_damaged_byte_is_noticed(block: NDArray[np.float64], data: st.DataObject) -> None:
    blob = bytearray(pack(block))
    place = data.draw(st.integers(0, len(blob) - 1))
    blob[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DamagedBlobError):
        unpack(bytes(blob))


@pytest.mark.parametrize(
    ("blob", "words"),
    [
        (b"", "0 bytes are left, and its head alone has 16"),
        (b"\x02" + pack(np.zeros((1, 1)))[1:], "its version byte is 2 and 1 is expected"),
        (pack(np.zeros((1, 2)))[:-1], "it has 31 bytes and 32 are expected"),
        (pack(np.zeros((1, 1)))[:-1] + b"\x40", "its checksum does not match its content"),
    ],
)
def test_words_of_damage(blob: bytes, words: str) -> None:
    with pytest.raises(DamagedBlobError, match=words):
        unpack(blob)


def test_names_and_numbers_have_to_agree() -> None:
    with pytest.raises(DamagedBlobError, match="it has 2 metrics and 1 names are recorded"):
        unpack_named(("a",), pack(np.zeros((2, 1))))


def test_joining_equal_epochs() -> None:
    epochs = [(("a", "b"), np.array([[1.0], [2.0]])), (("a", "b"), np.array([[3.0], [4.0]]))]
    curves = as_curves(*join_epochs(epochs))
    assert {name: list(curve) for name, curve in curves.items()} == {"a": [1, 3], "b": [2, 4]}
    assert not curves["a"].flags.writeable


def test_joining_epochs_with_other_metrics_leaves_gaps() -> None:
    names, block = join_epochs([(("a",), np.array([[1.0]])), (("b", "a"), np.array([[2.0], [3.0]]))])
    assert names == ("a", "b")
    np.testing.assert_array_equal(block, [[1, 3], [np.nan, 2]])


def test_joining_nothing() -> None:
    names, block = join_epochs([])
    assert names == ()
    assert block.shape == (0, 0)


def test_damaged_curves_refuse_every_touch() -> None:
    curves = DamagedCurves("the curves are damaged")
    for touch in (lambda: curves["a"], lambda: list(curves), lambda: len(curves), lambda: dict(curves)):
        with pytest.raises(CeterisError, match="the curves are damaged"):
            touch()
    assert "damaged" in repr(curves)
