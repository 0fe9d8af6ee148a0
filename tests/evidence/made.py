"""Studies and trials made up for tests: numbers as wanted, everything else as the lab would lay it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from ceteris.evidence import contrasts
from ceteris.evidence.assessment import Assessment, assess
from ceteris.evidence.claims import ask
from ceteris.evidence.layout import lay_out
from ceteris.evidence.strata import stratified
from ceteris.evidence.verdicts import Judgement, judge
from ceteris.records.views import TrialRecord
from ceteris.spec.claim import Claim
from ceteris.spec.data import DataSpec
from ceteris.spec.experiment import Experiment
from ceteris.spec.model import LinearModel
from ceteris.spec.study import Factor, Level, Study

EXPERIMENT = Experiment(data=DataSpec(source="digits"), model=LinearModel())


def study(
    factors: Mapping[str, Sequence[str]] | None = None, *claims: Claim, seeds: Any = 5, **changes: Any
) -> Study:
    vary = tuple(
        Factor(name=name, levels=tuple(Level(label=label, patch={}) for label in labels))
        for name, labels in (factors or {}).items()
    )
    return Study(experiment=EXPERIMENT, vary=vary, claims=claims, seeds=seeds, **changes)


def trial(
    level: str,
    seed: int,
    curves: Mapping[str, Sequence[float]],
    *,
    coordinates: Mapping[str, str] | None = None,
    fold: int = 0,
    status: Any = "finished",
) -> TrialRecord:
    return TrialRecord(
        identity=f"{level}/{seed}/{fold}",
        level=level,
        coordinates={"lr": level} if coordinates is None else coordinates,
        seed=seed,
        fold=fold,
        status=status,
        diverged_step=17 if status == "diverged" else None,
        curves={name: np.array(values, dtype=np.float64) for name, values in curves.items()},
        seconds=1.0,
        experiment={},
    )


def lost(level: str, seed: int, **changes: Any) -> TrialRecord:
    return trial(level, seed, {"val_loss": [9.0]}, status="diverged", **changes)


def trials(values: Mapping[str, Sequence[float | None]], metric: str = "val_loss") -> list[TrialRecord]:
    """Trials of one factor, one per level and seed, that end with the given numbers; None: diverged."""
    return [
        lost(level, seed) if value is None else trial(level, seed, {metric: [value]})
        for level, row in values.items()
        for seed, value in enumerate(row)
    ]


def judged(
    values: Mapping[str, Sequence[float | None]], *claims: Claim, metric: str = "val_loss", **options: Any
) -> Assessment:
    """Assess made-up final numbers of one factor `lr` whose levels are the keys."""
    seeds = len(next(iter(values.values())))
    made = study({"lr": list(values)}, *claims, seeds=options.pop("seeds", seeds))
    options.setdefault("validation_rows", None)
    return assess(made, trials(values, metric), **options)


def judgements(made: Study, found: Sequence[TrialRecord], looks: int = 0) -> tuple[Judgement, ...]:
    """Return what ``assess`` makes of the claims and nothing else, for thousands of studies.

    How many seeds would decide is left out: it takes most of the time and decides nothing.
    """
    layout = lay_out(made, found)
    questions = [stratified(ask(each, layout, None), layout, None) for each in made.claims]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contrasts, "seeds_range", lambda *_: None)
        return judge(questions, looks)


def claim(metric: str = "val_loss", **relation: Any) -> Claim:
    return Claim(text="a claim", metric=metric, **relation)
