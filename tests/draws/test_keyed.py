from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ceteris.draws import compiled, normals, permutation, stream_key, uniforms, words
from ceteris.draws.compiled import fill_words, fill_words_by_column
from ceteris.draws.philox import philox4x32

# Known-answer vectors of Random123 (kat_vectors, philox4x32 with 10 rounds).
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    (
        (0xFFFFFFFF,) * 4,
        (0xFFFFFFFF,) * 2,
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_known_answers(counter: tuple[int, ...], key: tuple[int, int], answer: tuple[int, ...]) -> None:
    arrays = tuple(np.array([c], dtype=np.uint32) for c in counter)
    assert tuple(int(w[0]) for w in philox4x32(arrays, key)) == answer  # type: ignore[arg-type]


@given(
    rows=st.integers(1, 6),
    columns=st.integers(1, 40),
    epoch=st.integers(0, 2**32 - 1),
    first=st.integers(0, 2**31),
)
def test_compiled_words_equal_numpy_words(rows: int, columns: int, epoch: int, first: int) -> None:
    key = stream_key(1, "test")
    out = np.zeros((rows, columns), np.uint32)
    fill_words(out, key.k0, key.k1, epoch, first)
    expected = words(key, rows, columns, epoch=epoch, first_row=first)
    assert np.array_equal(out, expected)
    turned = np.zeros((columns, rows), np.uint32)
    fill_words_by_column(turned, key.k0, key.k1, epoch, first)
    assert np.array_equal(turned, expected.T)


@given(
    small=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    more=st.tuples(st.integers(0, 9), st.integers(0, 9)),
)
def test_larger_arrays_start_with_the_same_numbers(small: tuple[int, int], more: tuple[int, int]) -> None:
    key = stream_key(2, "weight", "head")
    large = words(key, small[0] + more[0], small[1] + more[1])
    assert np.array_equal(words(key, *small), large[: small[0], : small[1]])


def test_purposes_roles_seeds_and_epochs_give_unrelated_numbers() -> None:
    keys = [
        stream_key(0, "weight", "a"),
        stream_key(0, "weight", "b"),
        stream_key(0, "bias", "a"),
        stream_key(1, "weight", "a"),
    ]
    drawn = [uniforms(k, 1, 20_000)[0] for k in keys] + [uniforms(keys[0], 1, 20_000, epoch=1)[0]]
    correlation = np.corrcoef(drawn)
    assert np.abs(correlation - np.eye(5)).max() < 5 / np.sqrt(20_000)


def test_a_key_is_the_same_on_every_machine() -> None:
    assert stream_key(0, "weight", "head") == (894997571, 2019663968)


def test_distributions() -> None:
    key = stream_key(3, "test")
    assert stats.kstest(uniforms(key, 100, 500).reshape(-1), "uniform").pvalue > 1e-3
    assert stats.kstest(normals(key, 100, 500).reshape(-1), "norm").pvalue > 1e-3
    drawn = uniforms(key, 100, 500)
    assert drawn.min() > 0
    assert drawn.max() < 1


@given(n=st.integers(0, 300), epoch=st.integers(0, 5))
def test_permutations_hold_every_number_once(n: int, epoch: int) -> None:
    order = permutation(stream_key(4, "order"), n, epoch=epoch)
    assert np.array_equal(np.sort(order), np.arange(n))


@given(n=st.integers(0, 2000), epoch=st.integers(0, 2**32 - 1), seed=st.integers(0, 9))
def test_compiled_permutations_equal_numpy_permutations(n: int, epoch: int, seed: int) -> None:
    key = stream_key(seed, "order")
    assert np.array_equal(compiled.permutation(key, n, epoch=epoch), permutation(key, n, epoch=epoch))


def test_permutations_are_uniform() -> None:
    firsts = [permutation(stream_key(seed, "order"), 5)[0] for seed in range(3000)]
    counts = np.bincount(firsts, minlength=5)
    assert stats.chisquare(counts).pvalue > 1e-3
