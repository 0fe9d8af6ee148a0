"""``ceteris doctor`` and ``ceteris version``: what this installation and this machine are."""

from __future__ import annotations

import platform
from dataclasses import asdict
from typing import Annotated, Any

from cyclopts import Parameter

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


SelfTest = Annotated[
    bool, Parameter(help="Train a small network on every device, compare the results, and time them.")
]


def doctor(
    *,
    self_test: SelfTest = True,
    data_dir: DataDir = None,
    runs_dir: RunsDir = None,
    as_json: AsJson = False,
) -> int:
    """Print versions, devices, numerics, and where data and records live; test every device."""
    from ceteris.cli.exits import FINISHED, UNEXPECTED
    from ceteris.cli.machine import devices, probe

    machine = probe()
    tested = devices(self_test=self_test and machine.problem is None)
    report = {
        "versions": _versions(),
        "machine": asdict(machine),
        "devices": tested,
        "data": _data(data_dir),
        "records": _records(runs_dir),
    }
    if as_json:
        print_json(report)
    else:
        _print(report)
    failed = machine.problem is not None or any(device["problem"] for device in tested)
    return UNEXPECTED if failed else FINISHED


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
        **_device_lines(report["devices"]),
        **numerics,
        "training process": machine["problem"] or f"starts in {machine['start_seconds']:.1f} s",
        "data folders": ", ".join([*data["folders"], data["cache"]]),
        **sources,
        "records": records["folder"] + ("" if records["exists"] else " (none yet)"),
    }
    show(facts_table(lines))


def _device_lines(devices: list[dict[str, Any]]) -> dict[str, str]:
    """Return a line for every way to train: whether it agrees with another implementation, and its speed."""
    lines = {}
    for found in devices:
        workers = "1 worker" if found["workers"] == 1 else f"{found['workers']} workers"
        if found["problem"] is not None:
            words = f"FAILED: {found['problem']}"
        elif found["speed"] is None:
            words = "there"
        else:
            words = (
                f"agrees with {found['reference']} to {found['difference']:.0e}, "
                f"{found['speed']:,.0f} epochs of a small network in a second"
            )
        lines[f"test: {found['name']}, {workers}"] = words
    return lines


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {item}" for name, item in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)
