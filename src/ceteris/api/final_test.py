"""The final assessment of a run: every trial's network on the test rows, read once and counted (law 4)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ceteris.api.choice import choosable, choosing_metric, finished_trials, level_named
from ceteris.api.final_rows import FinalRows, check_has_rows, final_rows_of
from ceteris.api.networks import facts_of, recorded_network
from ceteris.errors import CeterisError
from ceteris.lab.own_metrics import source_hash

if TYPE_CHECKING:
    import torch

    from ceteris.api.metrics import Metric
    from ceteris.api.own_modules import OwnModel
    from ceteris.evidence.selection import Scored, Selection
    from ceteris.records.views import RunRecord, TestReadings, TrialRecord
    from ceteris.spec.metrics import Direction

PURPOSE = "final assessment"
Report = Callable[[int, int], None]
"""Told after every trial: how many are done, and of how many."""


@dataclass(frozen=True, repr=False)
class FinalTest:
    """What the test rows said of a run. It prints as a table with the choice in words."""

    run: str
    data: str
    rows: int
    """Number of test rows."""
    readings: int
    """How often the test rows of this data were read, this time included."""
    time: str
    selection: Selection
    trials: tuple[Mapping[str, Any], ...]
    """Per finished trial: level, seed, fold and the test metrics."""
    skipped: tuple[str, ...]
    """Levels of which no trial finished."""
    classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    """Rows of each class (first axis) by predicted class, summed over the trials of the chosen level;
    empty for numbers."""
    averages: tuple[Mapping[str, Any], ...] = ()
    """Per level with several networks: level, networks, and the test metrics of their averaged
    predictions."""
    pictures: tuple[Mapping[str, Any], ...] = ()
    """Test rows that are images: PNG as base64, true and predicted class, by the chosen level's first
    trial."""
    notes: tuple[str, ...] = ()
    """What a reader has to know of the rows: categories that no training row has."""

    @property
    def chosen(self) -> str:
        """The level with the best mean validation score."""
        return self.selection.chosen

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON, as records keep it and ``ceteris test --json`` prints it."""
        from ceteris.api.output import without_infinities

        plain: dict[str, Any] = without_infinities(asdict(self))
        return plain

    def __repr__(self) -> str:
        from ceteris.api.final_test_text import as_text

        return as_text(self)


def run_final_test(
    run: RunRecord,
    *,
    metric: str | None = None,
    level: object = None,
    data_dir: str | Path | None = None,
    model: OwnModel | None = None,
    metrics: Mapping[str, Metric] | None = None,
    report: Report = lambda done, total: None,
) -> FinalTest:
    """Evaluate every finished trial of a run on the test rows, and keep what came of it in the records.

    Args:
        run: the recorded run.
        metric: the validation metric that chooses a level; else accuracy for classes, loss for numbers.
        level: the one level to judge, named beforehand: nothing chooses, and no other level is read. The only
            level of a run without validation rows needs no name.
        data_dir: where the data lies, if not where it lay.
        model: what makes the network, where it is one of the user's own.
        metrics: the user's own metrics; those that are not given are left out.
        report: told how far it has come.

    Raises ``CeterisError`` where nothing finished, there are no test rows, or the metric is not known.
    """
    finished = finished_trials(run, "assess")
    label = level_named(run, finished, level)
    if label is None:
        wanted: str | None
        better: Direction | None
        wanted, better = choosing_metric(run, finished, metric)
    else:
        wanted, better = None, None
        finished = [trial for trial in finished if trial.level == label]
    sets = final_rows_of(run, data_dir)
    for rows in sets.values():
        check_has_rows(rows)
    _check_comparable(run, sets)
    own = [f"{name} {source_hash(function)}" for name, function in (metrics or {}).items()]
    chosen_by = [str(wanted), str(label), *sorted(own)]
    readings = _count_readings(run, sets, [*chosen_by, *sorted(trial.identity for trial in finished)])
    evaluated = _Evaluation(run, sets, wanted, model, metrics or {})
    scored = []
    for place, trial in enumerate(finished):
        scored.append(evaluated.score(trial))
        report(place + 1, len(finished))
    found = evaluated.summary(scored, better, readings, label)
    _keep(run, found)
    return found


def _check_comparable(run: RunRecord, sets: Mapping[str, FinalRows]) -> None:
    """Refuse levels that would be judged by different rows; the same rows prepared differently are fine."""
    import numpy as np

    first, *others = sets.values()
    if not all(np.array_equal(first.rows[1], other.rows[1]) for other in others):
        names = ", ".join(f"`{name}`" for name in sets)
        raise CeterisError(
            f"the levels of run {run.id} are tested on different rows ({names}), so their test scores "
            "cannot be compared; run the study for one of them"
        )


