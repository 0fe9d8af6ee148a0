"""Ceteris: controlled experiments on how neural networks train, all else being equal.

``ceteris.run("digits/learning-rate")`` runs a named study; ``ceteris.vary`` makes one of your own. The
names below are imported when they are first used, so that ``import ceteris`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ceteris.api.experiment import Experiment
    from ceteris.api.metrics import metric
    from ceteris.api.result import Result
    from ceteris.api.runs import extend, list_runs, load_run, resume, run, search
    from ceteris.api.studies import vary
    from ceteris.errors import CeterisError
    from ceteris.spec.claim import Claim
    from ceteris.spec.study import Study

_HOMES = {
    "CeterisError": "ceteris.errors",
    "Claim": "ceteris.spec.claim",
    "Experiment": "ceteris.api.experiment",
    "Result": "ceteris.api.result",
    "Study": "ceteris.spec.study",
    "extend": "ceteris.api.runs",
    "list_runs": "ceteris.api.runs",
    "load_run": "ceteris.api.runs",
    "metric": "ceteris.api.metrics",
    "resume": "ceteris.api.runs",
    "run": "ceteris.api.runs",
    "search": "ceteris.api.runs",
    "vary": "ceteris.api.studies",
}

__all__ = [
    "CeterisError",
    "Claim",
    "Experiment",
    "Result",
    "Study",
    "extend",
    "list_runs",
    "load_run",
    "metric",
    "resume",
    "run",
    "search",
    "vary",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("ceteris")
    if name == "data":  # `ceteris.data.arrays`, which needs no import of its own
        return import_module("ceteris.data")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
