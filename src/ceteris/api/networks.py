"""A recorded trial's network, built again from its experiment and the facts of its data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ceteris.errors import CeterisError

Which = Literal["final", "initial"]

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from ceteris.nets.architecture import Architecture, BuiltInModel
    from ceteris.nets.module import Network
    from ceteris.records.views import RunRecord, TrialRecord


def recorded_network(run: RunRecord, trial: TrialRecord, which: Which = "final") -> Network:
    """Return a trial's network with its final or initial weights, in evaluation mode.

    Raises ``CeterisError`` where the weights are not on record or do not fit.
    """
    import numpy as np

    from ceteris.nets.architecture import dropout_rates
    from ceteris.nets.module import Network, load_tensors
    from ceteris.spec.experiment import Experiment
    from ceteris.spec.model import ModuleModel

    experiment = Experiment.model_validate(dict(trial.experiment))
    model, facts = experiment.model, facts_of(run, experiment.data.source)
    if isinstance(model, ModuleModel):
        raise CeterisError(
            f"`{model.name}` is code of your own, which a record does not hold; make the network yourself "
            "and load what `weights()` returns into it"
        )
    tensors = recorded_weights(run, trial, which)
    network = Network(_architecture(model, facts), dropout_rates(model))
    load_tensors(network, {name: tensor.astype(np.float32) for name, tensor in tensors.items()})
    return network.eval()


def recorded_weights(run: RunRecord, trial: TrialRecord, which: Which = "final") -> dict[str, NDArray[Any]]:
    """Return a trial's final or initial weights by name, as arrays.

    Raises ``CeterisError`` where they are not on record.
    """
    from ceteris.records.store import Store

    if which not in ("final", "initial"):
        raise CeterisError(f"'{which}' is not a state of a network; it is `final` or `initial`")
    with Store(run.folder.parent, create=False) as store:
        return dict(store.load_weights(run.id, trial.identity, which))


def prepared_inputs(
    run: RunRecord, trial: TrialRecord, x: Any, data_dir: str | Path | None = None
) -> torch.Tensor:
    """Return rows scaled as the training rows of a recorded trial were, as float32 (rows, features).

    Raises ``CeterisError`` where the trial's data is gone or is not the same, and for rows of another shape.
    """
    import torch

    from ceteris.data import Preparation, load, prepare_rows
    from ceteris.data.user_arrays import as_inputs
    from ceteris.lab.datasets import found_again
    from ceteris.spec.experiment import Experiment

    spec = Experiment.model_validate(dict(trial.experiment)).data
    folder = data_dir or run.facts.get("data_folder")
    dataset = load(found_again(spec.source, run.folder.parent), Path(folder) if folder else None)
    inputs = as_inputs(x, "x")
    if inputs.shape[1:] != dataset.x.shape[1:]:
        raise CeterisError(
            f"`x` has rows of shape {inputs.shape[1:]}; those of `{dataset.name}` are {dataset.x.shape[1:]}"
        )
    return torch.from_numpy(prepare_rows(inputs, Preparation(dataset).prepare(spec, trial.seed).fitted))


def facts_of(run: RunRecord, source: str) -> Mapping[str, Any]:
    """Return the recorded facts of one of the data sets that a run reads."""
    facts: Mapping[str, Any] = run.facts.get("other_data", {}).get(source, run.facts)
    return facts


def _architecture(model: BuiltInModel, facts: Mapping[str, Any]) -> Architecture:
    from ceteris.nets.architecture import architecture

    outputs = math.prod(int(extent) for extent in facts["target_shape"])
    shape = tuple(map(int, facts["shape"]))
    return architecture(model, int(facts["features"]), len(facts["classes"]) or outputs, shape)
