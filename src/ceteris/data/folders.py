"""Folders of images: a subfolder for each class, its name the name of the class. Needs Pillow."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ceteris.data.dataset import Rows, SourceData
from ceteris.data.download import Report
from ceteris.data.mapped import empty_rows
from ceteris.data.reduction import Reduction
from ceteris.errors import CeterisError, Problem, nearest

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG")
SUFFIXES = (".png", ".jpg", ".jpeg")
DEEP = ("I;16", "I")
"""Grey in 16 bits, by the version of Pillow."""
GREY = ("1", "L", *DEEP)
TRAIN, TEST = "train", "test"
VALIDATION = ("val", "valid", "validation")
BYTES = (0.0, 255.0)
"""Darkest and brightest value of a pixel."""
SHOWN = 10
"""So many files that cannot be predicted are told one by one."""


@dataclass(frozen=True)
class FolderSource:
    """PNG and JPEG files in one subfolder per class; satisfies ``Source``.

    Where the folder has a subfolder `train`, the classes are in there, and those of `test` hold test rows.
    """

    path: Path
    size: tuple[int, int] | None = None
    """Height and width that images are brought to as they are read; else all must be of one size."""

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def description(self) -> str:
        """One line for the list of sources."""
        return "images of your own"

    def place(self, folder: Path | None) -> str | None:
        """Return the folder's path, or None if it is not there."""
        return str(self.path) if self.path.is_dir() else None

    def read(self, folder: Path | None, report: Report | None) -> SourceData:
        """Return all images: (N, height, width) where all are grey, else (N, height, width, 3), bytes.

        With ``size``, floats. Raises CeterisError naming a file that is no image or of another size.
        """
        apart = (self.path / TRAIN).is_dir()
        files = _files_by_class(self.path / TRAIN if apart else self.path)
        if apart:
            _refuse_validation(self.path)
        test = _files_by_class(self.path / TEST) if apart and (self.path / TEST).is_dir() else {}
        _check_classes(self.path, tuple(test), tuple(files))
        grey = all(_is_grey(file) for own in (*files.values(), *test.values()) for file in own)
        classes = tuple(files)
        train_rows = self._rows(files, classes, grey)
        test_rows = self._rows(test, classes, grey) if test else None
        if test_rows is not None and test_rows.x.shape[1:] != train_rows.x.shape[1:]:
            raise CeterisError(
                f"{self.path}: images in `{TRAIN}` have shape {train_rows.x.shape[1:]} and those in `{TEST}` "
                f"{test_rows.x.shape[1:]}; give `data.resize: [height, width]`"
            )
        return SourceData(
            name=self.name,
            task="classification",
            train=train_rows,
            test=test_rows,
            classes=classes,
            value_range=BYTES,
            origin=str(self.path),
        )

    def _rows(self, files: dict[str, list[Path]], classes: Sequence[str], grey: bool) -> Rows:
        chosen = [(file, classes.index(name)) for name, own in files.items() for file in own]
        images: NDArray[Any] | None = None
        for number, (file, _) in enumerate(chosen):
            image = _pixels(file, grey, self.size)
            if images is None:
                images = empty_rows((len(chosen), *image.shape), image.dtype)
            if image.shape != images.shape[1:]:
                raise CeterisError(
                    f"{file} is {_extent(image)} pixels and {chosen[0][0]} {_extent(images[0])}: images of "
                    "one size are needed, or `data.resize: [height, width]`, which brings them to one"
                )
            images[number] = image
        return Rows(np.asarray(images), np.array([label for _, label in chosen], dtype=np.int64))


