"""A recorded trial's network, built again from its experiment and the facts of its data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ceteris.api.own_modules import factory_for
from ceteris.errors import CeterisError

Which = Literal["final", "initial"]

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from ceteris.api.own_modules import OwnModel
    from ceteris.nets.architecture import Architecture, BuiltInModel
    from ceteris.records.views import RunRecord, TrialRecord
    from ceteris.spec.model import ModuleModel


def recorded_network(
    run: RunRecord, trial: TrialRecord, which: Which = "final", model: OwnModel | None = None
) -> torch.nn.Module:
    """Return a trial's network with its final or initial weights, in evaluation mode.

    Args:
        model: what makes the network, where it is one of the user's own that was not given in this process.

    Raises ``CeterisError`` where the weights are not on record or do not fit.
    """
    import numpy as np

    from ceteris.nets.architecture import dropout_rates
    from ceteris.nets.module import Network, load_tensors
    from ceteris.spec.experiment import Experiment
    from ceteris.spec.model import ModuleModel

    experiment = Experiment.model_validate(dict(trial.experiment))
    spec, facts = experiment.model, facts_of(run, experiment.data.reading)
    tensors = recorded_weights(run, trial, which)
    if isinstance(spec, ModuleModel):
        return _own_network(spec, facts, trial.seed, tensors, model)
    shapes = {name: own.shape for name, own in tensors.items()}
    network = Network(recorded_architecture(spec, facts, experiment.loss, shapes), dropout_rates(spec))
    load_tensors(network, {name: tensor.astype(np.float32) for name, tensor in tensors.items()})
    return network.eval()


def _own_network(
    spec: ModuleModel,
    facts: Mapping[str, Any],
    seed: int,
    tensors: Mapping[str, NDArray[Any]],
    given: OwnModel | None,
) -> torch.nn.Module:
    """Make a network of the user's own once more and set its recorded weights."""
    from ceteris.train.modules.user import remade_module

    factory = factory_for(spec.name, spec.source, given)
    return remade_module(spec, factory, tuple(map(int, facts["shape"])), seed, tensors)


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

    For a network of the user's own they come in the shape that it was trained on.

    Raises ``CeterisError`` where the trial's data is gone or is not the same, and for rows of another shape.
    """
    from ceteris.api.final_rows import given_rows
    from ceteris.spec.experiment import Experiment

    experiment = Experiment.model_validate(dict(trial.experiment))
    return given_rows(run, experiment.data, x, data_dir).inputs(experiment, trial.seed, trial.fold)


def facts_of(run: RunRecord, source: str) -> Mapping[str, Any]:
    """Return the recorded facts of one of the data sets that a run reads."""
    facts: Mapping[str, Any] = run.facts.get("other_data", {}).get(source, run.facts)
    return facts


def recorded_architecture(
    model: BuiltInModel,
    facts: Mapping[str, Any],
    loss: str,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> Architecture:
    """Return the architecture that a built-in model has for data with these recorded facts.

    ``shapes`` are those of a trial's parameters by name, where it is to be as wide as the columns that the
    trial's training rows had of a table.
    """
    from ceteris.nets.architecture import architecture
    from ceteris.nets.reading import columns_of
    from ceteris.spec.losses import ONE_OUTPUT

    outputs = math.prod(int(extent) for extent in facts["target_shape"])
    classes = 1 if loss in ONE_OUTPUT else len(facts["classes"])
    shape = tuple(map(int, facts["shape"]))
    net = architecture(model, int(facts["features"]), classes or outputs, shape)
    columns = net.n_in if shapes is None else columns_of(net, shapes)
    if columns == net.n_in:
        return net
    return architecture(model, columns, net.n_out, (columns,), net.n_in)
