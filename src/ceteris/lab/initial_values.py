"""Initial values from files of the user's: read as data, known by their content, kept beside the records."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from ceteris.errors import CeterisError
from ceteris.nets.given import Values
from ceteris.records.folders import explained_disk, write_whole
from ceteris.spec.experiment import Experiment
from ceteris.spec.init import FileInit

FOLDER = "initial"
"""The subfolder of the records that initial values are kept in."""

Read = Mapping[str, Values | CeterisError]
"""File as an experiment names it -> its values, or why they cannot be read."""


def file_init(experiment: Experiment) -> FileInit | None:
    """Return where an experiment takes initial values from; None where it draws them."""
    init = experiment.model.init
    return init if isinstance(init, FileInit) else None


def read_values(path: Path) -> Values:
    """Return the arrays of a safetensors file by name. Raises CeterisError."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise CeterisError(f"there is no file `{path}`")
    try:
        # Through torch, since NumPy lacks bfloat16.
        found = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise CeterisError(f"`{path}` is no safetensors file ({error})") from error
    if not found:
        raise CeterisError(f"`{path}` holds no values")
    return {name: (t.float() if t.is_floating_point() else t).numpy() for name, t in found.items()}


def read_all(experiments: Iterable[Experiment], runs_folder: Path) -> Read:
    """Read every file that experiments name, once; a record's values are those that were kept (law 9)."""
    found: dict[str, Values | CeterisError] = {}
    for init in filter(None, map(file_init, experiments)):
        if init.file not in found:
            try:
                found[init.file] = _read(init, runs_folder)
            except CeterisError as error:
                found[init.file] = error
    return found


def _read(init: FileInit, runs_folder: Path) -> Values:
    if init.content is not None and kept_at(runs_folder, init.content).is_file():
        return kept_values(runs_folder, init.content)
    values = read_values(Path(init.file).expanduser())
    if init.content not in (None, content_of(values)):
        raise CeterisError(f"`{init.file}` no longer holds the values that the record was made with")
    return values


def content_of(values: Values) -> str:
    """Return the SHA-256 of names, shapes, types and bytes."""
    digest = hashlib.sha256()
    for name, array in sorted(values.items()):
        digest.update(f"{name}|{array.shape}|{array.dtype.str}|".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def keep_values(values: Values, runs_folder: Path) -> tuple[Path, str]:
    """Write values beside the records, once, so that a record repeats; return the file and its content hash.

    Raises CeterisError where the folder cannot be written to.
    """
    from safetensors.numpy import save

    content = content_of(values)
    path = kept_at(runs_folder, content)
    if not path.exists():
        with explained_disk(path.parent, "the initial values could not be written"):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, save({name: np.array(array, order="C") for name, array in values.items()}))
    return path, content


def kept_at(runs_folder: Path, content: str) -> Path:
    """Return where values of a content hash are kept."""
    return runs_folder.expanduser().absolute() / FOLDER / f"{content}.safetensors"


def kept_values(runs_folder: Path, content: str) -> Values:
    """Return values that were kept. Raises CeterisError where they are gone or are not the same (law 9)."""
    path = kept_at(runs_folder, content)
    values = read_values(path)
    if content_of(values) != content:
        raise CeterisError(f"`{path}` does not hold the initial values that the record was made with")
    return values


def with_content(experiment: Experiment, read: Read, runs_folder: Path) -> Experiment:
    """Return the experiment with the content hash of its initial values, which are kept for its record."""
    init = file_init(experiment)
    if init is None:
        return experiment
    values = read[init.file]
    if isinstance(values, CeterisError):
        raise values
    _, content = keep_values(values, runs_folder)
    update = {"init": init.model_copy(update={"content": content})}
    return experiment.model_copy(update={"model": experiment.model.model_copy(update=update)})
