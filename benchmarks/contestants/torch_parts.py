"""What all contestants on PyTorch share: the network, the optimiser, and a loader for rows in memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SequentialSampler,
    TensorDataset,
)

from benchmarks.task import Rows, Task


def network(task: Task) -> nn.Sequential:
    """Linear layers with ReLU and dropout between them, behind convolutions where the model has them."""
    layers = convolutions(task) if task.convolutional else []
    for hidden in task.hidden:
        layers.append(nn.LazyLinear(hidden))
        if task.batch_norm:
            layers.append(nn.BatchNorm1d(hidden))
        layers.append(nn.ReLU())
        if task.dropout:
            layers.append(nn.Dropout(task.dropout))
    model = nn.Sequential(*layers, nn.LazyLinear(task.outputs))
    with (
        torch.no_grad()
    ):  # tells the lazy layers how wide their inputs are; batch norm learns nothing from it
        model.eval()(torch.from_numpy(task.train.x[:2]))
    return model.train().to(task.device)


def convolutions(task: Task) -> list[nn.Module]:
    """3 x 3 convolutions, each with batch norm, ReLU and 2 x 2 max pooling, then flat."""
    layers: list[nn.Module] = [nn.Unflatten(1, task.image)]
    channels = task.image[0]
    for wanted in task.model["convolutions"]:
        layers.append(nn.Conv2d(channels, wanted, 3, padding=1))
        if task.batch_norm:
            layers.append(nn.BatchNorm2d(wanted))
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
        channels = wanted
    return [*layers, nn.Flatten()]


def optimizer_class(task: Task) -> Any:
    kinds = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
    return kinds[task.optimizer["kind"]]


def optimizer_settings(task: Task) -> dict[str, Any]:
    return {name: value for name, value in task.optimizer.items() if name != "kind"} | {"lr": task.rates[0]}


def loss_function(task: Task) -> nn.Module:
    return nn.CrossEntropyLoss() if task.classification else nn.MSELoss()


def as_dataset(rows: Rows) -> TensorDataset:
    return TensorDataset(torch.from_numpy(rows.x), torch.from_numpy(rows.y))


def batched_loader(dataset: Any, batch_size: int, shuffle: bool = False) -> DataLoader[Any]:
    """Fetch a whole batch of a dataset by one indexing, as PyTorch's data page advises for bulk reads.

    The usual loader takes rows one by one and stacks them again, ten times slower for rows in memory.
    """
    order = RandomSampler(dataset) if shuffle else SequentialSampler(dataset)
    return DataLoader(dataset, batch_size=None, sampler=BatchSampler(order, batch_size, drop_last=False))


def precision(task: Task) -> torch.autocast:
    """Return the context in which a contestant runs a network in the precision of the row."""
    return torch.autocast(task.device, torch.bfloat16, enabled=task.precision == "bfloat16")


def count_right(task: Task, outputs: Tensor, targets: Tensor) -> Tensor:
    """How many predicted classes are right; not a number for regression."""
    return (outputs.argmax(1) == targets).sum() if task.classification else torch.tensor(torch.nan)


@torch.no_grad()
def evaluate(model: nn.Module, batches: Iterable[Any], task: Task) -> tuple[float, float]:
    """Return loss and accuracy per row, in evaluation mode."""
    model.eval()
    loss_of = loss_function(task)
    loss = right = rows = 0.0
    for inputs, targets in batches:
        x, y = inputs.to(task.device), targets.to(task.device)
        outputs = model(x)
        loss += loss_of(outputs, y).item() * len(y)
        right += count_right(task, outputs, y).item()
        rows += len(y)
    return loss / rows, right / rows
