"""What the report's figures need besides the record: from the networks that were kept and their data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from ceteris.errors import CeterisError

if TYPE_CHECKING:
    from ceteris.records.views import RunRecord, TrialRecord
    from ceteris.report.extras import Extras

T = TypeVar("T")


def extras_of(run: RunRecord) -> Extras:
    """Return what can be had of a run now. What cannot, since its weights or data are gone, is left out.

    Nothing is downloaded for it, and no test row is read.
    """
    from ceteris.api.fits import fit_rows, fits_of
    from ceteris.api.landscape import kept_landscape
    from ceteris.api.regression import coefficients_of, predicted_of
    from ceteris.records.probed import confusions, histograms
    from ceteris.report.extras import Extras

    fits = _possible(fits_of, run)
    return Extras(
        parameters=parameter_counts(run),
        predicted=_possible(predicted_of, run),
        coefficients=_possible(coefficients_of, run),
        fits=fits,
        fit_rows=next(iter(_possible(fit_rows, run)), None) if fits else None,
        histograms=_possible(histograms, run),
        confusions=_possible(confusions, run),
        landscape=kept_landscape(run),
    )


def _possible(find: Callable[[RunRecord], Iterable[T]], run: RunRecord) -> tuple[T, ...]:
    """Return what is found, or nothing where the run lacks what it takes."""
    try:
        return tuple(find(run))
    except CeterisError:
        return ()


def parameter_counts(run: RunRecord) -> dict[str, int]:
    """Return level -> parameters of its network, each counted once.

    Of a table, those of the columns that the training rows of the first trial have. A level whose networks
    are code of the user's own, or read a table, and left no weights is missing.
    """
    first: dict[str, TrialRecord] = {}
    for trial in run.trials:
        if trial.level not in first or first[trial.level].status != "finished":
            first[trial.level] = trial
    counts: dict[str, int] = {}
    for level, trial in first.items():
        try:
            counts[level] = _parameters(run, trial)
        except CeterisError:
            continue
    return counts


def _parameters(run: RunRecord, trial: TrialRecord) -> int:
    from ceteris.api.networks import facts_of, recorded_architecture, recorded_weights
    from ceteris.spec.experiment import Experiment
    from ceteris.spec.model import ModuleModel

    experiment = Experiment.model_validate(dict(trial.experiment))
    if isinstance(experiment.model, ModuleModel):
        # Spreads are recorded of parameters, not of buffers, and of a tied one once.
        weights = recorded_weights(run, trial)
        return sum(array.size for name, array in weights.items() if f"std/{name}" in trial.curves)
    facts = facts_of(run, experiment.data.reading)
    shapes = None
    if "columns" in facts:  # of a table a trial may have read some
        shapes = {name: array.shape for name, array in recorded_weights(run, trial).items()}
    return recorded_architecture(experiment.model, facts, experiment.loss, shapes).n_parameters
