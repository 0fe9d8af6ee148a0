"""The answer of a study in one sentence, and what kept everything else equal."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from ceteris.evidence.assessment import Assessment
from ceteris.evidence.observations import Unit
from ceteris.evidence.quantities import metric_words
from ceteris.evidence.summaries import LevelEvidence
from ceteris.records.views import RunRecord
from ceteris.report.claims import sentence, tally
from ceteris.report.numbers import with_interval
from ceteris.report.titles import ordered


def answer(assessment: Assessment) -> str:
    """Say in one sentence how the levels ended and what became of the claims."""
    parts = [part for part in (_ending(assessment), tally(assessment)) if part]
    return sentence("; ".join(parts))


def main_metric(assessment: Assessment) -> str | None:
    """Return the metric that a reader looks at first: validation accuracy, else loss, else what there is."""
    found = ordered([name for level in assessment.levels for name in level.metrics])
    return found[0] if found else None


def _ending(assessment: Assessment) -> str:
    metric = main_metric(assessment)
    levels = [level for level in assessment.levels if metric in level.metrics]
    if metric is None or not levels:
        lost = any(level.diverged for level in assessment.levels)
        return "every trial that ended diverged" if lost else "no trial has finished yet"
    ranked = sorted(
        levels,
        key=lambda level: level.metrics[metric].last.mean,
        reverse=assessment.better(metric) != "lower",
    )
    name = metric_words(metric)
    unit = assessment.unit
    if len(ranked) == 1:
        return f"the {name} ends at {_value(ranked[0], metric, unit)}"
    best, worst = ranked[0], ranked[-1]
    if max(level.finished for level in levels) < 2:
        both = " and at ".join(
            f"{_value(one, metric, unit)} with {level_words(one)}" for one in (best, worst)
        )
        return f"with one {unit[:-1]} nothing can be established: the {name} ended at {both}"
    ends = "lowest" if assessment.better(metric) == "lower" else "highest"
    other = "highest" if assessment.better(metric) == "lower" else "lowest"
    found = (
        f"the mean {name} ends {ends} with {level_words(best)}, at {_value(best, metric, unit)}, "
        f"and {other} with {level_words(worst)}, at {_value(worst, metric, unit)}"
    )
    return (
        found
        if _differ(assessment, metric, best, worst)
        else f"{found}, but no difference between these two is established"
    )


def level_words(level: LevelEvidence) -> str:
    """Name a level so that a bare number says what it is: ``lr 0.1``, but ``adam``."""
    if len(level.coordinates) != 1:
        return level.level
    factor, label = next(iter(level.coordinates.items()))
    return (
        f"{factor.rpartition('.')[2]} {label}"
        if label[:1].isdigit() or label in ("true", "false", "none")
        else label
    )


def _differ(assessment: Assessment, metric: str, best: LevelEvidence, worst: LevelEvidence) -> bool:
    """Tell whether two levels are shown to differ; where they were not compared, whether any levels are."""
    pairs = [pair for pair in assessment.pairs if pair.metric == metric]
    between = [pair for pair in pairs if {pair.first, pair.second} == {best.level, worst.level}]
    return any(pair.p is not None and pair.p < 0.05 for pair in between or pairs)


def _value(level: LevelEvidence, metric: str, unit: Unit) -> str:
    last = level.metrics[metric].last
    survivors = f" over the {last.n} of {level.planned} {unit} that did not diverge" if level.diverged else ""
    return with_interval(last.mean, last.low, last.high) + survivors


def sharing(run: RunRecord, assessment: Assessment, varied: Sequence[str]) -> tuple[str, ...]:
    """Say what the levels of one seed had in common, and how alike that made their results."""
    shape = any(path.startswith("model.hidden") or path == "model.kind" for path in varied)
    weights = "initial weights (where layers have the same shape)" if shape else "initial weights"
    found = [
        *_splitting(run),
        "Within a seed all levels read the rows in the same order, with the same random draws behind "
        f"{weights} and dropout.",
        "Training and validation are measured the same way: in evaluation mode, at the end of each epoch, "
        "the training side on a fixed slice of training rows.",
    ]
    return (*found, *_pairing(assessment))


def _splitting(run: RunRecord) -> tuple[str, ...]:
    """Say how rows came to train or to validate."""
    per_seed = run.study.get("experiment", {}).get("data", {}).get("split") == "per-seed"
    folds = run.study.get("folds")
    if not folds:
        drawn = "Each seed draws its own train/validation split" if per_seed else "All seeds share one split"
        return (f"{drawn}, and every level of a seed learns from the same rows.",)
    kind, k = folds.get("kind"), folds["k"]
    own = per_seed and kind != "time"
    drawn = (
        f"Each seed deals the rows into {k} folds of its own"
        if own
        else f"All seeds share the same {k} folds"
    )
    how = {"grouped": f", rows of one `{folds.get('groups')}` together", "time": ", in the order of the rows"}
    once = (
        "each validates on the block of rows that follows its training rows, and the first block is never "
        "validated"
        if kind == "time"
        else "every row validates in one of them"
    )
    return (
        f"{drawn} ({kind}{how.get(kind or '', '')}); {once}. Every level of a seed and fold learns from the "
        "same rows.",
        "What the preparation of the data estimates, it estimates on the training rows of each fold.",
    )


def _pairing(assessment: Assessment) -> tuple[str, ...]:
    metric = main_metric(assessment)
    pairs = [pair for pair in assessment.pairs if pair.metric == metric and pair.correlation is not None]
    if metric is None or not pairs:
        return ()
    correlation = statistics.median(pair.correlation for pair in pairs if pair.correlation is not None)
    needed = [pair.seeds_unpaired for pair in pairs if pair.seeds_unpaired is not None]
    reached = f"The paired correlation that this reached in {metric_words(metric)} is {correlation:.2f}"
    over = f" (median of {len(pairs)} pairs of levels)" if len(pairs) > 1 else ""
    n = pairs[0].n
    if assessment.unit == "folds":
        return (f"{reached}{over}.",)
    if not needed or (unpaired := round(statistics.median(needed))) <= n:
        return (f"{reached}{over}: here it saved no seeds.",)
    return (
        f"{reached}{over}: comparing {n} seeds pair by pair is as sharp as {unpaired} seeds without pairs.",
    )
