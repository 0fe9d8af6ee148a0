from __future__ import annotations

import gzip
import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ceteris.data.idx import Payload, parse_idx, read_payload
from ceteris.errors import CeterisError

from .conftest import idx_bytes, refusal

CONTENT = idx_bytes(np.arange(60_000).reshape(100, 600) % 251)
EXPECTED = Payload("images-idx2-ubyte", len(CONTENT), hashlib.md5(CONTENT).hexdigest())


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=4, max_side=5)))
def test_what_was_written_as_idx_is_parsed(array):
    np.testing.assert_array_equal(parse_idx(idx_bytes(array), "file"), array)


@given(st.binary(max_size=64))
def test_any_bytes_are_parsed_or_refused_in_words(content):
    message = refusal(lambda: parse_idx(content, "file"))
    assert message is None or message.startswith("file is ")


@pytest.mark.parametrize("level", [1, 6, 9])
def test_however_it_was_compressed_the_content_counts(tmp_path, level):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(CONTENT, level))
    assert read_payload(path, EXPECTED) == CONTENT


def test_a_plain_file_is_read_whatever_its_name_says(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(CONTENT)
    assert read_payload(path, EXPECTED) == CONTENT


def damaged_files():
    packed = gzip.compress(CONTENT)
    flipped = bytearray(packed)
    flipped[len(flipped) // 2] ^= 0xFF
    other = bytearray(CONTENT)
    other[100] ^= 1
    return {
        "truncated gzip": (packed[: len(packed) // 2], "is damaged"),
        "flipped byte in gzip": (bytes(flipped), "is damaged"),
        "truncated plain": (CONTENT[:-7], "is damaged: it ends after 60,005 of 60,012 bytes"),
        "one other value": (gzip.compress(bytes(other)), "has the MD5"),
        "too long": (CONTENT + b"x", "has the MD5"),
        "empty": (b"", "it ends after 0 of"),
        "only the magic": (b"\x1f\x8b", "is damaged"),
    }


@pytest.mark.parametrize("case", damaged_files())
def test_damaged_files_are_refused_by_name(tmp_path, case):
    written, words = damaged_files()[case]
    path = tmp_path / "images.gz"
    path.write_bytes(written)
    with pytest.raises(CeterisError) as caught:
        read_payload(path, EXPECTED)
    assert str(caught.value).startswith(f"{path} is damaged")
    assert words in str(caught.value)
    assert "fetch it again" in str(caught.value)


def test_a_file_that_unpacks_to_far_too_much_is_not_unpacked_whole(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(200_000_000), 1))
    with pytest.raises(CeterisError, match="damaged or another file"):
        read_payload(path, Payload("x", 1000, "0" * 32))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CeterisError, match=r"gone\.gz cannot be read: No such file"):
        read_payload(tmp_path / "gone.gz", EXPECTED)


def test_a_header_that_does_not_fit_its_length_is_told():
    with pytest.raises(CeterisError, match=r"header says shape \(100, 600\), but 59,999 values follow"):
        parse_idx(CONTENT[:-1], "images")
