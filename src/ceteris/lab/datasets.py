"""Where a study's rows come from, and how rows in memory become a file that its record repeats from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ceteris.data.dataset import Dataset
from ceteris.data.download import Report
from ceteris.data.npz import save_arrays
from ceteris.data.reduction import split_reading
from ceteris.data.sources import NAMED_SOURCES, load
from ceteris.errors import CeterisError
from ceteris.spec.addresses import is_url
from ceteris.spec.combine import Combination
from ceteris.spec.data import FRAME, PARAMETERS, DataSpec, split_parameters
from ceteris.spec.study import Study

IN_MEMORY = "arrays"
"""What an experiment calls rows that are only in memory."""
FOLDER = "data"
"""The subfolder of the records that rows in memory are written to."""


@dataclass(frozen=True)
class LoadedData:
    """The data sets of a study by source, and the sources that could not be read, with their errors."""

    datasets: Mapping[str, Dataset]
    errors: Mapping[str, CeterisError]


@dataclass(frozen=True)
class DataPlaces:
    """Where a worker finds what an experiment reads."""

    folder: Path | None = None
    """Where the user's data files are looked for first."""
    moved: Mapping[str, str] = field(default_factory=dict)
    """Recorded source -> where it lies now, where that differs."""
    initial: Path | None = None
    """The folder of the records, where initial values are kept (``initial_values``)."""

    def of(self, source: str) -> str:
        """Return the source to load."""
        return self.moved.get(source, source)


def load_sources(
    sources: Sequence[str],
    folder: Path | None,
    given: Dataset | None = None,
    report: Report | None = None,
) -> LoadedData:
    """Load each source once; ``given`` is what ``arrays`` (and its own name) stands for."""
    datasets: dict[str, Dataset] = {}
    errors: dict[str, CeterisError] = {}
    for source in dict.fromkeys(sources):
        base, reduction = split_reading(source)
        try:
            if given is not None and base in (IN_MEMORY, FRAME, given.name):
                datasets[source] = reduction.of_dataset(given)
                continue
            datasets[source] = load(source, folder, report=report)
        except CeterisError as error:
            errors[source] = error
    return LoadedData(datasets, errors)


def is_named(source: str) -> bool:
    """Tell whether a source (`DataSpec.reading`) is known by its name, wherever its files are."""
    name, _ = _places(source)
    return any(named.name == name for named in NAMED_SOURCES)


def keep_arrays(dataset: Dataset, runs_folder: Path) -> str:
    """Write rows that are only in memory beside the records, once, and return the file as a source.

    Raises CeterisError where the folder cannot be written to.
    """
    path = runs_folder.expanduser().absolute() / FOLDER / f"{dataset.content}.npz"
    if not path.exists():
        save_arrays(dataset, path)
    return str(path)


def lasting_source(source: str, dataset: Dataset, runs_folder: Path) -> str:
    """Return the source as a record keeps it: a name, or a path that holds from every folder."""
    base, reduction = split_reading(source)
    if dataset.origin == "memory":
        return keep_arrays(dataset.before or dataset, runs_folder) + reduction.text
    if is_named(source):
        return source
    path, text = split_parameters(base)
    settings = json.loads(text) if text else {}
    if "test" in settings:
        settings["test"] = _lasting_place(settings["test"], dataset.test_origin)
    own = PARAMETERS + json.dumps(settings, sort_keys=True) if settings else ""
    return _lasting_place(path, dataset.origin) + own + reduction.text


def _lasting_place(path: str, found: str) -> str:
    """Return an address as it is, and of a file the whole path at which it was found."""
    return path if is_url(path) else str(Path(found or path).expanduser().absolute())


def found_again(source: str, runs_folder: Path) -> str:
    """Return a recorded source as it can be read now: also where the records have moved to another folder."""
    base, reduction = split_reading(source)
    kept = runs_folder.expanduser().absolute() / FOLDER / Path(base).name
    if is_named(source) or is_url(source) or Path(base).exists() or not kept.exists():
        return source
    return str(kept) + reduction.text


def rename_sources(study: Study, names: Mapping[str, str], contents: Mapping[str, str]) -> Study:
    """Return the study with its sources under their lasting names, and the base's content hash filled in.

    The hash is left out where levels read other data than the base.
    """
    data = study.experiment.data
    content = contents.get(data.reading) if len(contents) == 1 else None
    own = {**_lasting(data, names), "content": content}
    pairs = [zip(_places(source), _places(name), strict=True) for source, name in names.items()]
    places = {given: lasting for pair in pairs for given, lasting in pair}
    experiment = study.experiment.model_copy(update={"data": data.model_copy(update=own)})
    factors = tuple(
        factor.model_copy(
            update={
                "levels": tuple(
                    level.model_copy(update={"patch": _renamed(level.patch, places)})
                    for level in factor.levels
                )
            }
        )
        for factor in study.vary
    )
    return study.model_copy(update={"experiment": experiment, "vary": factors})


def _lasting(data: DataSpec, names: Mapping[str, str]) -> dict[str, str | None]:
    """Return the lasting names of what is read; a source with parameters is known by its name already."""
    if data.parameters or data.reading not in names:
        return {"source": data.source, "test": data.test}
    source, test = _places(names[data.reading])
    return {"source": source, "test": test or None}


def _places(reading: str) -> tuple[str, str]:
    """Return a source without its settings, and the file with its test rows; empty where there is none."""
    source, settings = split_parameters(split_reading(reading)[0])
    return source, json.loads(settings).get("test", "") if settings else ""


def _renamed(patch: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    changed = dict(patch)
    for path in ("data", "data.source", "data.test"):
        value = changed.get(path)
        if isinstance(value, str):
            changed[path] = names.get(value, value)
        elif isinstance(value, dict):
            own = {name: names[value[name]] for name in ("source", "test") if value.get(name) in names}
            changed[path] = value | own
    return changed


def rename_combination(
    combination: Combination, names: Mapping[str, str], contents: Mapping[str, str]
) -> Combination:
    """Return a combination whose experiment has the lasting name and the content hash of its data."""
    data = combination.experiment.data
    own = {**_lasting(data, names), "content": contents[data.reading]}
    experiment = combination.experiment.model_copy(update={"data": data.model_copy(update=own)})
    return Combination(combination.label, combination.coordinates, experiment)
