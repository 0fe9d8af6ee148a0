"""A recorded trial's network, built again from its experiment and the facts of its data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ceteris.errors import CeterisError

if TYPE_CHECKING:
    from ceteris.nets.architecture import Architecture
    from ceteris.nets.module import Network
    from ceteris.records.views import RunRecord, TrialRecord
    from ceteris.spec.model import ModelSpec


def recorded_network(
    run: RunRecord, trial: TrialRecord, which: Literal["final", "initial"] = "final"
) -> Network:
    """Return a trial's network with its final or initial weights, in evaluation mode.

    Raises ``CeterisError`` where the weights are not on record or do not fit.
    """
    from ceteris.nets.architecture import dropout_rates
    from ceteris.nets.module import Network, load_tensors
    from ceteris.records.store import Store
    from ceteris.spec.experiment import Experiment

    if which not in ("final", "initial"):
        raise CeterisError(f"'{which}' is not a state of a network; it is `final` or `initial`")
    model = Experiment.model_validate(dict(trial.experiment)).model
    with Store(run.folder.parent, create=False) as store:
        tensors = store.load_weights(run.id, trial.identity, which)
    network = Network(_architecture(model, run), dropout_rates(model))
    load_tensors(network, tensors)
    return network.eval()


def _architecture(model: ModelSpec, run: RunRecord) -> Architecture:
    from ceteris.nets.architecture import architecture

    facts = run.facts
    outputs = 1
    for extent in facts["target_shape"]:
        outputs *= int(extent)
    return architecture(model, int(facts["features"]), len(facts["classes"]) or outputs)
