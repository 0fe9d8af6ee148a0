"""Which source a file or folder on this machine is."""

from __future__ import annotations

from pathlib import Path

from ceteris.data.dataset import Source
from ceteris.data.folders import FolderSource
from ceteris.data.npy_folder import NpyFolder, is_npy_folder
from ceteris.data.npz import NpzSource
from ceteris.data.table_source import table_source
from ceteris.errors import CeterisError
from ceteris.spec.data import is_table_file

KINDS = (
    "an .npz file or folder of .npy files with arrays `x` and `y`, a table (.csv, .tsv, .parquet), or a "
    "folder of images"
)


def local_source(path: Path, settings: str = "", size: tuple[int, int] | None = None) -> Source:
    """Return the source that lies at ``path``.

    ``settings`` are those of a table as JSON, or empty; ``size`` is what images are brought to as they are
    read. Raises ``CeterisError`` for a file of no kind that is read.
    """
    if is_table_file(path.name):
        return table_source(path, settings)
    if path.name.lower().endswith(".npz"):
        return NpzSource(path)
    if is_npy_folder(path):
        return NpyFolder(path)
    if path.is_dir():
        return FolderSource(path, size)
    raise CeterisError(f"{path} is of no kind that is read: {KINDS}")
