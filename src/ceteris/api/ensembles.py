"""The networks of a level as one model: their predictions averaged over seeds and folds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ceteris.errors import CeterisError

if TYPE_CHECKING:
    import torch

    from ceteris.api.metrics import Metric
    from ceteris.api.own_modules import OwnModel
    from ceteris.records.views import RunRecord, TrialRecord
    from ceteris.spec.experiment import Experiment


@dataclass(frozen=True, repr=False)
class Ensemble:
    """What the average of a level's networks comes to on validation rows that none of them trained on."""

    run: str
    level: str
    members: tuple[tuple[int, int], ...]
    """Seed and fold of every network."""
    rows: int
    """Number of validation rows."""
    scores: Mapping[str, float]
    """Of the averaged predictions, by metric: ``val_loss``, ``val_accuracy``, ..."""
    means: Mapping[str, float]
    """The mean of the same metrics over the networks by themselves, on the same rows."""

    def __repr__(self) -> str:
        lines = [
            f"{name:<14} {self.scores[name]:.4g} (the networks alone, on average: {self.means[name]:.4g})"
            for name in self.scores
        ]
        count = f"{len(self.members)} networks of level {self.level}, run {self.run}, averaged"
        return "\n".join([f"{count}, on {self.rows:,} validation rows", *lines])


class Averages:
    """Adds up what the networks of each level make of the same rows, and scores their averages.

    Probabilities are averaged where the loss makes outputs into them, else outputs. For linear networks
    on the same inputs the average of the outputs is the network with the averaged parameters.
    """

    def __init__(self, targets: torch.Tensor, own: Mapping[str, Metric]) -> None:
        self._targets, self._own = targets, own
        self._sums: dict[str, torch.Tensor] = {}
        self._losses: dict[str, tuple[Experiment, str]] = {}
        self._counts: dict[str, int] = {}

    def add(self, level: str, experiment: Experiment, loss: str, outputs: torch.Tensor) -> None:
        """Take in the outputs (N, k) of one network, whose experiment's loss resolves to ``loss``."""
        own = to_average(loss, outputs.double())
        self._sums[level] = self._sums[level] + own if level in self._sums else own
        self._losses[level] = experiment, loss
        self._counts[level] = self._counts.get(level, 0) + 1

    def networks(self, level: str) -> int:
        """Return how many networks of a level were taken in."""
        return self._counts.get(level, 0)

    def scores(self, level: str) -> dict[str, float]:
        """Return the metrics of a level's average by name, as ``ceteris.train.scoring.scores`` does."""
        from ceteris.train.scoring import scores

        experiment, loss = self._losses[level]
        outputs = from_average(loss, self._sums[level] / self._counts[level])
        found = scores(experiment, loss, outputs, self._targets, self._own)
        if experiment.data.target_scale != "none":
            del found["loss"]  # that of the networks is of targets that each scaled in its own way
        return found


def to_average(loss: str, outputs: torch.Tensor) -> torch.Tensor:
    """Return what is averaged of outputs (N, k): probabilities where they mean some, else the outputs."""
    if loss == "cross_entropy":
        return outputs.softmax(dim=1)
    if loss == "nll":
        return outputs.exp()
    return outputs.sigmoid() if loss == "binary_cross_entropy" else outputs


def from_average(loss: str, averaged: torch.Tensor) -> torch.Tensor:
    """Return the outputs that stand for averages (N, k), as the loss takes them."""
    if loss in ("cross_entropy", "nll"):
        return averaged.log()  # softmax of a logarithm of probabilities is these probabilities
    return averaged.logit() if loss == "binary_cross_entropy" else averaged


def run_ensemble(
    run: RunRecord,
    level: object = None,
    *,
    metric: str | None = None,
    data_dir: str | Path | None = None,
    model: OwnModel | None = None,
    metrics: Mapping[str, Metric] | None = None,
) -> Ensemble:
    """Evaluate the average of a level's networks on the validation rows that they share.

    Args:
        run: the recorded run.
        level: which one; else the one that the validation rows choose.
        metric: the validation metric that chooses.
        data_dir: where the data lies, if not where it lay.
        model: what makes the network, where it is one of the user's own.
        metrics: the user's own metrics; those that are not given are left out.

    Raises ``CeterisError`` where nothing finished, or where each seed has validation rows of its own, on
    which the networks of others were trained.
    """
    import numpy as np

    from ceteris.api.choice import finished_trials, level_to_use
    from ceteris.spec.experiment import Experiment
    from ceteris.train.scoring import as_targets

    label = level_to_use(run, level, metric)
    trials = [trial for trial in finished_trials(run, "average") if trial.level == label]
    experiment = Experiment.model_validate(dict(trials[0].experiment))
    _check_shared(run, trials, experiment)
    evaluated = _Validated(run, trials[0], experiment, data_dir, model)
    targets = as_targets(evaluated.targets)
    together, alone = Averages(targets, metrics or {}), []
    for trial in trials:
        by_itself = Averages(targets, metrics or {})
        for averages in (together, by_itself):
            averages.add(label, experiment, evaluated.loss, evaluated.outputs(trial))
        alone.append(by_itself.scores(label))
    return Ensemble(
        run=run.id,
        level=label,
        members=tuple((trial.seed, trial.fold) for trial in trials),
        rows=len(targets),
        scores={f"val_{name}": value for name, value in together.scores(label).items()},
        means={f"val_{name}": float(np.mean([one[name] for one in alone])) for name in alone[0]},
    )


class _Validated:
    """The validation rows of one level's trials, which all of them share."""

    def __init__(
        self,
        run: RunRecord,
        first: TrialRecord,
        experiment: Experiment,
        data_dir: str | Path | None,
        model: OwnModel | None,
    ) -> None:
        from ceteris.api.final_rows import final_rows_of
        from ceteris.train.objective import resolved_loss

        self._run, self._experiment, self._model = run, experiment, model
        self._rows = rows = final_rows_of(run, data_dir)[experiment.data.reading]
        dataset = rows.preparation.dataset
        self.loss = resolved_loss(experiment, dataset)
        prepared = rows.preparation.prepare(experiment.data, first.seed, first.fold, rows.folds)
        rows.given = dataset.x[prepared.split.validation]
        self.targets = dataset.y[prepared.split.validation]

    def outputs(self, trial: TrialRecord) -> torch.Tensor:
        """Return what a trial's network makes of the rows, (N, k)."""
        from ceteris.api.networks import recorded_network
        from ceteris.train.scoring import in_units, outputs_of

        network = recorded_network(self._run, trial, "final", self._model)
        outputs = outputs_of(network, self._rows.inputs(self._experiment, trial.seed, trial.fold))
        return in_units(outputs, self._rows.target_scaling(self._experiment, trial.seed, trial.fold))


def _check_shared(run: RunRecord, trials: list[TrialRecord], experiment: Experiment) -> None:
    """Refuse networks that were trained on validation rows of each other."""
    if experiment.data.validation == 0:
        raise CeterisError(
            f"no rows validate in run {run.id}; judge the average with `ceteris test {run.id}`"
        )
    apart = experiment.data.split != "fixed" or any(trial.fold for trial in trials)
    if apart and len(trials) > 1:
        raise CeterisError(
            f"the seeds or folds of run {run.id} validate on rows that others were trained on, so their "
            "average cannot be judged by them; run the study with `--set data.split=fixed` and without "
            f"folds, or judge it by test rows: `ceteris test {run.id}`"
        )
