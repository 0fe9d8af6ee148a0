"""PyTorch Lightning in its barebones mode: no logger, checkpoints, progress bar, summary or sanity check."""

from __future__ import annotations

import logging
import time
import warnings
from typing import Any

import lightning
import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor

from benchmarks.contestants import torch_parts
from benchmarks.task import EVALUATION_BATCH, Outcome, Task

VALIDATION = 1
"""Number of the second evaluation loader."""


class Network(LightningModule):
    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task = task
        self.model = torch_parts.network(task)
        self.loss_function = torch_parts.loss_function(task)
        self.sums = torch.zeros(2, 2)
        """Row per loader: summed losses, right predictions."""
        self.scores: list[float] = []

    def training_step(self, batch: tuple[Tensor, Tensor], number: int) -> Tensor:
        x, y = batch
        loss: Tensor = self.loss_function(self.model(x), y)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        settings = torch_parts.optimizer_settings(self.task)
        kind: type[torch.optim.Adam] = torch_parts.optimizer_class(self.task)
        return kind(self.parameters(), fused=True, **settings)

    def on_validation_epoch_start(self) -> None:
        self.sums = torch.zeros(2, 2)

    def validation_step(self, batch: tuple[Tensor, Tensor], number: int, dataloader_idx: int = 0) -> None:
        x, y = batch
        outputs = self.model(x)
        self.sums[dataloader_idx, 0] += self.loss_function(outputs, y) * len(y)
        self.sums[dataloader_idx, 1] += torch_parts.count_right(self.task, outputs, y)

    def on_validation_epoch_end(self) -> None:
        loss, right = (self.sums[VALIDATION] / len(self.task.validation.x)).tolist()
        self.scores.append(self.task.score(loss, right))


def unsuited(task: Task) -> str:
    return ""


def train(task: Task) -> Outcome:
    begin = time.perf_counter()
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")  # about few loader workers: the rows are in memory
    lightning.seed_everything(task.seeds[0], verbose=False)
    training = torch_parts.batched_loader(torch_parts.as_dataset(task.train), task.batch_size, shuffle=True)
    evaluation: list[Any] = [
        torch_parts.batched_loader(torch_parts.as_dataset(rows), EVALUATION_BATCH)
        for rows in (task.measured, task.validation)
    ]
    network = Network(task)
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=task.epochs,
        barebones=True,
        precision="bf16-mixed" if task.precision == "bfloat16" else "32-true",
    )
    start = time.perf_counter()
    trainer.fit(network, training, evaluation)
    seconds = time.perf_counter() - start
    score = network.scores[task.compare_after - 1]
    return Outcome(seconds, start - begin, 1, task.epochs, trainer.global_step, score)
