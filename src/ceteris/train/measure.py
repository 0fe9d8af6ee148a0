"""What is measured at the end of every epoch, by which name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ceteris.data.preparation import Prepared
from ceteris.nets.architecture import Architecture, Linear
from ceteris.nets.reading import own_part, reading_layer
from ceteris.spec.experiment import Experiment
from ceteris.spec.penalty import penalties_of
from ceteris.train.cpu.sums import norms_and_spreads
from ceteris.train.engine import Totals
from ceteris.train.hyper import WEIGHTS, tensor_table
from ceteris.train.penalties import penalty_value

if TYPE_CHECKING:
    from torch import Tensor

Metric = Callable[..., float]
"""A metric of the user's own: (outputs (n, k), targets (n,) or (n, k)), torch tensors -> a number."""

Columns = dict[str, NDArray[np.float64]]

PENALTY = "penalty"
"""The value of the penalty, recorded where a trial has one."""


def running_measurements(totals: Totals, *, classes: bool) -> Columns:
    """Means over the epoch's batches while the weights changed, in training mode."""
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = {"train_loss_running": totals.loss / totals.rows}
        if classes:
            columns["train_accuracy_running"] = totals.right / totals.rows
    if totals.loss_scale is not None and totals.skipped is not None:
        columns |= {"loss_scale": totals.loss_scale, "skipped_steps": totals.skipped.astype(np.float64)}
    return columns | {"grad_norm": totals.grad_norm}


def evaluated_measurements(split: str, results: NDArray[np.float64], *, classes: bool) -> Columns:
    """Mean loss and accuracy on a split (``train`` or ``val``) in evaluation mode; results (M, 2)."""
    columns = {f"{split}_loss": results[:, 0]}
    if classes:
        columns[f"{split}_accuracy"] = results[:, 1]
    return columns


def parameter_measurements(
    net: Architecture,
    parameters: NDArray[np.floating],
    widths: Sequence[int],
    *,
    layers: bool = True,
) -> Columns:
    """The 2-norm of all parameters; of each tensor ``weight_norm/<name>`` and its spread ``std/<name>``.

    ``widths`` (M,) are the columns that rows have: the zeros behind them count in no spread. Without
    ``layers``, of all parameters alone.
    """
    tensors = net.parameters
    norms = np.zeros((len(parameters), len(tensors) + 1))
    spreads = np.zeros((len(parameters), len(tensors) if layers else 0))
    # The order of a kernel's sums depends on whether it knows that its numbers lie side by side, which those
    # of a member always do and those of a stack of modules do not.
    parts = [slice(None)] if parameters.flags.c_contiguous else [slice(m, m + 1) for m in range(len(norms))]
    for own in parts:
        norms_and_spreads(parameters[own], tensor_table(net), norms[own], spreads[own])
    columns: Columns = {"weight_norm": norms[:, -1].copy()}
    if not layers:
        return columns
    columns |= {f"std/{t.name}": spreads[:, place] for place, t in enumerate(tensors)}
    with np.errstate(over="ignore", invalid="ignore"):
        _spread_of_own(columns, net, parameters, widths)
    return columns | {f"weight_norm/{t.name}": norms[:, place] for place, t in enumerate(tensors)}


def unit_measurements(net: Architecture, parameters: NDArray[np.floating], widths: Sequence[int]) -> Columns:
    """How far units differ in the weights into them, and out of them, of every weight matrix.

    ``std_over_outputs/<name>`` is the root mean square of the standard deviations over the first axis, the
    outputs, at each input; ``std_over_inputs/<name>`` that of those over the second. 0 where all are alike.
    ``widths`` as in ``parameter_measurements``.
    """
    columns: Columns = {}
    for tensor in net.parameters:
        if len(tensor.shape) < 2:
            continue
        found = np.empty((2, len(parameters)))
        for place, (own, width) in enumerate(zip(parameters, widths, strict=True)):
            matrix = own_part(net, tensor, own, width).astype(np.float64)
            found[:, place] = [np.sqrt(matrix.var(axis=axis).mean()) for axis in (0, 1)]
        columns[f"std_over_outputs/{tensor.name}"], columns[f"std_over_inputs/{tensor.name}"] = found
    return columns


