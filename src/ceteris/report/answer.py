"""The answer of a study in one sentence."""

from __future__ import annotations

from ceteris.evidence.assessment import Assessment
from ceteris.evidence.observations import Unit
from ceteris.evidence.quantities import metric_words
from ceteris.evidence.summaries import LevelEvidence
from ceteris.report.claims import sentence, tally
from ceteris.report.numbers import plain, with_interval
from ceteris.report.search import sentences
from ceteris.report.titles import ordered


def answer(assessment: Assessment) -> str:
    """Say in one sentence how the levels ended and what became of the claims; of a search, what is best."""
    if assessment.search is not None:
        return sentence(next(sentences(assessment.search)))
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
    if best.metrics[metric].last.mean == worst.metrics[metric].last.mean:
        return f"the mean {name} ends the same with all levels, at {plain(best.metrics[metric].last.mean)}"
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
