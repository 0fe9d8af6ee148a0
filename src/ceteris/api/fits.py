"""Fitted curves of networks whose inputs come from one number, and the rows behind them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ceteris.api.networks import Which

if TYPE_CHECKING:
    from ceteris.records.views import RunRecord, TrialRecord
    from ceteris.report.extras import Fit, FitRows

POINTS = 100
"""Of the grid on which a network that was kept is evaluated."""
MOST_TRIALS = 3
"""Trials of a level that are evaluated at most."""
MOST_LEVELS = 12
"""Levels that are evaluated at most."""
STATES: tuple[Which, ...] = ("initial", "final")


def fits_of(run: RunRecord) -> Iterator[Fit]:
    """Yield the curves that `probes.grid` recorded, else those of the networks as they began and ended.

    Of every seed the first fold, of every row the first output. Raises ``CeterisError`` where a record is
    damaged, or where data or weights are gone.
    """
    from ceteris.records.probed import fitted_curves
    from ceteris.report.extras import Fit

    recorded = fitted_curves(run)
    for own in recorded:
        if own.fold == 0:
            yield Fit(own.level, own.seed, own.epoch, own.value.x, own.value.y[:, 0])
    if not recorded:
        yield from _kept_fits(run)


def _kept_fits(run: RunRecord) -> Iterator[Fit]:
    """Yield the first and the last curve of a few trials of each level; nothing without one number."""
    import torch

    from ceteris.api.final_rows import as_inputs_of, final_rows_of
    from ceteris.api.networks import recorded_network
    from ceteris.api.regression import check_is_here
    from ceteris.data import prepare_rows
    from ceteris.data.one_input import one_input
    from ceteris.evidence.trial_scores import recorded_epoch
    from ceteris.report.extras import Fit
    from ceteris.spec.experiment import Experiment
    from ceteris.train.scoring import outputs_of

    if run.facts.get("task") != "regression":
        return
    sets = final_rows_of(run)
    for trial in _trials(run):
        experiment = Experiment.model_validate(dict(trial.experiment))
        rows = sets[experiment.data.reading]
        check_is_here(run, rows)
        dataset = rows.preparation.dataset
        source = one_input(dataset)
        if source is None:
            return
        prepared = rows.preparation.prepare(experiment.data, trial.seed, trial.fold, rows.folds)
        x = source.grid(prepared.split.train, POINTS)
        scaled = torch.from_numpy(prepare_rows(source.features(x), prepared.fitted))
        inputs = as_inputs_of(experiment, dataset, scaled, prepared.fitted)
        epochs = (0, recorded_epoch(trial, experiment))
        for state, epoch in zip(STATES, epochs, strict=True):
            outputs = outputs_of(recorded_network(run, trial, state), inputs)
            yield Fit(trial.level, trial.seed, epoch, x, outputs[:, 0].double().numpy())


def fit_rows(run: RunRecord) -> Iterator[FitRows]:
    """Yield the training rows of the first seed; none where levels read different rows."""
    import numpy as np

    from ceteris.api.final_rows import final_rows_of
    from ceteris.api.regression import check_is_here
    from ceteris.data.one_input import one_input
    from ceteris.report.extras import FitRows
    from ceteris.spec.experiment import Experiment

    trials = _trials(run)
    if run.facts.get("task") != "regression" or not trials:
        return
    sets = final_rows_of(run)
    for rows in sets.values():
        check_is_here(run, rows)
    datasets = [rows.preparation.dataset for rows in sets.values()]
    sources = [one_input(dataset) for dataset in datasets]
    experiment = Experiment.model_validate(dict(trials[0].experiment))
    own = sets[experiment.data.reading]
    source = one_input(own.preparation.dataset)
    same = all(
        source is not None
        and other is not None
        and np.array_equal(other.values, source.values)
        and np.array_equal(dataset.y, own.preparation.dataset.y)
        for other, dataset in zip(sources, datasets, strict=True)
    )
    if source is None or not same:
        return
    prepared = own.preparation.prepare(experiment.data, trials[0].seed, trials[0].fold, own.folds)
    train = prepared.split.train
    yield FitRows(trials[0].seed, source.values[train], prepared.y[train].astype(float)[:, 0])


def _trials(run: RunRecord) -> list[TrialRecord]:
    """Return the finished trials that are looked at: the first seeds of the first levels, one fold each."""
    found: dict[str, list[TrialRecord]] = {}
    for trial in run.trials:
        if trial.status == "finished" and trial.fold == 0:
            found.setdefault(trial.level, []).append(trial)
    return [trial for own in list(found.values())[:MOST_LEVELS] for trial in own[:MOST_TRIALS]]
