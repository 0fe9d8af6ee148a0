from __future__ import annotations

import base64
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from ceteris.data.examples import choose_examples, example_grid
from ceteris.data.sources import load
from ceteris.data.user_arrays import arrays
from ceteris.errors import CeterisError

from .test_png import decode

SVG = "{http://www.w3.org/2000/svg}"


def pictures(path):
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    return [
        (
            image.find(f"{SVG}title").text,
            decode(base64.b64decode(image.get("href").removeprefix("data:image/png;base64,"))),
        )
        for image in root.iter(f"{SVG}image")
    ]


def test_ten_examples_of_each_digit_are_drawn_as_they_are(tmp_path):
    digits = load("digits")
    found = pictures(example_grid(digits, tmp_path / "new" / "digits.svg"))
    assert len(found) == 100
    for title, pixels in found:
        name, row = re.fullmatch(r"(\d), row (\d+)", title).groups()
        assert digits.classes[digits.y[int(row)]] == name
        np.testing.assert_array_equal(pixels, np.rint(digits.x[int(row)] / 16 * 255))
    assert len({title for title, _ in found}) == 100
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["digits.svg"]


def test_the_picture_needs_nothing_from_anywhere(tmp_path):
    text = example_grid(load("digits"), tmp_path / "a.svg").read_text()
    assert re.findall(r"(?:href|src)=\"(?!data:)", text) == []
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text) == []


def test_a_seed_draws_its_examples():
    digits = load("digits")
    first, again, other = (np.concatenate(choose_examples(digits, 10, seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 1), (1, 4, 6), (4, 6, 3), (3, 4, 6)])
def test_grey_and_colour_images_with_channels_first_or_last(tmp_path, shape):
    x = np.arange(8 * np.prod(shape)).reshape(8, *shape).astype(np.uint8)
    ((_, pixels),) = pictures(example_grid(arrays(x, [0] * 8), tmp_path / "a.svg", per_class=1))
    assert pixels.shape == ((4, 6, 3) if 3 in shape else (4, 6))


def test_values_without_a_known_range_go_from_black_to_white(tmp_path):
    x = np.linspace(-2, 2, 32).reshape(2, 4, 4)
    found = pictures(example_grid(arrays(x, [0, 0]), tmp_path / "a.svg"))
    values = np.concatenate([pixels.ravel() for _, pixels in found])
    assert (values.min(), values.max()) == (0, 255)


def test_names_of_any_script_are_shown_and_escaped(tmp_path):
    dataset = arrays(np.zeros((4, 2, 2)), ["猫 <&>", "狗"] * 2)
    text = example_grid(dataset, tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "猫 &lt;&amp;&gt;</text>" in text
    assert "Noto Sans CJK SC" in text
    titles = {title for title, _ in pictures(tmp_path / "a.svg")}
    assert any(title.startswith("猫 <&>, row ") for title in titles)


def test_a_class_with_few_rows_shows_what_it_has(tmp_path):
    dataset = arrays(np.zeros((5, 2, 2)), [0, 0, 0, 0, 1])
    assert len(pictures(example_grid(dataset, tmp_path / "a.svg", per_class=3))) == 4


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("iris", "`iris` has rows of shape (4,), which are not images; a picture needs (height, width)"),
        ("diabetes", "`diabetes` has numbers to predict; a grid of examples needs classes"),
    ],
)
def test_what_is_no_image_is_told(tmp_path, source, message):
    with pytest.raises(CeterisError) as caught:
        example_grid(load(source), tmp_path / "a.svg")
    assert str(caught.value).startswith(message)
    assert list(tmp_path.glob("*.svg")) == []


def test_a_grid_of_nothing_is_refused(tmp_path):
    with pytest.raises(CeterisError, match="0 examples per class shows nothing"):
        example_grid(load("digits"), tmp_path / "a.svg", per_class=0)


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CeterisError, match=r"cannot write .*a\.svg: "):
        example_grid(load("digits"), tmp_path / "file" / "a.svg")
