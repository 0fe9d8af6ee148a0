"""Numbers as a reader sees them."""

import pytest

from ceteris.evidence.plain import plain
from ceteris.evidence.wording import levels, listing, number, numbers, p_words, percent, units


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((0.132, 0.1013, 0.1628), ("0.132", "0.101", "0.163")),
        ((0.2, -0.0004), ("0.2000", "-0.0004")),
        ((0.0999999999,), ("0.100",)),
        ((12345.6,), ("12346",)),
        ((0.0, 0.0), ("0", "0")),
        ((3e-7, 1e-7), ("3e-07", "1e-07")),
        ((12.0, 1.5), ("12.0", "1.5")),
    ],
)
def test_numbers_that_stand_together_share_decimals(values, words):
    assert numbers(*values) == words


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (0.0, "p < 0.0001"),
        (0.0004, "p = 0.0004"),
        (0.0625, "p = 0.0625"),
        (0.1349, "p = 0.13"),
        (1.0, "p = 1"),
    ],
)
def test_p_values(p, words):
    assert p_words(p) == words


def test_counts_and_lists():
    assert units(1, "seeds") == "1 seed"
    assert units(4, "folds") == "4 folds of one seed"
    assert listing(["a"]) == "a"
    assert listing(["a", "b", "c"]) == "a, b and c"
    assert listing(["a=0, b=1", "a=1, b=1"]) == "a=0, b=1; and a=1, b=1"
    assert levels(["a", "b"], ["b", "a"]) == "all levels"
    assert levels(["a"], ["a"]) == "a"
    assert levels(["a"], ["a", "b"]) == "a"
    assert percent(1 - 0.05 / 3) == "98.33%"
    assert number(None) == "-"


def test_undefined_numbers_are_none_in_plain_json():
    assert plain({"a": (float("nan"), float("inf"), 1.0)}) == {"a": [None, None, 1.0]}