def _count_readings(run: RunRecord, sets: Mapping[str, FinalRows], looked_at: Sequence[str]) -> TestReadings:
    """Count a look at the test rows, unless the same networks were judged in the same way before."""
    from ceteris.records.store import Store

    with Store(run.folder.parent, create=False) as store:
        counted = [
            store.record_test_reading(rows.preparation.dataset.content, run.id, PURPOSE, looked_at)
            for rows in sets.values()
        ]
    return max(counted, key=lambda readings: readings.count)


def _keep(run: RunRecord, found: FinalTest) -> None:
    from ceteris.records.store import Store

    with Store(run.folder.parent, create=False) as store:
        store.record_final_test(run.id, found.to_dict())


class _Evaluation:
    """Scores the trials of a run one after another; keeps the outputs of those that are shown."""

    def __init__(
        self,
        run: RunRecord,
        sets: Mapping[str, FinalRows],
        metric: str | None,
        model: OwnModel | None,
        own: Mapping[str, Metric],
    ) -> None:
        from ceteris.api.ensembles import Averages
        from ceteris.train.scoring import as_targets

        self._run, self._metric, self._model, self._own = run, metric, model, own
        self._sets = sets
        self._rows = next(iter(sets.values()))
        self._targets = as_targets(self._rows.rows[1])
        self._averages = Averages(self._targets, own)
        self._predicted: dict[str, list[torch.Tensor]] = {}
        self._metrics: list[dict[str, Any]] = []

    def score(self, trial: TrialRecord) -> Scored:
        """Return what a trial's network is worth on the test rows."""
        from ceteris.evidence.selection import TEST, Scored
        from ceteris.evidence.trial_scores import validation_score
        from ceteris.spec.experiment import Experiment
        from ceteris.train.objective import resolved_loss
        from ceteris.train.scoring import in_units, outputs_of, predicted_classes, scores

        experiment = Experiment.model_validate(dict(trial.experiment))
        rows = self._sets[experiment.data.reading]
        network = recorded_network(self._run, trial, "final", self._model)
        outputs = outputs_of(network, rows.inputs(experiment, trial.seed, trial.fold))
        loss = resolved_loss(experiment, rows.preparation.dataset)
        scaling = rows.target_scaling(experiment, trial.seed, trial.fold)
        found = scores(experiment, loss, outputs, self._targets, self._own, scaling)
        self._averages.add(trial.level, experiment, loss, in_units(outputs, scaling))
        if not self._targets.is_floating_point():
            self._predicted.setdefault(trial.level, []).append(predicted_classes(loss, outputs))
        test = {f"{TEST}{name}": value for name, value in found.items()}
        score = validation_score(trial, experiment, self._metric) if self._metric else math.nan
        self._metrics.append({"level": trial.level, "seed": trial.seed, "fold": trial.fold, **test})
        return Scored(trial.level, trial.seed, trial.fold, score, test)

    def _selection(self, scored: list[Scored], better: Direction | None, level: str | None) -> Selection:
        """Return the level that validation chooses, or the one that was named."""
        from ceteris.evidence.selection import named, select

        if self._metric is None or better is None:
            return named(scored, str(level), len(self._targets))
        try:
            return select(scored, self._metric, better, len(self._targets), choosable(self._run))
        except ValueError as error:
            raise CeterisError(
                f"{error} in run {self._run.id}: the validation rows choose no level"
            ) from error

    def summary(
        self, scored: list[Scored], better: Direction | None, readings: TestReadings, level: str | None
    ) -> FinalTest:
        """Return what all of them came to; ``level`` is the one that was named."""
        from ceteris.api.predictions import confusion_counts, pictures

        selection = self._selection(scored, better, level)
        dataset = self._rows.preparation.dataset
        predicted = self._predicted.get(selection.chosen, [])
        levels = dict.fromkeys(trial.level for trial in self._run.trials if level in (None, trial.level))
        return FinalTest(
            run=self._run.id,
            data=str(facts_of(self._run, dataset.name).get("name", dataset.name)),
            rows=len(self._targets),
            readings=readings.count,
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            selection=selection,
            trials=tuple(self._metrics),
            skipped=tuple(level for level in levels if all(one.level != level for one in scored)),
            classes=dataset.classes,
            confusion=confusion_counts(self._targets, predicted, len(dataset.classes)),
            averages=tuple(self._averaged(one.level) for one in selection.levels if self._several(one.level)),
            pictures=pictures(dataset, *self._rows.rows, predicted[0]) if predicted else (),
            notes=self._rows.read.notes,
        )

    def _several(self, level: str) -> bool:
        return self._averages.networks(level) > 1

    def _averaged(self, level: str) -> Mapping[str, Any]:
        """Return what the average of a level's networks is worth."""
        from ceteris.evidence.selection import TEST

        found = {f"{TEST}{name}": value for name, value in self._averages.scores(level).items()}
        return {"level": level, "networks": self._averages.networks(level), **found}
