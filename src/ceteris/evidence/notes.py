"""What a reader of a verdict, or of a whole study, has to know besides the numbers."""

from __future__ import annotations

from collections.abc import Sequence

from ceteris.evidence.claims import Question
from ceteris.evidence.contrasts import Contrast
from ceteris.evidence.exact import SIGN_FLIP_LIMIT
from ceteris.evidence.layout import Layout
from ceteris.evidence.observations import Group
from ceteris.evidence.pairs import MOST_LEVELS
from ceteris.evidence.quantities import GAPS
from ceteris.evidence.ranges import cut_words, metric_range
from ceteris.evidence.scales import unlike
from ceteris.evidence.strata_words import averaged_words
from ceteris.evidence.summaries import LevelEvidence
from ceteris.evidence.training_notes import training_notes
from ceteris.evidence.verdicts import Judgement
from ceteris.evidence.wording import listing, units
from ceteris.spec.metrics import unknown_direction, without_rows
from ceteris.spec.study import Study
from ceteris.spec.synthetic import SYNTHETIC

POOL = 10
"""Times the training rows that are drawn, at least, where each seed trains on rows of its own."""
PROVISIONAL = (
    "Some trials have not ended: the verdicts are provisional. One that is read before the end, and acted "
    "on, does not carry its p value."
)


def remarks(question: Question, judgement: Judgement, looks: int, first_seeds: int | None) -> tuple[str, ...]:
    """Say everything else that a reader of the verdict has to know, one clause each."""
    contrasts = question.contrasts
    found = [*_progress(contrasts), *(_losses(contrasts) if question.claim.metric != "diverged" else ())]
    if any(contrast.unit == "folds" for contrast in contrasts):
        found.append(
            "folds of one seed share training rows; the variance is corrected for that (Nadeau and Bengio)"
        )
    if any(c.estimate is not None and c.estimate.steady and not c.identical for c in contrasts):
        found.append(
            "the values do not vary from seed to seed; their spread is taken for what rounding can hide"
        )
    if question.averaged:
        found.append(averaged_words(question, judgement))
    if question.claim.where:
        held = [f"{factor}={level}" for factor, level in question.claim.where.items()]
        found.append(f"only with {listing(held)}")
    found += [*question.unlike, *_signs(question), *_cuts(question, judgement)]
    if question.restricted:
        found.append(f"only where all of these were combined with the same: {'; '.join(question.restricted)}")
    if question.mixed:
        found.append(
            "the levels were combined with different levels of other factors, so their effects are mixed"
        )
    if looks:
        first = f", first with {units(first_seeds, 'seeds')}" if first_seeds else ""
        found.append(
            f"the verdicts were looked at {looks + 1} times{first}; p and interval are corrected for that"
        )
    return tuple(found)


def _signs(question: Question) -> list[str]:
    """Say where a signed gap is negative, because a smaller one is then a wider one."""
    claim = question.claim
    if claim.metric not in GAPS or claim.at not in ("last", "best"):
        return []
    means = {g: m for c in question.contrasts for g, m in zip(c.groups, c.means, strict=False)}
    negative = [label for label, mean in means.items() if mean < 0]
    if not negative:
        return []
    size = claim.metric.replace("gap_", "gap_size_")
    return [
        f"it is negative with {listing(negative)}, where a smaller value is a wider gap: `{size}` measures "
        "the gap without its sign"
    ]


def _cuts(question: Question, judgement: Judgement) -> list[str]:
    """Say where the interval of the comparison that is told was cut to what is possible."""
    if judgement.decisive is None:
        return []
    told, contrast = judgement.comparisons[judgement.decisive], question.contrasts[judgement.decisive]
    if contrast.estimate is None or told.low is None or told.high is None:
        return []
    ends = told.low, told.high
    words = cut_words(question.claim.metric, contrast.effect, ends, contrast.possible)
    return [f"the interval is cut: {words}"] if words else []


def cut_levels(levels: Sequence[LevelEvidence]) -> tuple[str, ...]:
    """Say that intervals of levels were cut to what is possible; nothing where none was."""
    found = {
        cut_words(without_rows(name), own.last.mean, (own.last.low, own.last.high), metric_range(name))
        for level in levels
        for name, own in level.metrics.items()
        if own.last.low is not None and own.last.high is not None and name.startswith(("train_", "val_"))
    }
    words = ", ".join(sorted(found - {""}))
    return (f"Intervals of means are cut where no value can be: {words}.",) if words else ()


def _progress(contrasts: tuple[Contrast, ...]) -> list[str]:
    found = []
    least = min(contrasts, key=lambda c: c.n + c.undefined, default=None)
    if least is not None and 0 < least.n + least.undefined < least.planned:  # 0 is what the verdict says
        found.append(f"provisional: {least.n + least.undefined} of {least.planned} {least.unit} finished")
    undefined = max((contrast.undefined for contrast in contrasts), default=0)
    if undefined:
        found.append(f"{undefined} of the {contrasts[0].unit} left out, where the quantity is not defined")
    return found


