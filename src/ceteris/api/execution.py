"""Training for everybody above: the lab does it, evidence judges it, and a result comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ceteris.api.code_folder import look_beside
from ceteris.api.own_code import OwnCode, recalled, remember_code
from ceteris.api.result import Result
from ceteris.errors import CeterisError, Problem
from ceteris.lab.listener import Listener, Stop, Unheard

if TYPE_CHECKING:
    from ceteris.api.studies import Planned
    from ceteris.lab.aa import AAResult


@dataclass(frozen=True)
class Means:
    """Where and with what a study is trained, and who looks on."""

    runs_folder: Path
    data_folder: Path | None = None
    device: str | None = None
    """None: ``auto`` for a new run, the recorded device for one that goes on."""
    deterministic: bool = False
    """Whether a device takes only kernels that give the same bits every time; a run that goes on knows."""
    workers: int | None = None
    metrics: Mapping[str, Callable[[Any, Any], Any]] = field(default_factory=dict)
    modules: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """What makes networks of the user's own, by name."""
    listener: Listener = field(default_factory=Unheard)
    stop: Stop = field(default_factory=Stop)

    def __post_init__(self) -> None:
        number = isinstance(self.workers, int | None) and not isinstance(self.workers, bool)
        if not number or (self.workers is not None and self.workers < 1):
            message = f"{self.workers!r} is not a number of processes; it must be at least 1"
            raise CeterisError(Problem(message, where="workers"))
        if not isinstance(self.device, str | None):
            message = (
                f"a value of type {type(self.device).__name__} is no device; give `cpu`, `cuda` or `auto`"
            )
            raise CeterisError(Problem(message, where="device"))


@dataclass(frozen=True)
class Permissions:
    """What a user has to allow before a record may ask for it."""

    code: bool = False
    """Import the record's references to the user's own code."""
    other_numerics: bool = False
    """Go on although new trials get other last bits than the record would have got."""


def run_planned(planned: Planned, means: Means) -> Result:
    """Run a study and return its result. Raises ``CeterisError``."""
    from ceteris.lab.run import run_study

    run = run_study(
        planned.parsed, remark=planned.remark, changed=planned.changed, **_beginning(planned, means)
    )
    return _with_code(recorded_result(run, means.runs_folder), means)


def repeat_planned(planned: Planned, repetitions: int, metric: str | None, means: Means) -> AAResult:
    """Repeat a study with a factor that does nothing. Raises ``CeterisError``."""
    from ceteris.lab.aa import aa_study

    return aa_study(planned.parsed, repetitions=repetitions, metric=metric, **_beginning(planned, means))


def _beginning(planned: Planned, means: Means) -> dict[str, Any]:
    return {
        "study_name": planned.name,
        "runs_folder": means.runs_folder,
        "data_folder": means.data_folder,
        "device": means.device or "auto",
        "deterministic": means.deterministic,
        "workers": means.workers,
        "dataset": planned.dataset,
        "metrics": means.metrics,
        "modules": means.modules,
        "listener": means.listener,
        "stop": means.stop,
    }


def resume_recorded(run: str, means: Means, permissions: Permissions) -> Result:
    """Finish what is missing of a run and return its result. Raises ``CeterisError``."""
    from ceteris.lab.resume import resume_run

    means = _as_begun(run, means, permissions)
    found = recorded_result(resume_run(run, **_going_on(means, permissions)), means.runs_folder)
    return _with_code(found, means)


def extend_recorded(run: str, seeds: int, means: Means, permissions: Permissions) -> Result:
    """Add seeds to a run until it has ``seeds`` in all and return its result. Raises ``CeterisError``."""
    from ceteris.lab.resume import extend_run

    means = _as_begun(run, means, permissions)
    found = recorded_result(extend_run(run, seeds, **_going_on(means, permissions)), means.runs_folder)
    return _with_code(found, means)


def _as_begun(run: str, means: Means, permissions: Permissions) -> Means:
    """Find code of the user's where the study's file lies, and what this process gave when the run began."""
    from ceteris.records.store import Store

    with Store(means.runs_folder, create=False) as store:
        record = store.load_run(run)
    look_beside(record.study_name, allow_code=permissions.code)
    code = recalled(record.folder).under(OwnCode(means.metrics, means.modules))
    return replace(means, metrics=code.metrics, modules=code.modules)


def _with_code(result: Result, means: Means) -> Result:
    remember_code(result.run.folder, OwnCode(means.metrics, means.modules))
    return result


def _going_on(means: Means, permissions: Permissions) -> dict[str, Any]:
    return {
        "runs_folder": means.runs_folder,
        "data_folder": means.data_folder,
        "device": means.device,
        "workers": means.workers,
        "metrics": means.metrics,
        "modules": means.modules,
        "allow_code": permissions.code,
        "allow_other_numerics": permissions.other_numerics,
        "listener": means.listener,
        "stop": means.stop,
    }


def recorded_result(run: str, runs_folder: Path) -> Result:
    """Return what a recorded run came to. Raises ``CeterisError`` where there is none of that name."""
    from ceteris.api.remarks import run_remarks
    from ceteris.evidence.assessment import assess
    from ceteris.evidence.constants import constant_notes
    from ceteris.records.store import Store
    from ceteris.records.views import CONSTANT, REMARK
    from ceteris.spec.dump import study_from_dict

    with Store(runs_folder, create=False) as store:
        record = store.load_run(run)
    assessment = assess(
        study_from_dict(record.study),
        record.trials,
        validation_rows=record.facts.get("validation_rows"),
        looks=record.looks,
        first_seeds=record.first_seeds,
    )
    if record.facts.get(REMARK):  # a quick look: what it says is not the study's answer
        verdicts = tuple(replace(verdict, provisional=True) for verdict in assessment.verdicts)
        assessment = replace(assessment, verdicts=verdicts)
    constants = constant_notes(record.facts.get(CONSTANT) or {}, assessment.levels)
    notes = (*run_remarks(record), *assessment.notes, *constants)
    return Result(record, replace(assessment, notes=notes))
