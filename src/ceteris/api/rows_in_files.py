"""Rows to predict that lie in files: a table, an array `x`, or images."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from ceteris.errors import CeterisError, Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ceteris.data.dataset import Dataset
    from ceteris.data.reduction import Reduction

ARRAYS = ".npz"
FILE = "file"
"""The column that names the rows of image files."""


def paths_in(x: Any) -> tuple[Path, ...]:
    """Return the paths that were given in the place of rows; none where ``x`` is anything else."""
    if isinstance(x, str | PurePath):
        return (Path(x),)
    own = x if isinstance(x, list | tuple) else ()
    return tuple(map(Path, own)) if all(isinstance(item, str | PurePath) for item in own) else ()


def rows_in(
    paths: tuple[Path, ...], dataset: Dataset, reduction: Reduction, where: str = "x"
) -> tuple[Any, dict[str, NDArray[Any]]]:
    """Return the rows in files, and what names them if they are images.

    Args:
        paths: one table (.csv, .tsv, .parquet) or .npz file with an array `x`; or images and folders of them.
        dataset: what the networks were trained on.
        reduction: what is made of each of its rows.
        where: what messages call the rows.

    Raises ``CeterisError`` for files of another kind, or none.
    """
    from ceteris.data.folders import SUFFIXES
    from ceteris.data.npz import read_npz
    from ceteris.data.sources import find_file
    from ceteris.data.tables import read_table
    from ceteris.spec.data import TABLE_FILES, is_table_file

    others = [path for path in paths if not (path.is_dir() or path.suffix.lower() in SUFFIXES)]
    for path in others:
        if not is_table_file(path.name) and path.suffix != ARRAYS:
            known = ", ".join((*TABLE_FILES, ARRAYS, *SUFFIXES))
            message = f"`{path}` is no file with rows; use {known}, a folder of images, or `test`"
            raise CeterisError(Problem(message, where=where))
        if len(paths) > 1:
            message = f"`{path}` is one of {len(paths)} files; only images are predicted several at a time"
            raise CeterisError(Problem(message, where=where))
    found = [find_file(str(path), None, where) for path in paths]
    if not others:
        return _images(found, dataset, reduction, where)
    (path,) = found
    if is_table_file(path.name):
        return read_table(path, dataset.table.texts if dataset.table else ()), {}
    arrays, names = read_npz(path)
    if "x" not in arrays:
        raise CeterisError(f"{path} has no array `x`; it has {', '.join(names) or 'none at all'}")
    return arrays["x"], {}


def _images(
    paths: Iterable[Path], dataset: Dataset, reduction: Reduction, where: str
) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """Return images as rows of the data set, brought to its size if those it was trained on were."""
    import numpy as np

    from ceteris.data.folders import BYTES, read_images
    from ceteris.data.reduction import image_axes

    own = dataset.before or dataset
    if image_axes(own.shape) != (0, 1) or own.value_range != BYTES:
        limits = own.value_range or (own.x.min(), own.x.max())
        raise CeterisError(
            Problem(
                f"the networks were not trained on images of files but on rows of shape {own.shape} from "
                f"{limits[0]:g} to {limits[1]:g}; give such rows as an array `x` of an .npz file",
                where=where,
            )
        )
    at_size = reduction.resize is not None and own.shape[:2] == tuple(reduction.resize)
    files, images = read_images(paths, own.shape, resize=at_size)
    return images, {FILE: np.array([str(file) for file in files])}
