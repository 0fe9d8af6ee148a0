from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ceteris.data.user_arrays import arrays
from ceteris.errors import CeterisError

X = np.linspace(0, 1, 12).reshape(6, 2)


def messages(x, y, classes=None) -> list[str]:
    with pytest.raises(CeterisError) as caught:
        arrays(x, y, classes, name="mine")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("y", "codes", "classes"),
    [
        (["b", "a", "b", "c", "a", "a"], [1, 0, 1, 2, 0, 0], ("a", "b", "c")),
        ([7, 3, 3, 7, -1, 3], [2, 1, 1, 2, 0, 1], ("-1", "3", "7")),
        ([10, 9, 10, 9, 9, 10], [1, 0, 1, 0, 0, 1], ("9", "10")),
        ([True, False, True, True, False, False], [1, 0, 1, 1, 0, 0], ("false", "true")),
        ([[0], [1], [0], [1], [1], [0]], [0, 1, 0, 1, 1, 0], ("0", "1")),
        (["猫", "狗", "猫", "狗", "猫", "猫"], [1, 0, 1, 0, 1, 1], ("狗", "猫")),
    ],
    ids=["text", "numbers", "numeric order", "booleans", "column", "chinese"],
)
def test_labels_of_any_kind_become_numbers(y, codes, classes):
    dataset = arrays(X, y)
    assert dataset.task == "classification"
    assert dataset.y.dtype == np.int64
    assert dataset.y.tolist() == codes
    assert dataset.classes == classes


def test_numbers_of_floating_point_type_are_to_be_predicted():
    dataset = arrays(X, [0.0, 1.0, 2.0, 0.0, 1.0, 2.0])
    assert dataset.task == "regression"
    assert dataset.classes == ()
    assert arrays(X, X).y.shape == (6, 2)


def test_classes_make_labels_of_whole_floats():
    dataset = arrays(X, [0.0, 1.0, 2.0, 0.0, 1.0, 2.0], classes=["s", "m", "l"])
    assert dataset.y.tolist() == [0, 1, 2, 0, 1, 2]
    assert dataset.classes == ("s", "m", "l")


def test_text_is_looked_up_in_the_given_classes():
    assert arrays(X, list("mslsml"), classes=["s", "m", "l"]).y.tolist() == [1, 0, 2, 0, 1, 2]


def test_pandas_frames_and_torch_tensors_are_read():
    import torch

    frame = pd.DataFrame(X, columns=["a", "b"])
    series = pd.Series(list("xyxyxy"))
    assert arrays(frame, series).classes == ("x", "y")
    assert arrays(frame, series.astype("category")).classes == ("x", "y")
    tensors = arrays(torch.from_numpy(X), torch.tensor([0, 1, 0, 1, 0, 1]))
    assert tensors.content == arrays(X, [0, 1, 0, 1, 0, 1]).content


def test_a_list_of_numbers_is_one_feature():
    assert arrays([1.0, 2.0, 3.0], [0, 1, 1]).x.shape == (3, 1)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(np.uint8, (0.0, 255.0)), (np.uint16, (0.0, 65535.0)), (bool, (0.0, 1.0)), (np.float32, None)],
)
def test_the_type_of_images_is_their_documented_range(kind, expected):
    assert arrays(X.astype(kind), [0, 1] * 3).value_range == expected


def test_byte_order_does_not_change_the_hash():
    y = [0.5, 1.5, 2.5, 0.5, 1.5, 2.5]
    assert arrays(X.astype(">f8"), y).content == arrays(X.astype("<f8"), y).content


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X, [0, 1, 0], "mine: `x` has 6 rows and `y` has 3; they must be as many"),
        (
            X * np.nan,
            [0, 1] * 3,
            "mine: `x` has 12 values that are not finite (NaN or infinity), the first in row 0",
        ),
        (
            np.where(X == 1, np.inf, X),
            [0, 1] * 3,
            "mine: `x` has 1 value that is not finite (NaN or infinity), the first in row 5",
        ),
        (
            X * 1e300,
            [0, 1] * 3,
            "mine: `x` has 11 values that are too large for a 32-bit float (3.4e38), the first in row 0",
        ),
        (
            X,
            [0.5, np.nan, 1, 1, 1, 1],
            "mine: `y` has 1 value that is not finite (NaN or infinity), the first in row 1",
        ),
        ([["a", "b"]] * 6, [0, 1] * 3, "mine: `x` holds text; inputs are numbers"),
        (X.astype(complex), [0, 1] * 3, "mine: `x` holds values of type complex128; inputs are numbers"),
        ([[1, None]] * 6, [0, 1] * 3, "mine: `x` has 6 missing values (None or NA); fill in"),
        (X, ["a", None, "b"] * 2, "mine: `y` has 2 missing values (None or NA); fill in"),
        (X[:0], [], "mine: `x` has shape (0, 2): there are no values in it"),
        (3.0, [0, 1], "mine: `x` is a single value of type float, not an array of rows"),
        (X, np.eye(6, 3, dtype=int), "mine: `y` has shape (6, 3); labels are one per row"),
        (
            X,
            X.astype("datetime64[s]")[:, 0],
            "mine: `y` has type datetime64[s]; labels are whole numbers or text",
        ),
        (X, X[:, :, None], "mine: `y` has type float64 and shape (6, 2, 1); numbers to predict have shape"),
    ],
)
def test_what_is_wrong_is_said(x, y, message):
    assert any(found.startswith(message) for found in messages(x, y))


def test_ragged_lists_are_told():
    (message,) = messages([[1, 2], [3]], [0, 1])
    assert message.startswith("mine: `x` cannot be read as an array: ")


def test_all_problems_are_told_at_once():
    assert len(messages(np.full((6, 2), np.inf), [np.nan] * 6)) == 2


def test_whole_numbers_that_are_no_labels_are_told():
    (message,) = messages(np.ones((200, 2)), np.arange(200) * 1000)
    assert message == (
        "mine: `y` has 200 different labels in 200 rows, too many for classes; numbers to predict must be of "
        "a floating-point type"
    )


@pytest.mark.parametrize(
    ("y", "classes", "message"),
    [
        (
            [0, 1, 2] * 2,
            ["a", "b"],
            "`y` has 2 in row 2, which is not the number of a class; with 2 classes labels are 0 to 1",
        ),
        ([0, 1, -1] * 2, ["a", "b"], "`y` has -1 in row 2"),
        ([0, 0.5, 1] * 2, ["a", "b"], "`y` has 0.5 in row 1"),
        (
            ["cat", "dog", "cta"] * 2,
            ["cat", "dog"],
            "`y` has the class `cta`, which is not among the classes; did you mean `cat`?",
        ),
        ([0, 1] * 3, ["a", "a"], "`classes` names `a` twice"),
        ([0, 1] * 3, [], "`classes` is empty"),
    ],
)
def test_labels_must_fit_the_given_classes(y, classes, message):
    assert messages(X, y, classes)[0].startswith(f"mine: {message}")


@pytest.mark.filterwarnings("error")
def test_small_floats_are_read_without_a_warning():
    assert arrays(np.ones((4, 2), dtype=np.float16), [0, 1, 0, 1]).x.dtype == np.float16
