"""What everybody who reads a run's numbers has to know besides its verdicts, from the record alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ceteris.records.views import RunRecord


def run_remarks(run: RunRecord) -> tuple[str, ...]:
    """Return what a quick look left out, the study's own note, what is doubtful about the user's rows and
    networks, which levels start from given values, and which metrics never were a number."""
    from ceteris.evidence.input_scale import input_scale_notes
    from ceteris.records.views import DOUBTS, REMARK

    remark = run.facts.get(REMARK)
    note = run.study.get("note")
    return (
        *(said for said in (remark, note) if said),
        *(f"{doubt[:1].upper()}{doubt[1:].rstrip('.')}." for doubt in run.facts.get(DOUBTS, ())),
        *input_scale_notes(run.facts, run.trials),
        *_same_start(run),
        *(_no_number(name) for name in metrics_without_numbers(run)),
    )


def _same_start(run: RunRecord) -> tuple[str, ...]:
    """Say which levels start all their seeds from the same values."""
    started: dict[str, list[str]] = {}
    for trial in run.trials:
        init = trial.experiment["model"].get("init") or {}
        if init.get("kind") == "from":
            levels = started.setdefault(f"`{init['file']}` (SHA-256 {(init['content'] or '')[:12]}...)", [])
            levels += [trial.level] if trial.level not in levels else []
    return tuple(
        f"Parameters are taken from {source} at the start, the same for every seed ({', '.join(levels)}): "
        "an interval over seeds does not speak of other starts."
        for source, levels in started.items()
    )


def metrics_without_numbers(run: RunRecord) -> tuple[str, ...]:
    """Return the metrics of training or validation rows that are NaN in every epoch of every ended trial."""
    import numpy as np

    ended = [trial for trial in run.trials if trial.status == "finished"]
    names = dict.fromkeys(name for trial in ended for name in trial.curves)
    return tuple(
        name
        for name in names
        if name.startswith(("train_", "val_"))
        and all(np.isnan(trial.curves[name]).all() for trial in ended if name in trial.curves)
    )


def _no_number(name: str) -> str:
    return f"`{name}` was not a number (NaN) in any epoch of any trial, so it stands in no table."
