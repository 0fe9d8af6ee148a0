"""The identity of a trial: stable for ever, and different when anything that matters differs."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceteris.errors import CeterisError
from ceteris.records.identity import trial_identity
from ceteris.records.plain_json import canonical_json, from_column, to_column

PARTS: dict[str, Any] = {
    "experiment": {"optimizer": {"kind": "adam", "lr": 0.1}, "epochs": 5, "data": "digits"},
    "seed": 3,
    "fold": 0,
    "content": "c0ffee",
    "numerics": {"path": "cpu", "threads": 1},
    "scheme": 1,
}


def test_golden_value() -> None:
    # Computed once by hand with sha256sum over the canonical text; finished trials are found by it
    # for ever, so a change here needs a migration.
    assert trial_identity(**PARTS) == "77af7a58e544c5de6ad4"


def test_order_of_keys_does_not_matter() -> None:
    turned = {**PARTS, "experiment": dict(reversed(PARTS["experiment"].items()))}
    assert trial_identity(**turned) == trial_identity(**PARTS)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("experiment", {"optimizer": {"kind": "adam", "lr": 0.1}, "epochs": 6, "data": "digits"}),
        (
            "experiment",
            {"optimizer": {"kind": "adam", "lr": 0.1000000000000001}, "epochs": 5, "data": "digits"},
        ),
        ("seed", 4),
        ("seed", 2**70),
        ("fold", 1),
        ("content", "c0ffef"),
        ("numerics", {"path": "cpu", "threads": 2}),
        ("scheme", 2),
    ],
)
def test_every_part_matters(part: str, value: Any) -> None:
    assert trial_identity(**{**PARTS, part: value}) != trial_identity(**PARTS)


def test_whole_number_and_equal_float_differ() -> None:
    whole, real = ({**PARTS, "experiment": {"lr": lr}} for lr in (1, 1.0))
    assert trial_identity(**whole) != trial_identity(**real)


def test_keys_that_are_not_words_are_refused() -> None:
    with pytest.raises(TypeError, match="the key 1 is not a string"):
        canonical_json({"a": [{1: "x"}]})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_lacks_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"a": value})


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(plain)
def test_columns_give_back_what_they_got(value: Any) -> None:
    assert from_column(to_column(value)) == value


@given(st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False)))
def test_canonical_text_keeps_every_float(value: dict[str, float]) -> None:
    assert from_column(canonical_json(value)) == value


def test_arrays_become_lists_in_columns() -> None:
    facts = {"counts": np.array([3, 4]), "mean": np.float32(0.5)}
    assert from_column(to_column(facts)) == {"counts": [3, 4], "mean": 0.5}


def test_what_is_no_json_is_named() -> None:
    with pytest.raises(TypeError, match="a set cannot be kept as JSON"):
        to_column({"a": {1}})


def test_damaged_column_is_told() -> None:
    with pytest.raises(CeterisError, match=r"the records are damaged: Expecting .* in `\{\"a\": 1`"):
        from_column('{"a": 1')
