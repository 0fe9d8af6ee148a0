"""What qualifies the numbers of a report: diverged trials, unfinished ones, looking twice, the test rows."""

from __future__ import annotations

from ceteris.evidence.assessment import Assessment
from ceteris.evidence.summaries import LevelEvidence
from ceteris.records.views import REMARK, RunRecord
from ceteris.report.claims import sentence
from ceteris.report.numbers import counted, plain

TEST_ROWS = "The test rows took no part: they were neither trained on, nor selected by, nor looked at here."
TEST_ROWS_READ = (
    "The test rows took no part in training or choosing; they were read for the final assessment alone."
)


def warnings(run: RunRecord, assessment: Assessment) -> tuple[str, ...]:
    """Say what a reader must not miss, at the head of the page."""
    found = [run.facts[REMARK]] if run.facts.get(REMARK) else []
    if assessment.provisional:
        state = "is still running" if run.status == "running" else "stopped before its end"
        found.append(
            f"Provisional: this run {state}; numbers and verdicts are those of the trials that ended."
        )
    lost = sum(trial.status == "diverged" for trial in run.trials)
    if lost:
        found.append(
            f"{lost:,} of {counted(len(run.trials), 'trial')} diverged. Means are over those that finished; "
            "in comparisons a diverged trial counts as the worst."
        )
    return tuple(found)


def notes(run: RunRecord, assessment: Assessment, *, thinned: bool) -> tuple[str, ...]:
    """Collect everything else that qualifies the numbers, one sentence each."""
    found = [note for level in assessment.levels for note in _level_notes(level)]
    found += map(sentence, assessment.notes)
    found += _sampling(assessment)
    if assessment.looks:
        found.append(
            f"This run first had {counted(run.first_seeds, 'seed')}; it was extended after its verdicts "
            "had been seen."
        )
    if thinned:
        found.append(
            "The charts leave out some epochs or seeds to keep this page small; the tables use all of them."
        )
    return (*dict.fromkeys(found), TEST_ROWS if run.final_test is None else TEST_ROWS_READ)


def _level_notes(level: LevelEvidence) -> list[str]:
    found = [sentence(f"{level.level}: {level.note}")] if level.note else []
    steps = [f"{step:,}" for step in level.diverged_steps if step is not None]
    if steps:
        place = f"step {steps[0]}" if len(steps) == 1 else f"steps {', '.join(steps)}"
        found.append(f"{level.level}: diverged at optimisation {place}, counted from 0.")
    return found


def _sampling(assessment: Assessment) -> list[str]:
    metrics = [
        level.metrics["val_accuracy"].last for level in assessment.levels if "val_accuracy" in level.metrics
    ]
    errors = [summary.sampling_error for summary in metrics if summary.sampling_error is not None]
    if not errors:
        return []
    return [
        "The validation rows are themselves a sample: for that alone, an accuracy has a standard error of "
        f"up to {plain(max(errors), 2)}. The levels of a seed share those rows, so most of it cancels from "
        "differences."
    ]
