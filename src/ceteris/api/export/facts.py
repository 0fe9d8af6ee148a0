"""What has to be known to use an exported network, as plain data: it stands in a JSON file beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ceteris.data.dataset import Dataset
    from ceteris.records.views import RunRecord, TrialRecord
    from ceteris.spec.experiment import Experiment

PROBABILITIES = {
    "cross_entropy": "softmax",
    "nll": "exp",
    "binary_cross_entropy": "sigmoid",
    "binary_cross_entropy_probabilities": "identity",
}
"""What makes probabilities of outputs, by loss; where there is one output it is the second class's."""


def trial_facts(run: RunRecord, trial: TrialRecord, experiment: Experiment) -> dict[str, Any]:
    """Return which trained network it is."""
    from importlib.metadata import version

    from ceteris.evidence.trial_scores import recorded_epoch

    return {
        "ceteris": version("ceteris"),
        "run": run.id,
        "level": trial.level,
        "seed": trial.seed,
        "fold": trial.fold,
        "epoch": recorded_epoch(trial, experiment),
        "experiment": dict(trial.experiment),
    }


def input_facts(dataset: Dataset, experiment: Experiment, fitted: Mapping[str, Any]) -> dict[str, Any]:
    """Return what goes in: the shape of a row, what was made of it before, and how it is scaled.

    For a table the features in their order, with the categories of the columns that are one-hot, and which
    features the network does not read, since its training rows had none of their categories.
    """
    from ceteris.spec.model import ModuleModel

    found: dict[str, Any] = {
        "row": list(dataset.shape),
        "source": dataset.name,
        "range": None if dataset.value_range is None else list(dataset.value_range),
        "preparation": {name: fitted[name] for name in fitted if name != "noisy_labels"},
    }
    if dataset.before is not None:
        found["before"] = {
            "row": list(dataset.before.shape),
            "resize": experiment.data.resize,
            "project": experiment.data.project,
        }
    if dataset.table is not None:
        found["columns"] = [
            {"name": c.name, "numeric": c.numeric, "categories": list(c.categories)}
            for c in dataset.table.columns
        ]
        names = [name for c in dataset.table.columns for name in c.feature_names]
        found["features"] = names
        if fitted.get("absent") and not isinstance(experiment.model, ModuleModel):
            found["not_read"] = [names[place] for place in fitted["absent"]]
    return found


def output_facts(dataset: Dataset, loss: str) -> dict[str, Any]:
    """Return what comes out: classes and what makes probabilities, or what the numbers are."""
    if dataset.classes:
        return {"classes": list(dataset.classes), "loss": loss, "probabilities": PROBABILITIES.get(loss)}
    target = dataset.table.target if dataset.table else None
    return {"classes": [], "loss": loss, "target": target}
