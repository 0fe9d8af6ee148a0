"""Image files are predicted as the same pixels in an array are; what is no image of the size is told."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ceteris
from ceteris.api.result import Result
from ceteris.data import load
from ceteris.data.reduction import Reduction
from ceteris.errors import CeterisError
from tests.cli.conftest import run_command

DIGITS = load("digits")
PIXELS = (DIGITS.x * 15).astype(np.uint8)


def written(folder: Path, rows: np.ndarray, *, large: bool = False) -> list[Path]:
    """Write digits as grey images, of twice their size with ``large``; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for row in rows:
        image = Image.fromarray(PIXELS[row])
        files.append(folder / f"{row:04}.png")
        (image.resize((16, 16), Image.Resampling.NEAREST) if large else image).save(files[-1])
    return files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of images, and some that were not trained on."""
    folder = tmp_path_factory.mktemp("images")
    for label in range(2):
        rows = np.flatnonzero(DIGITS.y == label)
        written(folder / "own" / f"class {label}", rows[:40])
        written(folder / "new" / str(label), rows[40:43])
    return folder


def trained(folder: Path, **data: object) -> Result:
    experiment = ceteris.Experiment(
        data={"source": str(folder / "own"), **data},
        model="linear",
        optimizer={"kind": "adam", "lr": 0.01},
        epochs=15,
    )
    study = ceteris.vary(experiment, seeds=2)
    return ceteris.run(study, runs_dir=folder / "ceteris-runs", progress=False)


@pytest.fixture(scope="module")
def result(folder: Path) -> Result:
    return trained(folder)


def test_files_and_folders_are_predicted_as_their_pixels_are(folder: Path, result: Result) -> None:
    found = result.predict(folder / "new")
    rows = np.concatenate([np.flatnonzero(DIGITS.y == label)[40:43] for label in range(2)])
    np.testing.assert_array_equal(found.values, result.predict(PIXELS[rows]).values)
    assert found.labels == ("class 0",) * 3 + ("class 1",) * 3
    assert list(found.ids["file"]) == [
        str(folder / "new" / f"{r // 3}" / f"{rows[r]:04}.png") for r in range(6)
    ]
    one, other = found.ids["file"][[4, 0]]
    named = result.predict([one, Path(other)])
    np.testing.assert_allclose(named.values, found.values[[4, 0]], rtol=1e-5)
    np.testing.assert_allclose(result.predict(str(one)).values, found.values[[4]], rtol=1e-5)


def test_colours_become_grey_where_the_network_saw_grey(folder: Path, result: Result, tmp_path: Path) -> None:
    pixels = np.repeat(PIXELS[0][..., None], 3, axis=2)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    found = result.predict(tmp_path / "a.png")
    np.testing.assert_array_equal(found.values, result.predict(PIXELS[:1]).values)


def test_images_of_any_size_are_brought_to_that_of_the_training(folder: Path) -> None:
    result = trained(folder, resize=[4, 4])
    (file,) = written(folder / "large", np.array([0]), large=True)
    small = Reduction(resize=(4, 4)).rows(PIXELS[:1], "")
    np.testing.assert_allclose(result.predict(file).values, result.predict(small).values, rtol=1e-5)


def test_every_file_that_cannot_be_predicted_is_told(result: Result, tmp_path: Path) -> None:
    (large,) = written(tmp_path, np.array([0]), large=True)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG and no more")
    with pytest.raises(CeterisError) as caught:
        result.predict([large, tmp_path / "broken.png"])
    assert [str(problem) for problem in caught.value.problems] == [
        f"{large} is 16 x 16 pixels, and the networks were trained on images of 8 x 8; bring it to that "
        "size, or train with `data.resize: [8, 8]`, which takes any",
        f"{tmp_path / 'broken.png'} cannot be read as a PNG or JPEG image: cannot identify image file "
        f"'{tmp_path / 'broken.png'}'",
    ]
    with pytest.raises(CeterisError, match=r"and 3 more of 13 files"):
        result.predict([large] * 13)
    (tmp_path / "empty").mkdir()
    with pytest.raises(CeterisError, match=r"empty holds no images \(\.png, \.jpg, \.jpeg\)"):
        result.predict(tmp_path / "empty")


def test_rows_that_are_no_images_of_files_are_not_made_of_them(folder: Path, tmp_path: Path) -> None:
    study = ceteris.vary(ceteris.Experiment(data="digits", model="linear", epochs=1), seeds=1)
    digits = ceteris.run(study, runs_dir=tmp_path, progress=False)
    with pytest.raises(CeterisError) as caught:
        digits.predict(folder / "new")
    assert str(caught.value) == (
        "x: the networks were not trained on images of files but on rows of shape (8, 8) from 0 to 16; give "
        "such rows as an array `x` of an .npz file"
    )


def test_the_command_shows_and_writes_what_was_found(folder: Path, result: Result) -> None:
    done = run_command(folder, "predict", result.id, "new/1", "new/0/" + written_name(0))
    assert done.returncode == 0, done.stderr
    lines = [line.split("  ") for line in done.stdout.splitlines()]
    assert [line[0].strip() for line in lines[2:6]] == [
        *(f"new/1/{written_name(1, place)}" for place in range(3)),
        f"new/0/{written_name(0)}",
    ]
    text = (folder / f"{result.id}-predictions.csv").read_text(encoding="utf-8").splitlines()
    assert text[0] == "file,prediction,probability_class 0,probability_class 1"
    assert len(text) == 5
    for wrong in (["new", "table.csv"], ["a.gif"]):
        (folder / wrong[-1]).write_text("a,b\n1,2\n", encoding="utf-8")
    several = run_command(folder, "predict", result.id, "new", "table.csv")
    assert several.stderr == (
        "ROWS: `table.csv` is one of 2 files; only images are predicted several at a time\n"
    )
    assert "`a.gif` is no file with rows" in run_command(folder, "predict", result.id, "a.gif").stderr


def written_name(label: int, place: int = 0) -> str:
    return f"{np.flatnonzero(DIGITS.y == label)[40 + place]:04}.png"
