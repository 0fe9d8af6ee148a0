"""Doubts about rows of one's own: what is pointed out, what is refused, and what is silent."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas
import pytest

from ceteris.data import arrays, load
from ceteris.data.doubts import doubts, identifier_problems, leave_out
from ceteris.spec.data import DataSpec

N = 120
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(N, 3))


def table(tmp_path: Path, target: str = "y", **columns: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the doubts about a table with these columns, and why it cannot be trained on."""
    path = tmp_path / "t.csv"
    frame = pandas.DataFrame({"size": ROWS[:, 0], "y": ROWS[:, 1], **columns})
    frame.to_csv(path, index=False)
    dataset = load(DataSpec.model_validate({"source": str(path), "target": target}).reading)
    return doubts(dataset), identifier_problems(dataset)


def test_an_ordinary_table_is_silent(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        town=np.resize(["Köln", "Bonn", "Trier"], N),
        rooms=RNG.integers(1, 9, N),
        id_of_nothing=RNG.integers(0, 9, N),
        year=np.resize(np.arange(1990, 2010), N),
    )
    assert found == ((), ())


def test_a_text_that_is_another_in_every_row_cannot_be_an_input(tmp_path: Path) -> None:
    told, wrong = table(tmp_path, customer=[f"K-{n}" for n in range(N)])
    assert told == ()
    assert wrong == (
        "column `customer` of `t.csv` has another text in every one of the 120 rows, which tells nothing of "
        "other rows; `data.ids: [customer]` keeps it beside the predictions, `data.drop: [customer]` leaves "
        "it out",
    )


def test_dates_are_said_to_be_text(tmp_path: Path) -> None:
    dates = pandas.date_range("2024-01-01", periods=N).strftime("%d.%m.%Y")
    _, (wrong,) = table(tmp_path, day=dates)
    assert (
        "tells nothing of other rows (dates are text here: write year, month or weekday as columns" in wrong
    )


@pytest.mark.parametrize(
    ("texts", "remark"),
    [
        (
            [f"a remark {n % 100}" for n in range(N)],
            "100 different texts in 120 rows, and makes a feature of each;",
        ),
        ([f"remark {n}" if n < 40 else None for n in range(N)], "40 different texts in 120 rows"),
        (
            [f"2024-{1 + n % 12:02}-{1 + n % 28:02}" for n in range(N)],
            "(dates are text here: write year, month",
        ),
    ],
)
def test_free_text_is_pointed_out(tmp_path: Path, texts: Sequence[str], remark: str) -> None:
    (told,), wrong = table(tmp_path, **{"long remark": texts})
    assert told.startswith("`t.csv`: column `long remark` holds ")
    assert remark in told
    assert told.endswith('or leave it out with `data.drop: ["long remark"]`')
    assert wrong == ()


@pytest.mark.parametrize(
    ("name", "numbers", "what"),
    [
        ("PassengerId", RNG.permutation(5000)[:N], "has another whole number in every row"),
        ("id_kunde", RNG.permutation(5000)[:N], "has another whole number in every row"),
        ("Unnamed: 0", np.arange(N), "counts the rows"),
        ("case", np.arange(7, 7 + N), "counts the rows"),
    ],
)
def test_whole_numbers_that_name_rows_are_pointed_out(
    tmp_path: Path, name: str, numbers: Sequence[int], what: str
) -> None:
    (told,), _ = table(tmp_path, **{name: numbers})
    assert told == (
        f"`t.csv`: column `{name}` {what} and is an input; if it names the rows, take it out with "
        f"{leave_out([name], 'ids')}"
    )


def test_whole_numbers_of_another_name_are_amounts(tmp_path: Path) -> None:
    assert table(tmp_path, price=RNG.permutation(5000)[:N]) == ((), ())


def test_columns_of_one_value_are_pointed_out_together(tmp_path: Path) -> None:
    gaps = [1.0 if n % 3 else None for n in range(N)]
    (told,), _ = table(tmp_path, country=["DE"] * N, unit=[1.0] * N, gaps=gaps, empty=[None] * N)
    assert told == (
        "`t.csv`: columns `country`, `unit`, `gaps`, `empty` have no two different values, which tells "
        "nothing; leave out with `data.drop: [country, unit, gaps, empty]`"
    )


def test_one_category_beside_missing_values_tells_something(tmp_path: Path) -> None:
    assert table(tmp_path, pool=[None if n % 4 else "yes" for n in range(N)]) == ((), ())


def of_targets(targets: object) -> list[str]:
    return list(doubts(arrays(ROWS, targets)))


def test_float_labels_are_pointed_out() -> None:
    (note,) = of_targets(np.array([0.0, 1.0] * 60))
    assert "`y` is of a floating-point type, so its 2 different values are numbers to predict" in note
    assert "`y.astype(int)`" in note


def test_one_hot_labels_are_pointed_out() -> None:
    (note,) = of_targets(np.eye(3)[np.arange(N) % 3])
    assert "every row of `y` has a single 1 among 3 numbers, and these are predicted as numbers" in note
    assert "`y.argmax(axis=1)`" in note


def test_whole_numbers_that_are_rather_amounts_are_pointed_out() -> None:
    (note,) = of_targets(np.resize(np.arange(10, 70, 2), N))
    assert note == (
        "`arrays`: its 30 different whole numbers to predict are taken for classes; write them as "
        "floating-point numbers (`y.astype(float)`) if they are amounts"
    )


def test_classes_of_one_row_are_pointed_out() -> None:
    (note,) = of_targets(["a"] * 60 + ["b"] * 58 + ["c", "d"])
    assert note == "`arrays`: 2 of the 4 classes have one row, which cannot train and validate: `c`, `d`"


def test_one_number_to_predict_in_all_rows_is_pointed_out() -> None:
    assert of_targets(np.full(N, 2.5)) == [
        "`arrays`: all rows have the same number to predict, 2.5: there is nothing to learn"
    ]


def test_labels_and_real_numbers_are_silent() -> None:
    assert of_targets(np.eye(3)[np.arange(N) % 3] + 0.5) == []
    assert of_targets((ROWS > 0).astype(float)) == [], "several ones in a row are several targets"
    assert of_targets(np.array([0, 1] * 60)) == []
    assert of_targets(np.arange(N) % 12) == [], "as many rows of each class as make classes"
    assert of_targets(ROWS[:, 0]) == []
