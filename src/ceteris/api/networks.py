"""A recorded trial's network, built again from its experiment and the facts of its data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from ceteris.errors import CeterisError

if TYPE_CHECKING:
    from ceteris.nets.architecture import Architecture
    from ceteris.nets.module import Network
    from ceteris.records.views import RunRecord, TrialRecord
    from ceteris.spec.model import MLP, LinearModel


def recorded_network(
    run: RunRecord, trial: TrialRecord, which: Literal["final", "initial"] = "final"
) -> Network:
    """Return a trial's network with its final or initial weights, in evaluation mode.

    Raises ``CeterisError`` where the weights are not on record or do not fit.
    """
    import numpy as np

    from ceteris.nets.architecture import dropout_rates
    from ceteris.nets.module import Network, load_tensors
    from ceteris.records.store import Store
    from ceteris.spec.experiment import Experiment

    if which not in ("final", "initial"):
        raise CeterisError(f"'{which}' is not a state of a network; it is `final` or `initial`")
    experiment = Experiment.model_validate(dict(trial.experiment))
    with Store(run.folder.parent, create=False) as store:
        tensors = store.load_weights(run.id, trial.identity, which)
    facts = facts_of(run, experiment.data.source)
    network = Network(_architecture(experiment.model, facts), dropout_rates(experiment.model))
    load_tensors(network, {name: tensor.astype(np.float32) for name, tensor in tensors.items()})
    return network.eval()


def facts_of(run: RunRecord, source: str) -> Mapping[str, Any]:
    """Return the recorded facts of one of the data sets that a run reads."""
    facts: Mapping[str, Any] = run.facts.get("other_data", {}).get(source, run.facts)
    return facts


def _architecture(model: LinearModel | MLP, facts: Mapping[str, Any]) -> Architecture:
    from ceteris.nets.architecture import architecture

    outputs = math.prod(int(extent) for extent in facts["target_shape"])
    return architecture(model, int(facts["features"]), len(facts["classes"]) or outputs)
