"""The gradient of the loss by every parameter of a recorded network, on rows that are given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ceteris.api.networks import Which, recorded_network
from ceteris.errors import CeterisError, Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ceteris.api.own_modules import Factory
    from ceteris.data.dataset import Dataset
    from ceteris.records.views import RunRecord, TrialRecord


def loss_gradients(
    run: RunRecord,
    trial: TrialRecord,
    x: Any,
    y: Any,
    which: Which = "final",
    *,
    data_dir: str | Path | None = None,
    model: Factory | None = None,
) -> dict[str, NDArray[Any]]:
    """Return the gradient of the mean loss by each parameter, in evaluation mode; see ``Trial.gradients``."""
    import torch

    from ceteris.api.final_rows import given_rows
    from ceteris.spec.experiment import Experiment
    from ceteris.train.modules.user import as_table
    from ceteris.train.objective import resolved_loss
    from ceteris.train.scoring import as_targets, mean_loss

    experiment = Experiment.model_validate(dict(trial.experiment))
    rows = given_rows(run, experiment.data, x, data_dir)
    inputs = rows.inputs(experiment, trial.seed, trial.fold)
    dataset = rows.preparation.dataset
    targets = as_targets(_checked(y, dataset, len(inputs)))
    network = recorded_network(run, trial, which, model)
    named = {name: own for name, own in network.named_parameters() if own.requires_grad}
    loss = mean_loss(experiment, resolved_loss(experiment, dataset), as_table(network(inputs)), targets)
    found = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    return {
        name: (torch.zeros_like(own) if gradient is None else gradient).numpy()
        for (name, own), gradient in zip(named.items(), found, strict=True)
    }


def _checked(y: Any, dataset: Dataset, rows: int) -> NDArray[Any]:
    """Return targets as an array: class numbers, or numbers to predict. Raises ``CeterisError``."""
    import numpy as np

    found = np.asarray(y.detach().cpu() if hasattr(y, "detach") else y)
    if len(found) != rows:
        raise CeterisError(Problem(f"there are {len(found)} targets for {rows} rows", where="y"))
    if not dataset.classes:
        return found.astype(np.float32)
    whole = found.dtype.kind in "iu"
    if not whole or found.min(initial=0) < 0 or found.max(initial=0) >= len(dataset.classes):
        most = len(dataset.classes) - 1
        raise CeterisError(
            Problem(f"targets of `{dataset.name}` are class numbers from 0 to {most}", where="y")
        )
    return found