def _spread_of_own(
    columns: Columns, net: Architecture, parameters: NDArray[np.floating], widths: Sequence[int]
) -> None:
    layer = reading_layer(net)
    if layer is None:
        return
    for place, width in enumerate(widths):
        if width < net.n_in:
            own = own_part(net, layer.weight, parameters[place], width)
            columns[f"std/{layer.weight.name}"][place] = own.std(dtype=np.float64)


def rate_measurements(rates: NDArray[np.float64]) -> Columns:
    """The learning rate of the weights at the epoch's last step; rates (M, groups, 1 or steps)."""
    return {"lr": rates[:, WEIGHTS, -1].copy()}


def truth_measurements(
    net: Architecture,
    experiments: Sequence[Experiment],
    parameters: NDArray[np.floating],
    truth: Mapping[str, Any],
) -> Columns:
    """How far the coefficients of linear networks are from the truth that their rows were drawn from.

    The largest distance of a weight, ``weight_error``, and that of the bias, ``bias_error`` (where there is
    one). Nothing for other networks or without a truth; NaN for members whose inputs or targets were scaled,
    since their coefficients are those of other numbers.
    """
    weights, head = truth.get("weights", ()), net.layers[0]
    if len(net.layers) > 1 or not isinstance(head, Linear) or len(weights) != head.weight.size:
        return {}
    own = parameters[:, head.weight.offset : head.weight.offset + head.weight.size].astype(np.float64)
    columns = {"weight_error": np.abs(own - np.asarray(weights)).max(axis=1)}
    if head.bias is not None and "bias" in truth:
        columns["bias_error"] = np.abs(parameters[:, head.bias.offset].astype(np.float64) - truth["bias"])
    own_scale = ("none", "none")
    scaled = [(e.data.scale, e.data.target_scale) != own_scale for e in experiments]
    return {name: np.where(scaled, np.nan, values) for name, values in columns.items()}


def penalty_measurements(
    net: Architecture,
    experiments: Sequence[Experiment],
    parameters: NDArray[np.floating],
    active: NDArray[np.bool_],
    widths: Sequence[int],
) -> Columns:
    """The values of the members' penalties at the end of the epoch, if any member has one."""
    if not any(penalties_of(experiment.penalty) for experiment in experiments):
        return {}
    values = np.full(len(experiments), np.nan)
    for place in map(int, np.flatnonzero(active)):
        values[place] = penalty_value(net, experiments[place], parameters[place], widths[place])
    return {PENALTY: values}


def log_rmse(outputs: Tensor, targets: Tensor) -> float:
    """The root mean square of log max(output, 1) - log target, over rows and outputs."""
    errors = outputs.double().clamp(min=1).log() - targets.double().reshape(outputs.shape).log()
    return float(errors.square().mean().sqrt())


def rmse(outputs: Tensor, targets: Tensor) -> float:
    """The root mean square of output - target, over rows and outputs."""
    errors = outputs.double() - targets.double().reshape(outputs.shape)
    return float(errors.square().mean().sqrt())


PROVIDED: Mapping[str, Metric] = {"log_rmse": log_rmse, "rmse": rmse}
"""The metrics of ``ceteris.spec.metrics.PROVIDED_METRICS``."""


def user_measurements(
    split: str,
    metrics: Mapping[str, Metric],
    outputs: NDArray[np.float32],
    prepared: Sequence[Prepared],
    rows: Sequence[NDArray[np.int64]],
    active: NDArray[np.bool_],
) -> Columns:
    """The user's own metrics, in the targets' own units; outputs (M, n, k), up to n ``rows`` of each."""
    import torch

    columns: Columns = {}
    for name, metric in metrics.items():
        values = np.full(len(outputs), np.nan)
        for place in map(int, np.flatnonzero(active)):
            own = prepared[place].measured[rows[place]]
            found = prepared[place].in_units(outputs[place][: len(own)])
            answer = metric(torch.from_numpy(found), torch.from_numpy(own))
            values[place] = float(answer)
        columns[f"{split}_{name}"] = values
    return columns
