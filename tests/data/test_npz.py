from __future__ import annotations

import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ceteris.data.npz import save_arrays
from ceteris.data.sources import load, load_test
from ceteris.data.user_arrays import arrays
from ceteris.errors import CeterisError

from .conftest import refusal

X = np.arange(24, dtype=np.float32).reshape(12, 2)
Y = np.tile([0, 1], 6)


def written(tmp_path, **given):
    path = tmp_path / "mine.npz"
    np.savez(path, **given)
    return str(path)


def message(path) -> str:
    with pytest.raises(CeterisError) as caught:
        load(str(path))
    return str(caught.value)


def test_a_file_is_a_data_set_by_its_name(tmp_path):
    dataset = load(written(tmp_path, x=X, y=Y))
    assert dataset.name == "mine.npz"
    assert dataset.origin.endswith("mine.npz")
    assert dataset.default_validation == 0.2
    np.testing.assert_array_equal(dataset.x, X)


def test_a_file_is_found_in_a_folder_of_the_user(tmp_path, monkeypatch):
    written(tmp_path, x=X, y=Y)
    assert load("mine.npz", tmp_path).name == "mine.npz"
    monkeypatch.setenv("CETERIS_DATA", str(tmp_path))
    assert load("mine.npz").name == "mine.npz"


def test_test_rows_are_kept_apart_and_coded_alike(tmp_path):
    path = written(
        tmp_path, x=X, y=np.tile(["yes", "no"], 6), x_test=X[:3], y_test=np.array(["yes", "no", "yes"])
    )
    dataset, (x_test, y_test) = load(path), load_test(path)
    assert dataset.classes == ("no", "yes")
    assert len(dataset.x) == 12
    assert len(x_test) == 3
    assert y_test.tolist() == [1, 0, 1]


def test_numbers_without_names_are_coded_alike(tmp_path):
    path = written(tmp_path, x=X, y=np.tile([30, 20], 6), x_test=X[:2], y_test=np.array([20, 30]))
    assert load(path).classes == ("20", "30")
    assert load_test(path)[1].tolist() == [0, 1]


def test_without_test_rows_that_is_said(tmp_path):
    with pytest.raises(
        CeterisError, match=r"`mine\.npz` has no test rows \(arrays `x_test` and `y_test` of a "
    ):
        load_test(written(tmp_path, x=X, y=Y))


@pytest.mark.parametrize(
    ("given_arrays", "expected"),
    [
        ({"x": X}, "mine.npz: there is no array `y`; it has `x`"),
        ({"y": Y}, "mine.npz: there is no array `x`; it has `y`"),
        ({"X": X, "Y": Y}, "mine.npz: there is no array `x`; it has `X`, `Y`"),
        ({"x": X, "y": Y, "x_test": X}, "mine.npz: there is no array `y_test`; it has `x`, `y`, `x_test`"),
        ({"x": X, "y": Y[:5]}, "mine.npz: `x` has 12 rows and `y` has 5; they must be as many"),
        (
            {"x": X, "y": Y, "x_test": X[:, :1], "y_test": Y},
            "mine.npz: `x` has rows of shape (2,) and `x_test` of (1,)",
        ),
        (
            {"x": X, "y": Y, "x_test": X, "y_test": Y + 1},
            "mine.npz: `y_test` has the class `2`, which is not among the classes",
        ),
        (
            {"x": X, "y": Y, "classes": np.array(["a"])},
            "mine.npz: `y` has 1 in row 1, which is not the number of a class",
        ),
    ],
)
def test_what_is_wrong_with_the_arrays_is_said(tmp_path, given_arrays, expected):
    assert message(written(tmp_path, **given_arrays)).startswith(expected)


def test_python_objects_are_never_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    path = written(tmp_path, x=np.array([Trap()], dtype=object), y=Y)
    assert "`x` holds Python objects, which are not loaded because they can run code" in message(path)


