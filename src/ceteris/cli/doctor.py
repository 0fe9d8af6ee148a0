"""``ceteris doctor`` and ``ceteris version``: what this installation and this machine are."""

from __future__ import annotations

import platform
from dataclasses import asdict
from typing import Any

from ceteris.cli.options import AsJson, DataDir, RunsDir
from ceteris.cli.screen import facts_table, print_json, show

LIBRARIES = (
    "torch",
    "numpy",
    "scipy",
    "numba",
    "scikit-learn",
    "pandas",
    "pydantic",
    "cyclopts",
    "sqlalchemy",
)


def version_line() -> str:
    """Return the version of Ceteris alone."""
    from importlib.metadata import version as version_of

    return version_of("ceteris")


def version(*, as_json: AsJson = False) -> None:
    """Print the version."""
    if as_json:
        print_json({"ceteris": version_line(), "python": platform.python_version()})
    else:
        print(f"ceteris {version_line()}")


def doctor(*, data_dir: DataDir = None, runs_dir: RunsDir = None, as_json: AsJson = False) -> int:
    """Print versions, devices, numerics, and where data and records live; try a training process."""
    from ceteris.cli.exits import FINISHED, UNEXPECTED
    from ceteris.cli.machine import probe

    machine = probe()
    report = {
        "versions": _versions(),
        "machine": asdict(machine),
        "data": _data(data_dir),
        "records": _records(runs_dir),
    }
    if as_json:
        print_json(report)
    else:
        _print(report)
    return FINISHED if machine.problem is None else UNEXPECTED


def _versions() -> dict[str, str]:
    from importlib.metadata import version as version_of

    libraries = {name: version_of(name) for name in LIBRARIES}
    return {"ceteris": version_line(), "python": platform.python_version(), **libraries}


def _data(data_dir: Any) -> dict[str, Any]:
    from ceteris.data import list_sources
    from ceteris.data.places import cache_folder, user_folders

    return {
        "folders": [str(folder) for folder in user_folders(data_dir)],
        "cache": str(cache_folder("")),
        "sources": {source.name: source.place for source in list_sources(data_dir)},
    }


def _records(runs_dir: Any) -> dict[str, Any]:
    from ceteris.records.database import DATABASE_NAME
    from ceteris.records.store import records_folder

    folder = records_folder(runs_dir).absolute()
    return {"folder": str(folder), "exists": (folder / DATABASE_NAME).is_file()}


def _print(report: dict[str, Any]) -> None:
    machine, data, records = report["machine"], report["data"], report["records"]
    numerics = {f"numerics: {name}": _words(value) for name, value in machine["numerics"].items()}
    sources = {f"data: {name}": place or "not here" for name, place in data["sources"].items()}
    lines = {
        **report["versions"],
        "system": machine["system"],
        "processor": f"{machine['processor']}, {machine['cores']} cores to use",
        "memory": f"{machine['free_bytes'] / 2**30:.1f} GiB to use",
        "device": machine["device"] or "none",
        **numerics,
        "training process": machine["problem"] or f"starts in {machine['start_seconds']:.1f} s",
        "data folders": ", ".join([*data["folders"], data["cache"]]),
        **sources,
        "records": records["folder"] + ("" if records["exists"] else " (none yet)"),
    }
    show(facts_table(lines))


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {item}" for name, item in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)
