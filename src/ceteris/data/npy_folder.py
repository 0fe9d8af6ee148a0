"""Arrays of the user's own in `.npy` files, mapped rather than read: sets that need not fit into memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ceteris.data.dataset import SourceData
from ceteris.data.download import Report
from ceteris.data.user_arrays import source_data
from ceteris.errors import CeterisError

INPUTS = ("x", "x_test")
OTHERS = ("y", "y_test", "classes")


def is_npy_folder(path: Path) -> bool:
    """Tell whether a folder holds arrays: an `x.npy` or `X.npy`."""
    return path.is_dir() and _file(path, "x") is not None


@dataclass(frozen=True)
class NpyFolder:
    """A folder with `x.npy` and `y.npy` and, if wanted, `x_test.npy`, `y_test.npy`, `classes.npy`.

    Satisfies ``Source``. Inputs are mapped; targets are read. Names may begin with a capital.
    """

    path: Path

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def description(self) -> str:
        """One line for the list of sources."""
        return "arrays of your own"

    def place(self, folder: Path | None) -> str | None:
        """Return the folder's path, or None if it is not there."""
        return str(self.path) if self.path.is_dir() else None

    def read(self, folder: Path | None, report: Report | None) -> SourceData:
        """Return all rows, checked; inputs stay on disk. Raises ``CeterisError``."""
        given: dict[str, Any] = {}
        for name in (*INPUTS, *OTHERS):
            file = _file(self.path, name)
            if file is not None:
                given[name] = read_npy(file, mapped=name in INPUTS)
        return source_data(given, self.name, origin=str(self.path), names=list(given))


def read_npy(path: Path, *, mapped: bool) -> Any:
    """Return the array of an `.npy` file, mapped or read; nothing is unpickled. Raises ``CeterisError``."""
    try:
        return np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        told = (
            "it holds Python objects, which are not loaded because they can run code; save numbers or text"
            if "pickle" in str(error) or "object" in str(error).lower()
            else f"it is no .npy file, or a damaged one: {error}"
        )
        raise CeterisError(f"{path}: {told}") from error


def _file(folder: Path, name: str) -> Path | None:
    for spelt in (name, name.capitalize()):
        if (folder / f"{spelt}.npy").is_file():
            return folder / f"{spelt}.npy"
    return None
