"""Folders of images: classes from their subfolders, pixels as they are, clear words about what is wrong."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from ceteris.data import load, load_test
from ceteris.errors import CeterisError
from ceteris.spec import DataSpec

DIGITS = load_digits()
PIXELS = (DIGITS.images * 15).astype(np.uint8)


def write(folder: Path, per_class: int = 3, begin: int = 0, kind: str = "png") -> None:
    for label in range(3):
        own = folder / f"class {label}"
        own.mkdir(parents=True)
        for row in np.flatnonzero(DIGITS.target == label)[begin : begin + per_class]:
            Image.fromarray(PIXELS[row]).save(own / f"{row:04}.{kind}")


def message(path: Path, **more: object) -> str:
    with pytest.raises(CeterisError) as caught:
        load(DataSpec(source=str(path), **more).reading)
    return str(caught.value)


def test_each_subfolder_is_a_class_and_pixels_come_as_they_are(tmp_path):
    write(tmp_path / "own")
    (tmp_path / "own" / "class 1" / "notes.txt").write_text("no image")
    data = load(str(tmp_path / "own"))
    assert (data.name, data.classes) == ("own", ("class 0", "class 1", "class 2"))
    rows = np.concatenate([np.flatnonzero(DIGITS.target == label)[:3] for label in range(3)])
    np.testing.assert_array_equal(data.x, PIXELS[rows])
    np.testing.assert_array_equal(data.y, DIGITS.target[rows])
    assert (data.x.dtype, data.value_range) == (np.uint8, (0, 255))
    assert load("own", tmp_path).content == data.content


def test_grey_in_16_bits_keeps_the_upper_8(tmp_path):
    write(tmp_path / "own")
    for file in (tmp_path / "own").rglob("*.png"):
        deep = np.array(Image.open(file)).astype(np.uint16) * 256 + 200
        Image.fromarray(deep).save(file)
    write(tmp_path / "bytes")
    np.testing.assert_array_equal(load(str(tmp_path / "own")).x, load(str(tmp_path / "bytes")).x)
    Image.new("RGB", (8, 8)).save(tmp_path / "own" / "class 2" / "zz.png")  # now all are read in colour
    np.testing.assert_array_equal(
        load(str(tmp_path / "own")).x[0, :, :, 1], load(str(tmp_path / "bytes")).x[0]
    )


def test_train_and_test_are_told_apart(tmp_path):
    write(tmp_path / "own" / "train")
    write(tmp_path / "own" / "test", per_class=2, begin=10)
    assert len(load(str(tmp_path / "own")).x) == 9
    x, y = load_test(str(tmp_path / "own"))
    assert (x.shape, y.tolist()) == ((6, 8, 8), [0, 0, 1, 1, 2, 2])
    (tmp_path / "own" / "test" / "class 2").rename(tmp_path / "own" / "test" / "clas 2")
    assert "there is no class `clas 2` in `train`; did you mean `class 2`?" in message(tmp_path / "own")
    (tmp_path / "own" / "val").mkdir()
    assert "validation rows are drawn from the training rows" in message(tmp_path / "own")


def test_colour_anywhere_makes_all_images_coloured(tmp_path):
    write(tmp_path / "own")
    colours = np.stack([PIXELS[0], PIXELS[1], PIXELS[2]], axis=-1)
    Image.fromarray(colours).save(tmp_path / "own" / "class 0" / "a.png")
    data = load(str(tmp_path / "own"))
    assert data.shape == (8, 8, 3)
    np.testing.assert_array_equal(data.x[3], colours)
    np.testing.assert_array_equal(data.x[0, ..., 0], data.x[0, ..., 2])


def test_images_of_other_sizes_are_named_or_brought_to_one_size(tmp_path):
    write(tmp_path / "own")
    odd = tmp_path / "own" / "class 1" / "odd.png"
    Image.fromarray(np.kron(PIXELS[1], np.ones((2, 2), np.uint8))).save(odd)
    assert message(tmp_path / "own").startswith(f"{odd} is 16 x 16 pixels and ")
    data = load(DataSpec(source=str(tmp_path / "own"), resize=[8, 8]).reading)
    np.testing.assert_allclose(data.x[6], PIXELS[1])
    assert data.shape == (8, 8)


def test_jpeg_is_read_about_as_it_was_written(tmp_path):
    write(tmp_path / "own", kind="jpg")
    rows = np.flatnonzero(DIGITS.target == 0)[:3]
    assert np.abs(load(str(tmp_path / "own")).x[:3].astype(int) - PIXELS[rows]).mean() < 8


def test_what_cannot_be_read_is_named(tmp_path):
    write(tmp_path / "own")
    bad = tmp_path / "own" / "class 2" / "bad.png"
    bad.write_bytes(b"not an image")
    assert message(tmp_path / "own").startswith(f"{bad} cannot be read as a PNG or JPEG image")
    whole = (tmp_path / "own" / "class 0").glob("*.png")
    bad.write_bytes(next(whole).read_bytes()[:60])
    assert message(tmp_path / "own").startswith(f"{bad} ")
    bad.unlink()
    (tmp_path / "own" / "empty").mkdir()
    assert message(tmp_path / "own") == f"{tmp_path / 'own' / 'empty'} holds no images (.png, .jpg, .jpeg)"
    (tmp_path / "bare").mkdir()
    assert "has no subfolders; a folder of images has one for each class" in message(tmp_path / "bare")
