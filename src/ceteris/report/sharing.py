"""What the levels of a seed had in common, said for what was really varied, and how alike that made them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from ceteris.evidence.assessment import Assessment
from ceteris.evidence.quantities import metric_words
from ceteris.evidence.wording import listing
from ceteris.records.views import RunRecord
from ceteris.report.answer import main_metric

SPLITTING = ("data.source", "data.content", "data.split", "data.validation", "data.validation_balanced")
"""Settings that decide which rows validate, and so which are left to train on."""
ORDERING = (*SPLITTING, "data.rows", "data.balance")
"""Settings that decide which rows are read, or in which order."""


def varied_among(varied: Sequence[str], settings: Sequence[str]) -> tuple[str, ...]:
    """Return those of the varied paths that are among the settings."""
    return tuple(path for path in varied if path in settings)


def sharing(run: RunRecord, assessment: Assessment, varied: Sequence[str]) -> tuple[str, ...]:
    """Say what the levels of one seed had in common, and how alike that made their results.

    ``varied`` are the dotted paths of the experiment in which levels differ.
    """
    return (
        *_splitting(run, varied),
        *_rows_apart(varied),
        _order(varied),
        _measuring(run),
        *_pairing(assessment),
    )


def _measuring(run: RunRecord) -> str:
    """Say how the two sides of a gap are measured; with label noise they differ in their labels."""
    if not _validates(run):
        return "A fixed slice of training rows is measured in evaluation mode, at the end of each epoch."
    how = "in evaluation mode, at the end of each epoch, the training side on a fixed slice of training rows"
    if not any((trial.experiment.get("data") or {}).get("label_noise") for trial in run.trials):
        return f"Training and validation are measured the same way: {how}."
    return (
        f"Training and validation are measured {how}. With label noise the training side is measured against "
        "the labels that were trained on, wrong ones included, the validation side against the true ones."
    )


def _validates(run: RunRecord) -> bool:
    """Tell whether rows were kept to validate on, as far as the record knows."""
    rows = run.facts.get("rows_by_level") or {"": {"validation": run.facts.get("validation_rows")}}
    return any(own.get("validation") != 0 for own in rows.values())


def _splitting(run: RunRecord, varied: Sequence[str]) -> tuple[str, ...]:
    """Say how rows came to train or to validate."""
    per_seed = run.study.get("experiment", {}).get("data", {}).get("split") == "per-seed"
    folds = run.study.get("folds")
    same = " Every level of a seed and fold learns from the same rows."
    apart = bool(varied_among(varied, (*SPLITTING, "data.rows")))
    if not folds:
        if not _validates(run) and not apart:
            return ("No row is kept to validate on, and every level of a seed learns from the same rows.",)
        if "data.split" in varied:
            return ("With `data.split` per-seed each seed draws its own split; with fixed all share one.",)
        drawn = "Each seed draws its own train/validation split" if per_seed else "All seeds share one split"
        return (f"{drawn}." if apart else f"{drawn}, and every level of a seed learns from the same rows.",)
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
        f"{drawn} ({kind}{how.get(kind or '', '')}); {once}.{'' if apart else same}",
        "What the preparation of the data estimates, it estimates on the training rows of each fold.",
    )


def _rows_apart(varied: Sequence[str]) -> tuple[str, ...]:
    """Say in which rows or labels the levels of a seed differ, because the study varies them."""
    found = []
    paths = varied_among(varied, SPLITTING)
    if paths:
        found.append(
            f"Not equal: {_paths(paths)} is varied, so levels that differ in it train and validate on "
            "different rows. Their validation numbers are not about the same rows."
        )
    if "data.rows" in varied:
        found.append(
            "Not equal: `data.rows` is varied, so levels learn from different numbers of training rows; "
            "those of a smaller level are among those of a larger one. They validate on the same rows."
            if not paths
            else "Not equal: `data.rows` is varied, so levels learn from different numbers of training rows."
        )
    if "data.label_noise" in varied:
        found.append(
            "Not equal: `data.label_noise` is varied, so some training rows have other labels at one level "
            "than at another. Validation labels are the same."
        )
    reduced = varied_among(varied, ("data.resize", "data.project"))
    if reduced:
        found.append(f"Not equal: {_paths(reduced)} is varied, so the same rows come in as other inputs.")
    changed = [path for path in varied if path.split(".")[:2] == ["data", "augment"]]
    if changed:
        found.append(
            f"Not equal: {_paths(changed)} is varied, so the same training images are changed in other ways, "
            "with the same draws. The rows that are measured are changed at no level."
        )
    scaled = varied_among(varied, ("data.scale",))
    if scaled:
        found.append("Not equal: `data.scale` is varied, so the same rows come in on different scales.")
    return tuple(found)


def _order(varied: Sequence[str]) -> str:
    """Say what is drawn alike."""
    shape = any(
        path.startswith(("model.hidden", "model.layers")) or path in ("model.kind", "model.name")
        for path in varied
    )
    weights = "initial weights (where layers have the same shape)" if shape else "initial weights"
    draws = f"with the same random draws behind {weights} and dropout"
    apart = varied_among(varied, ORDERING)
    if not apart:
        return f"Within a seed all levels read the rows in the same order, {draws}."
    return (
        f"Within a seed levels that agree in {_paths(apart)} read the rows in the same order; "
        f"all are trained {draws}."
    )


def _paths(paths: Sequence[str]) -> str:
    return listing([f"`{path}`" for path in paths])


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
