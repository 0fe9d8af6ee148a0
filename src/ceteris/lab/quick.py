"""A study made small for a first look: fewer rows, epochs and seeds. What it says is provisional."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ceteris.spec.claim import Claim
from ceteris.spec.combine import combinations, seed_list
from ceteris.spec.experiment import Experiment
from ceteris.spec.probing import Epochs, Probes
from ceteris.spec.search import Search
from ceteris.spec.study import Factor, Study

EPOCHS = 3
SEEDS = 3
TRIALS = 8
ROWS = 3_000
VALIDATION = 2_000
"""Validation rows of large sources: they cost as much as training rows, at every epoch."""
LARGE_SOURCES = ("mnist", "fashion-mnist")
"""Sources with far more rows than ``ROWS``; others are small enough or unknown, and are used whole."""
LONGEST = 5
"""A level has at most so many times the epochs that the base has at most."""

MARK = "provisional"


def quick(study: Study) -> Study:
    """Return the study with at most 3 epochs, 3 seeds, 8 candidates and, of large sources, 3,000 rows.

    Of large sources 2,000 rows validate, unless the study says otherwise or has folds.

    The study's own ``quick`` may say other numbers. Steps that take more keep as many rows as the largest
    of them needs. All epochs, those of levels and schedules too, shrink by one factor, so that twice as many
    stay twice as many. The title says that the study is provisional.
    """
    found = [combination.experiment for combination in combinations(study)]
    epochs = study.quick.epochs or EPOCHS
    scale = _Scale(
        ratio=min(1.0, epochs / study.experiment.epochs),
        longest=LONGEST * epochs,
        rows=max([study.quick.rows or ROWS, *(e.batch_size * e.accumulate for e in found)]),
        large=study.quick.rows is None,
        source=study.experiment.data.source,
        folded=study.folds is not None,
    )
    return study.model_copy(
        update={
            "title": f"{study.title} ({MARK})".strip(),
            "experiment": scale.experiment(study.experiment),
            "vary": tuple(scale.factor(factor) for factor in study.vary),
            "seeds": seed_list(study)[: study.quick.seeds or SEEDS],
            "search": _fewer_candidates(study),
            "claims": tuple(map(scale.claim, study.claims)),
        }
    )


def _fewer_candidates(study: Study) -> Search | None:
    if study.search is None or study.search.method == "grid":
        return study.search
    trials = min(study.search.trials, study.quick.trials or TRIALS)
    return study.search.model_copy(update={"trials": trials})


def quick_note(study: Study, small: Study | None = None) -> str:
    """Say in one sentence what a small version of a study left out; ``quick`` makes it unless it is given."""
    small = small or quick(study)
    parts = [f"{len(seed_list(small))} of {len(seed_list(study))} seeds"]
    if study.search is not None and small.search is not None and small.search.trials < study.search.trials:
        parts.append(f"{small.search.trials} of {study.search.trials} candidates")
    if small.experiment.epochs < study.experiment.epochs:
        parts.append(f"{small.experiment.epochs} of {study.experiment.epochs} epochs")
    for name, words in (("rows", "training rows"), ("validation", "validation rows")):
        count = getattr(small.experiment.data, name)
        if count != getattr(study.experiment.data, name):
            parts.append(f"{count:,} {words}")
    return f"a quick look, and {MARK}: {', '.join(parts)}; run it without --quick for the answer"


@dataclass(frozen=True)
class _Scale:
    """How much smaller a study becomes, applied to its base and to what its levels set themselves."""

    ratio: float
    longest: int
    rows: int
    large: bool
    """Whether only large sources lose rows."""
    source: str
    folded: bool
    """Whether folds say which rows validate."""

    def experiment(self, base: Experiment) -> Experiment:
        """Return the base experiment made small."""
        schedule = self._schedule(base.schedule.model_dump())
        return base.model_copy(
            update={
                "epochs": self._epochs(base.epochs),
                "schedule": base.schedule.model_copy(update=schedule),
                "probes": self._probes(base.probes),
                "data": base.data.model_copy(update=self._data(base.data.model_dump())),
            }
        )

    def _probes(self, probes: Probes) -> Probes:
        """Return probes at epochs that move with the others; before training stays before it."""

        def sooner(epochs: Epochs) -> Epochs:
            if isinstance(epochs, str):
                return epochs
            return tuple(sorted({self._epochs(epoch) if epoch else 0 for epoch in epochs}))

        return probes.model_copy(
            update={
                "histograms": sooner(probes.histograms),
                "grid": probes.grid.model_copy(update={"epochs": sooner(probes.grid.epochs)}),
                "sharpness": probes.sharpness.model_copy(update={"epochs": sooner(probes.sharpness.epochs)}),
                "confusion": sooner(probes.confusion),
            }
        )

    def factor(self, factor: Factor) -> Factor:
        """Return a factor whose levels set small numbers."""
        levels = tuple(
            level.model_copy(update={"patch": self._patch(level.patch)}) for level in factor.levels
        )
        return factor.model_copy(update={"levels": levels})

    def claim(self, claim: Claim) -> Claim:
        """Return a claim whose epochs move with the others; they stay two."""
        if claim.between is None:
            return claim
        first, last = map(self._epochs, claim.between)
        return claim.model_copy(update={"between": (first, max(last, first + 1))})

    def _patch(self, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Shorten what a level sets itself; levels that then are alike stay for the check to name."""
        small = dict(patch)
        if isinstance(small.get("epochs"), int):
            small["epochs"] = self._epochs(small["epochs"])
        if isinstance(small.get("schedule"), Mapping):
            small["schedule"] = self._schedule(small["schedule"])
        inside = {path.removeprefix("schedule."): path for path in small if path.startswith("schedule.")}
        small |= {
            inside[name]: v for name, v in self._schedule({n: small[p] for n, p in inside.items()}).items()
        }
        own = small.get("data.source", self.source)
        if "data" in small:
            data = small["data"] if isinstance(small["data"], dict) else {"source": small["data"]}
            small["data"] = data | self._data(data)
        elif "data.source" in small or isinstance(small.get("data.rows"), int):
            small["data.rows"] = self._fewer(small.get("data.rows"), own)
        return small

    def _data(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return how many rows of these settings train and validate."""
        source, validation = data.get("source", self.source), data.get("validation")
        if validation is None and source in LARGE_SOURCES and not self.folded:
            validation = VALIDATION
        return {"rows": self._fewer(data.get("rows"), source), "validation": validation}

    def _fewer(self, rows: int | None, source: str) -> int | None:
        if self.large and source not in LARGE_SOURCES:
            return rows
        return self.rows if rows is None else min(rows, self.rows)

    def _epochs(self, epochs: int) -> int:
        return max(1, min(round(epochs * self.ratio), self.longest))

    def _schedule(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return a schedule's settings with everything that is counted in epochs made shorter."""
        shorter: dict[str, Callable[[Any], Any]] = {
            "step_size": self._epochs,
            "period": self._epochs,
            "milestones": lambda at: tuple(dict.fromkeys(self._epochs(epoch) for epoch in at)),
            "warmup": lambda epochs: min(epochs * self.ratio, self.longest),
        }
        return {n: shorter[n](v) if n in shorter and v is not None else v for n, v in settings.items()}
