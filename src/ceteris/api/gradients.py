"""The gradient of the loss by every parameter of a recorded network, on rows that are given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ceteris.api.final_rows import called, given_rows
from ceteris.api.networks import Which, recorded_network
from ceteris.errors import CeterisError, Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ceteris.api.own_modules import OwnModel
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
    model: OwnModel | None = None,
) -> dict[str, NDArray[Any]]:
    """Return the gradient of the mean loss by each parameter, in evaluation mode; see ``Trial.gradients``."""
    import torch

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
    if found.ndim == 0:
        raise CeterisError(Problem(f"a value of type {type(y).__name__} holds no targets of rows", where="y"))
    if len(found) != rows:
        raise CeterisError(Problem(f"there are {len(found)} targets for {rows} rows", where="y"))
    if not dataset.classes:
        return _numbers(found, dataset)
    whole = found.dtype.kind in "iu" and found.ndim == 1
    if not whole or found.min(initial=0) < 0 or found.max(initial=0) >= len(dataset.classes):
        most = len(dataset.classes) - 1
        raise CeterisError(
            Problem(
                f"targets of {called(dataset)} are class numbers (rows,) from 0, `{dataset.classes[0]}`, to "
                f"{most}, `{dataset.classes[most]}`",
                where="y",
            )
        )
    return found


def _numbers(y: NDArray[Any], dataset: Dataset) -> NDArray[Any]:
    """Return numbers to predict in the shape that the data's have. Raises ``CeterisError``."""
    shape = dataset.y.shape[1:]
    if y.dtype.kind not in "biuf" or y.shape[1:] not in (shape, (*shape, 1)):
        raise CeterisError(
            Problem(
                f"targets of {called(dataset)} are numbers of shape "
                f"({', '.join(('rows', *map(str, shape)))}), and these are of type {y.dtype} "
                f"and shape {y.shape}",
                where="y",
            )
        )
    return y.reshape(len(y), *shape).astype("float32")
