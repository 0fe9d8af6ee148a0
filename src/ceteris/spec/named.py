"""The named studies that come with Ceteris: ``<subject>/<name>`` in the folder ``studies``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from ceteris.errors import CeterisError, unknown_name


@dataclass(frozen=True, slots=True)
class NamedStudy:
    """A study that is known by name, such as ``digits/learning-rate``."""

    name: str
    path: Path
    title: str
    source: str
    seeds: int
    factors: tuple[str, ...]
    levels: int
    """How many combinations of levels, or candidates of a search, are trained with each seed."""


@lru_cache
def named_paths() -> dict[str, Path]:
    """Return the file of every named study by its name, in alphabetical order."""
    folder = Path(str(files("ceteris"))) / "studies"
    found = {path.relative_to(folder).with_suffix("").as_posix(): path for path in folder.glob("*/*.yaml")}
    return dict(sorted(found.items()))


def named_studies() -> tuple[NamedStudy, ...]:
    """Return all named studies, read and checked, in alphabetical order."""
    return tuple(_named(name, path) for name, path in named_paths().items())


def _named(name: str, path: Path) -> NamedStudy:
    from ceteris.spec.combine import coordinates_of, seed_list
    from ceteris.spec.parse import parse_study
    from ceteris.spec.space import planned

    study = parse_study(path).study
    factors = tuple(factor.name for factor in study.vary)
    levels = sum(1 for _ in coordinates_of(study.vary, study.combine))
    if study.search is not None:
        factors, levels = tuple(study.search.space), planned(study.search)
    return NamedStudy(name, path, study.title, study.source, len(seed_list(study)), factors, levels)


def find_study(name: str, *, kind: str = "named study") -> Path:
    """Return the file of a named study; ``kind`` is what the message calls what was looked for.

    Raises:
        CeterisError: with the nearest name, where there is none.
    """
    paths = named_paths()
    if name in paths:
        return paths[name]
    raise CeterisError(unknown_name(kind, name, list(paths), "ceteris studies"))
