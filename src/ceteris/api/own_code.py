"""Code of the user's own that was given to the runs of this Python process, so that they go on with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ceteris.api.code_folder import look_in
from ceteris.errors import CeterisError

if TYPE_CHECKING:
    from ceteris.records.views import RunRecord


@dataclass(frozen=True)
class OwnCode:
    """Functions and classes by the names that a study has for them."""

    metrics: Mapping[str, Callable[[Any, Any], Any]] = field(default_factory=dict)
    modules: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """What makes networks, or starts them."""

    def under(self, other: OwnCode) -> OwnCode:
        """Return this code with what was given besides, which replaces what has the same name."""
        return OwnCode({**self.metrics, **other.metrics}, {**self.modules, **other.modules})


def referenced(run: RunRecord, *, allow_code: bool) -> OwnCode:
    """Import what a record names as ``package.module:Name``, where its user allows code (law 10).

    It is looked for beside the study's file, or in the current folder where the run has none. Metrics go by
    the names that they are recorded by. Raises ``CeterisError`` where something is not to be had.
    """
    if not allow_code:
        return OwnCode()
    from ceteris.lab import own_metrics, own_modules
    from ceteris.spec.experiment import Experiment, metric_name

    study = Path(run.study_name).expanduser()
    look_in(study.parent if study.is_file() else Path())
    experiments = [Experiment.model_validate(dict(trial.experiment)) for trial in run.trials]
    measured = dict.fromkeys(name for own in experiments for name in own.metrics if ":" in name)
    metrics = own_metrics.load(b"", tuple(measured))
    modules = own_modules.load(b"", own_modules.references(experiments))
    if problems := [*metrics.problems, *modules.problems]:
        raise CeterisError(problems)
    return OwnCode({metric_name(name): own for name, own in metrics.metrics.items()}, modules.factories)


_OF_RUNS: dict[Path, OwnCode] = {}
"""Folder of a run -> what it was given; a record keeps no code (law 10)."""


def remember_code(folder: Path, code: OwnCode) -> None:
    """Keep what a run was given for as long as this process lives."""
    _OF_RUNS[folder.resolve()] = recalled(folder).under(code)


def recalled(folder: Path) -> OwnCode:
    """Return what a run was given in this process; nothing where another one began it."""
    return _OF_RUNS.get(folder.resolve(), OwnCode())
