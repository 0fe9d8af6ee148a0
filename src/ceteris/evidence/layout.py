"""The trials of a study by their place: combination of levels, seed and fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ceteris.evidence.student import fold_dependence
from ceteris.spec.combine import coordinates_of, seed_list
from ceteris.spec.labels import combination_label
from ceteris.spec.metrics import Direction, direction
from ceteris.spec.study import Study

if TYPE_CHECKING:
    from ceteris.records.views import TrialRecord

ENDED = ("finished", "diverged")


@dataclass(frozen=True)
class Layout:
    """What a study asks for, and the trials that are there."""

    cells: Mapping[str, Mapping[str, str]]
    """Label of every combination of levels -> its coordinates, in the order of the study."""
    seeds: tuple[int, ...]
    folds: tuple[int, ...]
    trials: Mapping[tuple[str, int, int], TrialRecord]
    """(label, seed, fold) -> trial."""
    in_time: bool = False
    """The folds are in the order of time: their training rows grow from fold to fold."""
    zipped: bool = False
    """The levels of the factors go together one by one, as the study says."""
    stated: Mapping[str, Direction] = field(default_factory=dict)
    """Which values of the user's own metrics are better, as far as the experiment says it."""

    def better(self, metric: str) -> Direction | None:
        """Return which values of a metric are the better ones; None where that is not known."""
        return direction(metric, self.stated)

    @property
    def factors(self) -> tuple[str, ...]:
        """The names of the factors."""
        return tuple(next(iter(self.cells.values()), {}))

    @property
    def by_folds(self) -> bool:
        """Whether folds of the only seed are what is compared (else seeds, their folds averaged)."""
        return len(self.seeds) == 1 and len(self.folds) > 1

    @property
    def units(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """The (seed, fold) places that are averaged into one number each."""
        if self.by_folds:
            return tuple(((self.seeds[0], fold),) for fold in self.folds)
        return tuple(tuple((seed, fold) for fold in self.folds) for seed in self.seeds)

    @property
    def complete(self) -> int:
        """How many units ended in every combination of levels."""
        return sum(all(self.at(cell, place) for cell in self.cells for place in unit) for unit in self.units)

    @property
    def dependence(self) -> float:
        """What is added to 1/n because the units are folds that share training rows; 0 for seeds."""
        return fold_dependence(len(self.folds), in_time=self.in_time) if self.by_folds else 0.0

    def rows_of_unit(self, validation_rows: int | None) -> int | None:
        """Return the validation rows behind one unit's number, of those that a seed validates on."""
        if validation_rows is None or not self.by_folds:
            return validation_rows
        return max(1, validation_rows // len(self.folds))

    def cells_with(self, where: Mapping[str, str]) -> tuple[str, ...]:
        """Return the labels of the combinations that have these levels; all for an empty mapping."""
        return tuple(
            label
            for label, coordinates in self.cells.items()
            if all(coordinates.get(factor) == level for factor, level in where.items())
        )

    def at(self, cell: str, place: tuple[int, int]) -> TrialRecord | None:
        """Return the trial of a combination at (seed, fold) if it ended: finished or diverged."""
        trial = self.trials.get((cell, *place))
        return trial if trial is not None and trial.status in ENDED else None

    def ended(self, cells: Sequence[str]) -> list[TrialRecord]:
        """Return all trials of these combinations that finished or diverged."""
        wanted = set(cells)
        return [t for (label, _, _), t in self.trials.items() if label in wanted and t.status in ENDED]


def lay_out(study: Study, trials: Sequence[TrialRecord]) -> Layout:
    """Lay the trials of a study out by combination, seed and fold.

    Seeds that only trials have count too.
    """
    rows = coordinates_of(study.vary, study.combine)
    seeds = dict.fromkeys([*seed_list(study), *(trial.seed for trial in trials)])
    return Layout(
        cells={combination_label(coordinates): coordinates for coordinates in rows},
        seeds=tuple(seeds),
        folds=_folds(study, trials),
        trials={(trial.level, trial.seed, trial.fold): trial for trial in trials},
        in_time=study.folds is not None and study.folds.kind == "time",
        zipped=study.combine == "zip",
        stated=study.experiment.better,
    )


def _folds(study: Study, trials: Sequence[TrialRecord]) -> tuple[int, ...]:
    planned = () if study.folds is None else range(study.folds.k)
    return tuple(sorted({*planned, *(trial.fold for trial in trials)})) or (0,)
