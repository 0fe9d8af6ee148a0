"""skorch: NeuralNetClassifier and NeuralNetRegressor with its default scores, without the printed log."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet, NeuralNetClassifier, NeuralNetRegressor
from skorch.callbacks import Callback
from skorch.helper import predefined_split
from torch.utils.data import Dataset

from benchmarks.contestants import torch_parts
from benchmarks.task import EVALUATION_BATCH, Outcome, Task, float32_alone


class MeasureTrainingRows(Callback):
    """Evaluates the slice of training rows; the validation rows are skorch's own business."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def on_epoch_end(self, net: NeuralNet, **_: Any) -> None:
        loader = net.get_iterator(torch_parts.as_dataset(self.task.measured), training=False)
        torch_parts.evaluate(net.module_, loader, self.task)


def unsuited(task: Task) -> str:
    return float32_alone(task)


def train(task: Task) -> Outcome:
    begin = time.perf_counter()
    warnings.filterwarnings("ignore", module="skorch")
    torch.manual_seed(task.seeds[0])
    net = _net(task).initialize()
    training = torch_parts.as_dataset(task.train)
    start = time.perf_counter()
    net.partial_fit(training, y=None)
    seconds = time.perf_counter() - start
    steps = sum(net.history[:, "train_batch_count"])
    compared = net.history[task.compare_after - 1]
    score = float(task.score(compared["valid_loss"], compared.get("valid_acc", np.nan)))
    return Outcome(seconds, start - begin, 1, task.epochs, steps, score)


def _net(task: Task) -> NeuralNet:
    kind = NeuralNetClassifier if task.classification else NeuralNetRegressor
    settings = torch_parts.optimizer_settings(task)
    return kind(
        torch_parts.network(task),
        criterion=torch_parts.loss_function(task),
        optimizer=torch_parts.optimizer_class(task),
        **{f"optimizer__{name}": value for name, value in settings.items()},
        optimizer__fused=True,
        max_epochs=task.epochs,
        iterator_train=_loader,
        iterator_train__batch_size=task.batch_size,
        iterator_train__shuffle=True,
        iterator_valid=_loader,
        iterator_valid__batch_size=EVALUATION_BATCH,
        train_split=predefined_split(torch_parts.as_dataset(task.validation)),
        callbacks=[("measured", MeasureTrainingRows(task))],
        callbacks__print_log=None,
    )


def _loader(dataset: Dataset[Any], batch_size: int, shuffle: bool = False) -> Any:
    return torch_parts.batched_loader(dataset, batch_size, shuffle)
