import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceteris.report.numbers import counted, duration, p_value, plain, rounded, with_interval


@pytest.mark.parametrize(
    ("value", "low", "high", "words"),
    [
        (0.94123, 0.9385, 0.9440, "0.9412 [0.9385, 0.9440]"),
        (0.5, 0.38, 0.62, "0.50 [0.38, 0.62]"),
        (123.456, 120.0, 126.9, "123.5 [120.0, 126.9]"),
        (-0.0766, -0.084, -0.069, "−0.0766 [−0.0840, −0.0690]"),
        (1.0, 1.0, 1.0, "1.000 [1.000, 1.000]"),
        (0.0, 0.0, 0.0, "0.0 [0.0, 0.0]"),
        (2e-7, 1e-7, 3e-7, "2.00e−07 [1.00e−07, 3.00e−07]"),
        (0.25, None, None, "0.25"),
        (None, None, None, "–"),
        (math.nan, 0.0, 1.0, "–"),
    ],
)
def test_an_estimate_has_the_digits_that_its_interval_supports(value, low, high, words):
    assert with_interval(value, low, high) == words


def test_a_rise_is_marked_with_a_plus():
    assert with_interval(0.1, 0.06, 0.14, signed=True) == "+0.100 [0.060, 0.140]"
    assert with_interval(-0.1, None, None, signed=True) == "−0.1"


def test_a_zero_has_no_sign():
    assert (
        with_interval(-0.1, -12, 12, signed=True) == with_interval(0.1, -12, 12, signed=True) == "0 [−12, 12]"
    )
    assert with_interval(-0.5, -1.0, -0.0001) == "−0.50 [−1.00, 0.00]"


@given(st.floats(0.001, 9e4), st.floats(1e-4, 1e3))
def test_what_is_printed_is_the_number_within_a_tenth_of_the_half_width(value, half):
    printed = with_interval(value, value - half, value + half)
    assert abs(float(printed.split(" ")[0]) - value) <= max(
        half / 10 if half >= 1e-5 * value else 5e-5 * value, 1e-7
    )


@pytest.mark.parametrize(
    ("p", "words"), [(0.0004, "p < 0.001"), (0.0123, "p = 0.012"), (1.0, "p = 1"), (None, "–")]
)
def test_p_values(p, words):
    assert p_value(p) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(4.21, "4.2 s"), (41.3, "41 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations(seconds, words):
    assert duration(seconds) == words


def test_counts_and_plain_numbers():
    assert (counted(1, "seed"), counted(1200, "trial")) == ("1 seed", "1,200 trials")
    assert (plain(0.12345), plain(123456.0), plain(None), plain(0)) == ("0.1235", "1.23e+05", "–", "0")


def test_numbers_that_json_does_not_have_become_null():
    assert rounded(math.inf, 4) is None
    assert rounded(0.123456, 4) == 0.1235
