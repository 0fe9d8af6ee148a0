"""The peer: one plain PyTorch script per member, as a tutorial writes it.

TensorDataset and DataLoader over tensors in memory, zero_grad / backward / step, and one evaluation
of the validation rows and of as many training rows per epoch, as Ceteris does it. PyTorch keeps its
default number of threads.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def network(n_in: int, n_out: int, model: dict[str, Any]) -> nn.Sequential:
    layers: list[nn.Module] = []
    width = n_in
    for hidden in model["hidden"]:
        layers += [nn.Linear(width, hidden), nn.ReLU()]
        if model.get("dropout"):
            layers.append(nn.Dropout(model["dropout"]))
        width = hidden
    return nn.Sequential(*layers, nn.Linear(width, n_out))


def optimizer(parameters: Any, spec: dict[str, Any]) -> torch.optim.Optimizer:
    kinds = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
    return kinds[spec["kind"]](parameters, **{k: v for k, v in spec.items() if k != "kind"})


@torch.no_grad()
def accuracy(model: nn.Module, loader: DataLoader[Any]) -> float:
    model.eval()
    right = sum((model(x).argmax(1) == y).sum().item() for x, y in loader)
    return right / len(loader.dataset)  # type: ignore[arg-type]


def train(
    x: np.ndarray, y: np.ndarray, split: Any, experiment: dict[str, Any], *, rows: int
) -> tuple[float, float]:
    """Train one member for one epoch on the first ``rows`` training rows.

    Returns:
        Seconds of training and evaluation (not of setting up), and the validation accuracy.
    """

    def loader(numbers: np.ndarray, batch: int, shuffle: bool) -> DataLoader[Any]:
        data = TensorDataset(torch.from_numpy(x[numbers]), torch.from_numpy(y[numbers]))
        return DataLoader(data, batch_size=batch, shuffle=shuffle)

    training = loader(split.train[:rows], experiment["batch_size"], True)
    validation = loader(split.validation, 256, False)
    measured = loader(split.train[: len(split.validation)], 256, False)
    model = network(x.shape[1], int(y.max()) + 1, experiment["model"])
    update = optimizer(model.parameters(), experiment["optimizer"])
    loss_function = nn.CrossEntropyLoss()
    begin = time.perf_counter()
    for _ in range(experiment["epochs"]):
        model.train()
        for batch, labels in training:
            update.zero_grad()
            loss = loss_function(model(batch), labels)
            loss.backward()
            update.step()
        accuracy(model, measured)
        reached = accuracy(model, validation)
    return time.perf_counter() - begin, reached
