"""The assessment of a study: levels, differences and verdicts, from its trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ceteris.evidence.claims import Question, ask
from ceteris.evidence.contrasts import Method
from ceteris.evidence.layout import Layout, lay_out
from ceteris.evidence.notes import cut_levels, remarks, study_notes
from ceteris.evidence.observations import Unit
from ceteris.evidence.pairs import Pair, compare_levels
from ceteris.evidence.plain import plain
from ceteris.evidence.searched import SearchSummary, summarise_search
from ceteris.evidence.sentences import explain
from ceteris.evidence.strata import stratified
from ceteris.evidence.summaries import LevelEvidence, accuracy_error, summarise
from ceteris.evidence.verdicts import Comparison, Judgement, Ruling, judge
from ceteris.spec.metrics import Direction
from ceteris.spec.probes import without_many_probes
from ceteris.spec.study import Study

if TYPE_CHECKING:
    from ceteris.records.views import TrialRecord


@dataclass(frozen=True)
class Within:
    """What a claim comes to within levels of the factors that it averages over; p as of ``Verdict``."""

    level: str
    """Such as ``optimizer.lr=0.1``."""
    verdict: Ruling
    effect: float | None
    low: float | None
    high: float | None
    confidence: float | None
    p: float | None
    n: int
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True)
class Verdict:
    """What the trials say about one claim; None where a number does not exist."""

    text: str
    """The claim."""
    verdict: Ruling
    effect: float | None
    """Of the decisive comparison: mean, or median where ranks or counts decide."""
    low: float | None
    high: float | None
    confidence: float | None
    """Of the interval: 0.95, or more where several comparisons share the error budget."""
    p: float | None
    """Adjusted for the comparisons of the claim, the claims of the study, and looking again. None where
    nothing can be tested, and where the average would decide while the claim depends on what is averaged."""
    sign_flip_p: float | None
    n: int
    unit: Unit
    method: Method
    explanation: str
    """The finding in plain words, with everything that qualifies it."""
    seeds_needed: int | None
    """For a claim that is not established: seeds for the observed effect with power 0.8. None where that is
    undefined or more than 1000 (the explanation says which)."""
    seeds_low: int | None
    """The same with the spread at the lower end of its 95% interval; None where ranks decide, too."""
    seeds_high: int | None
    """The same with the spread at the upper end."""
    sampling_error: float | None
    """Standard error from the validation rows being a sample, for claims on validation accuracy."""
    looks: int
    """How often the verdict was looked at before, with fewer seeds."""
    remarks: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    provisional: bool = False
    """Some trials of the study have not ended; the verdict may change, and its p value is not yet earned."""
    depends_on: tuple[str, ...] = ()
    """Where the effect differs between what the claim averages over, so that the average is no verdict: the
    factors with whose levels alone it is shown to change, or all of them where only combinations differ."""
    within: tuple[Within, ...] = ()
    """The same claim within each level of the factors that it averages over; empty where there are none."""

    @property
    def words(self) -> str:
        """The verdict as a reader sees it: "supported", "supported (provisional)"."""
        return f"{self.verdict} (provisional)" if self.provisional else self.verdict

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return dict(plain(self))


@dataclass(frozen=True)
class Assessment:
    """Everything that the trials of a study show."""

    levels: tuple[LevelEvidence, ...]
    pairs: tuple[Pair, ...]
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...]
    """What holds for all of it, in words."""
    provisional: bool
    """Some trials have not ended."""
    looks: int
    unit: Unit = "seeds"
    """What is compared and counted by n: seeds (their folds averaged), or the folds of the only seed."""
    folds: int = 1
    """Folds of every seed; 1 where there are none."""
    search: SearchSummary | None = None
    """What a search found; None where the study is none."""

    def better(self, metric: str) -> Direction | None:
        """Return which values of a metric are the better ones; None where that is not known."""
        found = [level.metrics[metric].better for level in self.levels if metric in level.metrics]
        return found[0] if found else None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return dict(plain(self))


def assess(
    study: Study,
    trials: Sequence[TrialRecord],
    *,
    validation_rows: int | None,
    looks: int = 0,
    first_seeds: int | None = None,
) -> Assessment:
    """Say what each level came to, how levels differ, and what becomes of the claims.

    ``validation_rows`` is how many rows a seed validates on, in all its folds together.
    ``looks`` counts the verdicts that were given before with fewer seeds, the first of them with
    ``first_seeds``; p values and intervals are corrected for them.
    """
    layout = lay_out(study, trials)
    levels = tuple(summarise(layout, level, validation_rows) for level in layout.cells)
    questions = [
        stratified(ask(claim, layout, validation_rows), layout, validation_rows) for claim in study.claims
    ]
    provisional = any(level.finished + level.diverged < level.planned for level in levels)
    verdicts = tuple(
        replace(_verdict(question, judgement, looks, first_seeds, validation_rows), provisional=provisional)
        for question, judgement in zip(questions, judge(questions, looks), strict=True)
    )
    return Assessment(
        levels=levels,
        pairs=_pairs(layout, levels, validation_rows, looks),
        verdicts=verdicts,
        notes=(*study_notes(study, layout, looks, provisional=provisional), *cut_levels(levels)),
        provisional=provisional,
        looks=looks,
        unit="folds" if layout.by_folds else "seeds",
        folds=len(layout.folds),
        search=summarise_search(study, trials),
    )


def _pairs(
    layout: Layout, levels: Sequence[LevelEvidence], validation_rows: int | None, looks: int
) -> tuple[Pair, ...]:
    """Compare levels in every metric except the learning rate, which is set and not found."""
    metrics = dict.fromkeys(name for level in levels for name in level.metrics if name != "lr")
    compared = without_many_probes(metrics)
    return tuple(pair for name in compared for pair in compare_levels(layout, name, validation_rows, looks))


def _verdict(
    question: Question,
    judgement: Judgement,
    looks: int,
    first_seeds: int | None,
    validation_rows: int | None,
) -> Verdict:
    found = _leading(judgement)
    notes = remarks(question, judgement, looks, first_seeds)
    return Verdict(
        text=question.claim.text,
        verdict=judgement.ruling,
        effect=found.effect if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        confidence=found.confidence if found else None,
        p=judgement.p,
        sign_flip_p=found.sign_flip_p if found else None,
        n=found.n if found else 0,
        unit=found.unit if found else "seeds",
        method=found.method if found else "none",
        explanation="; ".join((explain(question, judgement), *notes)),
        seeds_needed=judgement.seeds.needed if judgement.seeds else None,
        seeds_low=judgement.seeds.low if judgement.seeds else None,
        seeds_high=judgement.seeds.high if judgement.seeds else None,
        sampling_error=_sampling_error(question, judgement.decisive, validation_rows),
        looks=looks,
        remarks=notes,
        comparisons=judgement.comparisons,
        depends_on=(question.dividing or question.averaged) if judgement.depends else (),
        within=tuple(_within(name, each) for name, each in judgement.within),
    )


def _within(name: str, judgement: Judgement) -> Within:
    found = _leading(judgement)
    return Within(
        level=name,
        verdict=judgement.ruling,
        effect=found.effect if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        confidence=found.confidence if found else None,
        p=judgement.p,
        n=found.n if found else 0,
        comparisons=judgement.comparisons,
    )


def _leading(judgement: Judgement) -> Comparison | None:
    """Return the comparison that stands for the claim: the decisive one, else that with fewest units."""
    if judgement.decisive is not None:
        return judgement.comparisons[judgement.decisive]
    return min(judgement.comparisons, key=lambda comparison: comparison.n, default=None)


def _sampling_error(question: Question, decisive: int | None, rows: int | None) -> float | None:
    claim = question.claim
    if claim.metric != "val_accuracy" or claim.at not in ("last", "best") or decisive is None or not rows:
        return None
    means = [mean for mean in question.contrasts[decisive].means if math.isfinite(mean)]
    return accuracy_error(sum(means) / len(means), rows) if means else None