def _losses(contrasts: tuple[Contrast, ...]) -> list[str]:
    """Say how many units of which level diverged or never got there, and what follows."""
    diverged: dict[str, str] = {}
    unreached: dict[str, str] = {}
    for contrast in contrasts:
        for label, lost, endless in zip(contrast.groups, contrast.diverged, contrast.endless, strict=True):
            if lost:
                diverged[label] = f"{lost} of {contrast.n} with {label} diverged"
            if endless > lost:
                unreached[label] = f"{endless - lost} of {contrast.n} with {label} never got there"
    found = [*diverged.values(), *unreached.values()]
    return [*found, "these count as worst and are in no average"] if found else []


def _scope(study: Study, layout: Layout) -> str:
    """Say what drawing anew the intervals speak of."""
    if layout.by_folds:
        return "Intervals speak of other rows for the one seed that was run, not of other seeds."
    folded = len(layout.folds) > 1
    if study.experiment.data.validation == 0 and not folded:  # no rows are parted from others
        return (
            f"Intervals speak of other seeds: initial weights and row order drawn anew.{_drawn_once(study)}"
        )
    if study.experiment.data.split == "per-seed" and not layout.in_time:
        splits = "folds, " if folded else "a train/validation split, "
        return (
            f"Intervals speak of other seeds: {splits}initial weights and row order drawn anew."
            f"{_drawn_once(study)}"
        )
    fixed = "The folds are the same for every seed" if folded else "The split is fixed"
    return (
        "Intervals speak of other seeds: initial weights and row order drawn anew. "
        f"{fixed}: they do not speak of {'other folds' if folded else 'another split'} of the same data."
    )


def _drawn_once(study: Study) -> str:
    """Say that rows from a formula are the same for every seed, unless each seed takes few of many."""
    data = study.experiment.data
    parameters = SYNTHETIC[data.source](**data.parameters) if data.source in SYNTHETIC else None
    rows = getattr(parameters, "n", None)
    if rows is None or (data.rows is not None and POOL * data.rows <= rows):
        return ""
    return (
        f" The {rows:,} rows are drawn once: the intervals do not speak of other rows of that kind (for "
        "that, draw more by `data.parameters.n`, and train on few of them by `data.rows`)."
    )


def _scales(layout: Layout) -> list[str]:
    """Say what keeps all the levels' numbers, in tables and charts too, from being on one scale."""
    found = unlike("val_loss", layout, [Group(cell, (cell,)) for cell in layout.cells])
    return [f"{words[:1].upper()}{words[1:]}." for words in found]


def _unknown_directions(layout: Layout) -> list[str]:
    """Say of which metrics of the user's own nobody said whether lower or higher is better."""
    names = dict.fromkeys(name for trial in layout.ended(tuple(layout.cells)) for name in trial.curves)
    unknown = [n for n in names if n.startswith(("train_", "val_")) and layout.better(n) is None]
    return [
        f"No best epoch is shown of `{name}`, nor is a diverged trial ranked on it: "
        f"{unknown_direction(name)}."
        for name in unknown
        if name.startswith("val_") or f"val_{without_rows(name)}" not in unknown
    ]


def study_notes(study: Study, layout: Layout, looks: int, *, provisional: bool) -> tuple[str, ...]:
    """Say what all intervals of a study speak of, and what its tests can and cannot do."""
    n = len(layout.units)
    if n < 2:
        return (
            "With one seed nothing can be established: run more seeds.",
            *_scales(layout),
            *_unknown_directions(layout),
            *training_notes(layout),
        )
    found = [PROVISIONAL] if provisional else []
    found.append(_scope(study, layout))
    if len(layout.folds) > 1 and not layout.by_folds:
        found.append(f"The {len(layout.folds)} folds of a seed are averaged first: n counts seeds.")
    found.append("An interval wider than 95% shares the error budget of 5% with other comparisons (Holm).")
    done = layout.complete
    if not layout.by_folds and 2 <= done <= SIGN_FLIP_LIMIT:
        least = f"{2.0 ** (1 - done):.4g}"
        found.append(f"With {units(done, 'seeds')} the exact sign-flip p cannot go below {least}.")
    if len(layout.cells) > MOST_LEVELS:
        found.append(
            f"With more than {MOST_LEVELS} levels the table of differences compares neighbours only."
        )
    if looks:
        found.append(f"Looked at {looks + 1} times: p and intervals are corrected for that (Bonferroni).")
    return (*found, *_scales(layout), *_unknown_directions(layout), *training_notes(layout))
