"""Regressions looked at closely: predictions for the validation rows, coefficients beside the truth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ceteris.errors import CeterisError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ceteris.api.final_rows import FinalRows
    from ceteris.data.preparation import Prepared
    from ceteris.records.views import RunRecord, TrialRecord
    from ceteris.report.extras import Coefficients, Predicted
    from ceteris.spec.experiment import Experiment

MOST_READ = 50_000_000
"""Numbers in a data set that is read once more for figures, at most."""
MOST_LEVELS = 12
"""Levels whose predictions are looked at, at most: the first of the study."""


def predicted_of(run: RunRecord) -> Iterator[Predicted]:
    """Yield what the first finished seed of each level predicts for its validation rows, folds together.

    Where no rows validate, the training rows stand in. Nothing where targets are classes. Raises
    ``CeterisError`` where data or networks are gone.
    """
    import numpy as np

    from ceteris.api.final_rows import final_rows_of
    from ceteris.report.extras import Predicted
    from ceteris.spec.experiment import Experiment

    if run.facts.get("task") != "regression":
        return
    sets = final_rows_of(run)
    for trials in _first_seeds(run):
        experiment = Experiment.model_validate(dict(trials[0].experiment))
        rows = sets[experiment.data.reading]
        check_is_here(run, rows)
        found = [_predict(run, trial, experiment, rows) for trial in trials]
        targets, predictions = (
            np.concatenate(part) for part in zip(*(pair for pair, _ in found), strict=True)
        )
        yield Predicted(trials[0].level, trials[0].seed, targets, predictions, all(own for _, own in found))


def _first_seeds(run: RunRecord) -> list[list[TrialRecord]]:
    """Return for each level the finished trials of its first seed that has any."""
    found: dict[str, list[TrialRecord]] = {}
    for trial in run.trials:
        own = found.setdefault(trial.level, []) if trial.status == "finished" else None
        if own is not None and (not own or own[0].seed == trial.seed):
            own.append(trial)
    return list(found.values())[:MOST_LEVELS]


def _predict(
    run: RunRecord, trial: TrialRecord, experiment: Experiment, rows: FinalRows
) -> tuple[tuple[NDArray[np.float64], NDArray[np.float64]], bool]:
    """Return targets and predictions (n, outputs), and whether the rows validate."""
    import torch

    from ceteris.api.final_rows import as_inputs_of
    from ceteris.api.networks import recorded_network
    from ceteris.train.scoring import outputs_of

    prepared = rows.preparation.prepare(experiment.data, trial.seed, trial.fold, rows.folds)
    validated = len(prepared.split.validation) > 0
    chosen = prepared.split.validation if validated else prepared.split.train
    own = torch.from_numpy(prepared.x[chosen])
    inputs = as_inputs_of(experiment, rows.preparation.dataset, own, prepared.fitted)
    outputs = prepared.in_units(outputs_of(recorded_network(run, trial), inputs).numpy())
    return (prepared.measured[chosen].astype(float), outputs.astype(float)), validated


def check_is_here(run: RunRecord, rows: FinalRows) -> None:
    """Raise ``CeterisError`` where reading the rows again would mean to download them, or take long."""
    from ceteris.api.networks import facts_of
    from ceteris.data.reduction import split_reading
    from ceteris.data.sources import find_source

    base, _ = split_reading(rows.source)
    if find_source(base, rows.folder).place(rows.folder) is None:
        raise CeterisError(f"the files of `{base}` are not on this machine")
    facts = facts_of(run, rows.source)
    if int(facts["rows"]) * int(facts["features"]) > MOST_READ:
        raise CeterisError(f"`{base}` is too large to be read once more for a figure")


def coefficients_of(run: RunRecord) -> Iterator[Coefficients]:
    """Yield for each level what its linear networks learned, where it is known what rows were drawn from.

    Coefficients are for inputs in the units of the data, however the network's own inputs were scaled.
    Raises ``CeterisError`` where weights or data are gone.
    """
    import numpy as np

    from ceteris.report.extras import Coefficients

    by_level: dict[str, list[TrialRecord]] = {}
    for trial in run.trials:
        if trial.status == "finished":
            by_level.setdefault(trial.level, []).append(trial)
    for level, trials in by_level.items():
        truth = _truth(run, trials[0])
        if truth is not None:
            names, values = truth
            learned = np.stack([_learned(run, trial, len(names)) for trial in trials])
            yield Coefficients(level, names, values, learned)


def _truth(run: RunRecord, trial: TrialRecord) -> tuple[tuple[str, ...], NDArray[np.float64]] | None:
    """Return names and true values of the coefficients of a trial's network; None for other networks."""
    import numpy as np

    from ceteris.api.networks import facts_of, recorded_architecture
    from ceteris.nets.architecture import Linear
    from ceteris.spec.experiment import Experiment
    from ceteris.spec.model import ModuleModel

    experiment = Experiment.model_validate(dict(trial.experiment))
    facts = facts_of(run, experiment.data.reading)
    truth = facts.get("truth", {})
    weights = truth.get("weights", ())
    other_targets = experiment.data.target_scale != "none"
    if isinstance(experiment.model, ModuleModel) or not weights or other_targets:
        return None
    net = recorded_architecture(experiment.model, facts, experiment.loss)
    head = net.layers[0]
    if len(net.layers) > 1 or not isinstance(head, Linear) or head.weight.size != len(weights):
        return None
    names = tuple(f"w{k}" for k in range(1, len(weights) + 1))
    if head.bias is None or "bias" not in truth:
        return names, np.asarray(weights, dtype=np.float64)
    return (*names, "b"), np.array([*weights, truth["bias"]], dtype=np.float64)


def _learned(run: RunRecord, trial: TrialRecord, count: int) -> NDArray[np.float64]:
    """Return the weights of a linear network, and its bias where ``count`` asks for one more, (count,)."""
    import numpy as np

    from ceteris.api.networks import recorded_weights
    from ceteris.spec.experiment import Experiment

    experiment = Experiment.model_validate(dict(trial.experiment))
    tensors = recorded_weights(run, trial)
    weight = tensors["head.weight"].astype(np.float64).reshape(-1)
    bias = float(tensors["head.bias"][0]) if "head.bias" in tensors else 0.0
    if experiment.data.scale != "none":
        weight, bias = in_units_of_data(weight, bias, _prepared(run, trial, experiment))
    return np.array([*weight, bias][:count])


def _prepared(run: RunRecord, trial: TrialRecord, experiment: Experiment) -> Prepared:
    from ceteris.api.final_rows import final_rows_of

    rows = final_rows_of(run)[experiment.data.reading]
    check_is_here(run, rows)
    return rows.preparation.prepare(experiment.data, trial.seed, trial.fold, rows.folds)


def in_units_of_data(
    weight: NDArray[np.float64], bias: float, prepared: Prepared
) -> tuple[NDArray[np.float64], float]:
    """Return weights (F,) and bias for unscaled x that do what w (x - shift) / divisor + b does."""
    import numpy as np

    shift, divisor = (np.asarray(prepared.fitted[name], dtype=np.float64) for name in ("shift", "divisor"))
    own = weight / divisor
    return own, bias - float(np.sum(own * shift))