def read_images(
    paths: Iterable[Path], shape: tuple[int, ...], *, resize: bool
) -> tuple[list[Path], NDArray[Any]]:
    """Return image files and their rows (N, *shape), grey or coloured as ``shape`` is.

    Args:
        paths: files, and folders of which all images count, those of subfolders too.
        shape: height and width, and 3 for colours.
        resize: whether images of another size are brought to this one.

    Raises ``CeterisError`` that names every file that is no image, or of another size.
    """
    files = [file for path in paths for file in (_images_below(path) if path.is_dir() else [path])]
    images = empty_rows((len(files), *shape), np.float32 if resize else np.uint8)
    height, width = shape[:2]
    problems: list[Problem] = []
    for number, file in enumerate(files):
        try:
            image = _pixels(file, shape[2:] != (3,), (height, width) if resize else None)
        except CeterisError as error:
            problems += error.problems
            continue
        if image.shape[:2] == (height, width):
            images[number] = image.reshape(shape)
            continue
        problems.append(
            Problem(
                f"{file} is {_extent(image)} pixels, and the networks were trained on images of {height} x "
                f"{width}; bring it to that size, or train with `data.resize: [{height}, {width}]`, which "
                "takes any"
            )
        )
    if problems:
        more = len(problems) - SHOWN
        rest = [Problem(f"and {more:,} more of {len(files):,} files")] if more > 0 else []
        raise CeterisError([*problems[:SHOWN], *rest])
    return files, images


def _images_below(folder: Path) -> list[Path]:
    found = sorted(file for file in folder.rglob("*") if _is_image(file) and file.is_file())
    if not found:
        raise CeterisError(f"{folder} holds no images ({', '.join(SUFFIXES)})")
    return found


def _files_by_class(folder: Path) -> dict[str, list[Path]]:
    """Return the image files of each class, in the order of names; nothing is opened."""
    try:
        inside = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
        found = {path.name: [file for file in sorted(path.iterdir()) if _is_image(file)] for path in inside}
    except OSError as error:
        raise CeterisError(f"{folder} cannot be read: {error.strerror or error}") from error
    if not found:
        raise CeterisError(f"{folder} has no subfolders; a folder of images has one for each class")
    empty = [name for name, files in found.items() if not files]
    if empty:
        raise CeterisError(f"{folder / empty[0]} holds no images ({', '.join(SUFFIXES)})")
    return found


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".")


def _refuse_validation(path: Path) -> None:
    found = [name for name in VALIDATION if (path / name).is_dir()]
    if found:
        raise CeterisError(
            f"{path / found[0]}: validation rows are drawn from the training rows; move its images into "
            f"`{TRAIN}`, and set `validation` to as many"
        )


def _check_classes(path: Path, found: Sequence[str], known: Sequence[str]) -> None:
    for name in found:
        if name not in known:
            guess = nearest(name, known)
            hint = f"; did you mean `{guess}`?" if guess else ""
            raise CeterisError(f"{path / TEST / name}: there is no class `{name}` in `{TRAIN}`{hint}")


def _open(file: Path) -> Image:
    try:
        from PIL import Image as Images
    except ModuleNotFoundError as error:
        raise CeterisError("reading images needs Pillow: pip install 'ceteris[images]'") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Images.DecompressionBombWarning)  # a few bytes, many pixels
            return Images.open(file, formats=FORMATS)
    except Exception as error:  # Pillow has a dozen types of error for damaged files
        raise CeterisError(f"{file} cannot be read as a PNG or JPEG image: {error}") from error


def _is_grey(file: Path) -> bool:
    with _open(file) as image:
        return image.mode in GREY


def _pixels(file: Path, grey: bool, size: tuple[int, int] | None) -> NDArray[Any]:
    """Return an image upright, as its camera says, in bytes; with ``size`` in floats, brought to it.

    Transparency is left out. Of 16 bits the upper 8 are kept, as Pillow does in colour; in grey it would cut
    what is above 255.
    """
    with _open(file) as image:
        from PIL import Image as Images
        from PIL import ImageOps

        try:
            upright = ImageOps.exif_transpose(image)
            if upright.mode in DEEP:
                upright = Images.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
            found = np.array(upright.convert("L" if grey else "RGB"), dtype=np.uint8)
        except Exception as error:  # as in _open
            raise CeterisError(f"{file} is damaged: {error}") from error
    return found if size is None else Reduction(resize=size).rows(found[None], str(file))[0]


def _extent(image: NDArray[Any]) -> str:
    return f"{image.shape[0]} x {image.shape[1]}"