def test_files_that_are_no_npz_are_told(tmp_path):
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "text.npz").write_text("x,y\n1,2\n")
    (tmp_path / "folder.npz").mkdir()
    with zipfile.ZipFile(tmp_path / "nothing.npz", "w"):
        pass
    assert message(tmp_path / "empty.npz").endswith("empty.npz is empty")
    assert "text.npz is not an .npz file, or a damaged one" in message(tmp_path / "text.npz")
    assert message(tmp_path / "folder.npz").endswith("is a folder, not an .npz file")
    assert message(tmp_path / "nothing.npz").splitlines() == [
        "nothing.npz: there is no array `x`; it has none at all",
        "nothing.npz: there is no array `y`; it has none at all",
    ]


def test_a_file_that_is_not_there_is_told_with_what_lies_beside_it(tmp_path):
    written(tmp_path, x=X, y=Y)
    assert message(tmp_path / "mien.npz") == (
        f"experiment.data.source: there is no file {tmp_path}/mien.npz; beside it lie mine.npz"
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_anywhere_never_ends_in_a_traceback(tmp_path, data):
    path = tmp_path / "mine.npz"
    np.savez_compressed(path, x=X, y=Y)
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(content)))
    path.write_bytes(content if data.draw(st.booleans()) else content[:cut])
    message = refusal(lambda: load(str(path)))
    assert message is None or "mine.npz" in message


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (X, ["b", "a"] * 6),
        (X.astype(np.uint8).reshape(12, 1, 2), Y),
        (X > 5, Y),
        (X, X[:, 0]),
        (X.astype(">f8"), X),
        (X, ["犬", "猫"] * 6),
    ],
)
def test_saved_arrays_load_as_the_same_data(tmp_path, x, y):
    dataset = arrays(x, y)
    again = load(str(save_arrays(dataset, tmp_path / "new" / "arrays.npz")))
    assert again.content == dataset.content
    assert (again.classes, again.task, again.value_range) == (
        dataset.classes,
        dataset.task,
        dataset.value_range,
    )
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["arrays.npz"]


def test_data_with_test_rows_is_not_saved_without_them(tmp_path):
    with pytest.raises(CeterisError, match=r"`digits` has test rows, which a data set does not carry"):
        save_arrays(load("digits"), tmp_path / "digits.npz")


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CeterisError, match=r"cannot write .*arrays\.npz: "):
        save_arrays(arrays(X, Y), tmp_path / "file" / "arrays.npz")


def test_further_arrays_with_a_value_per_row_are_kept_and_count_as_content(tmp_path):
    subject, weight = np.array(["anna", "bert", "carl"] * 4), np.arange(12.0)
    path = written(tmp_path, x=X, y=Y, subject=subject, weight=weight, other=np.ones((12, 2)), few=np.ones(3))
    dataset = load(str(path))
    assert set(dataset.columns) == {"subject", "weight"}
    np.testing.assert_array_equal(dataset.columns["subject"], subject)
    contents = {dataset.content, load(written(tmp_path, x=X, y=Y)).content}
    contents.add(load(written(tmp_path, x=X, y=Y, subject=subject[::-1], weight=weight)).content)
    assert len(contents) == 3


def test_python_objects_beside_the_rows_are_left_alone(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez(path, x=X, y=Y, notes=np.array([{}] * 12, dtype=object))
    assert load(str(path)).columns == {}


def test_columns_in_memory_are_saved_with_the_rows(tmp_path):
    dataset = arrays(X, Y, columns={"subject": [1, 2, 3] * 4})
    again = load(str(save_arrays(dataset, tmp_path / "arrays.npz")))
    assert again.content == dataset.content != arrays(X, Y).content
    np.testing.assert_array_equal(again.columns["subject"], [1, 2, 3] * 4)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"subject": [1, 2]},
            "`subject` has type int64 and shape (2,); a column has one number or text for each of the 12 "
            "rows",
        ),
        ({"y": [1] * 12}, "`y` cannot be the name of a column; give it another name"),
    ],
)
def test_columns_that_are_none_are_refused(columns, message):
    assert refusal(lambda: arrays(X, Y, columns=columns)) == message
