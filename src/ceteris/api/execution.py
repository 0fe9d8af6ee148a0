"""Training for everybody above: the lab does it, evidence judges it, and a result comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ceteris.api.result import Result
from ceteris.lab.listener import Listener, Stop, Unheard

if TYPE_CHECKING:
    from ceteris.api.studies import Planned


@dataclass(frozen=True)
class Means:
    """Where and with what a study is trained, and who looks on."""

    runs_folder: Path
    data_folder: Path | None = None
    device: str = "auto"
    workers: int | None = None
    metrics: Mapping[str, Callable[[Any, Any], Any]] = field(default_factory=dict)
    listener: Listener = field(default_factory=Unheard)
    stop: Stop = field(default_factory=Stop)


def run_planned(planned: Planned, means: Means) -> Result:
    """Run a study and return its result. Raises ``CeterisError``."""
    from ceteris.lab.run import run_study

    run = run_study(
        planned.parsed,
        study_name=planned.name,
        runs_folder=means.runs_folder,
        data_folder=means.data_folder,
        device=means.device,
        workers=means.workers,
        dataset=planned.dataset,
        metrics=means.metrics,
        listener=means.listener,
        stop=means.stop,
    )
    return recorded_result(run, means.runs_folder)


def recorded_result(run: str, runs_folder: Path) -> Result:
    """Return what a recorded run came to. Raises ``CeterisError`` where there is none of that name."""
    from ceteris.evidence.assessment import assess
    from ceteris.records.store import Store
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
    return Result(record, assessment)
